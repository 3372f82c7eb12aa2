"""Restoring: a checked backup takes the place of what is stored, in one atomic step.

Its keys are written beside the others, under ``{catalog}:restoring:`` and a token, where nobody looks and where they
expire should this process die; then one script takes away what was there and gives them their names. Whoever holds a
lease or a claim by then has lost it: leases get higher fencing tokens, claims are gone. Called by the command line.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from typing import IO

from msgspec import Struct
from msgspec.structs import replace
from redis.asyncio.client import Pipeline

from catalog_service.store import keys, shape
from catalog_service.store.audit import log_audit, packed
from catalog_service.store.backup_file import Portion, Written, check, portions_of
from catalog_service.store.commit import AUDIT
from catalog_service.store.connect import Store
from catalog_service.store.leases import Script
from catalog_service.store.moment import WORTH_KEEPING, is_empty, parts
from catalog_service.store.shape import Kind
from schema.errors import CorruptContentError, StaleHeadError, StoreError
from schema.version import AuditEntry

_ATTEMPTS = 50
_EXPIRES_S = 6 * 3600
_SIZES_AT_ONCE = 1000
_STAGED = f"{keys.TAG}:restoring:"
_SIZES = {
    Kind.STRING: "EXISTS",
    Kind.HASH: "HLEN",
    Kind.SET: "SCARD",
    Kind.ZSET: "ZCARD",
    Kind.LIST: "LLEN",
    Kind.STREAM: "XLEN",
}

# Puts what is staged in the place of all that is stored, with its audit entry. Answers OK, also when it is sent again
# after a lost reply; FULL: something is stored, and it was not to be replaced; MOVED: the head is not the one the entry
# tells of; GONE: what was staged expired.
SWAP = f"""#!lua
local audit, head, fences = unpack(KEYS)
local staged, tag, replace, before, entry, names = unpack(ARGV, 1, 6)
local whole, of_sources, of_subscriptions = unpack(cjson.decode(ARGV[7]))
local sourced, subscribed = unpack(cjson.decode(ARGV[8]))
names = cjson.decode(names)
{AUDIT}
for _, name in ipairs(names) do
  if redis.call('EXISTS', staged .. name) == 0 then
    return told(audit, entry) and 'OK' or 'GONE'
  end
end
if replace == '0' then
  for _, key in ipairs(whole) do
    if key ~= tag .. 'format' and redis.call('EXISTS', key) == 1 then return 'FULL' end
  end
end
if (redis.call('GET', head) or '') ~= before then return 'MOVED' end
local fenced = redis.call('HGETALL', fences)
local function drop(prefixes, members)
  for _, member in ipairs(members) do
    for _, prefix in ipairs(prefixes) do redis.call('UNLINK', prefix .. member) end
  end
end
drop(of_sources, redis.call('SMEMBERS', tag .. 'sources'))
for _, key in ipairs(sourced) do drop(of_sources, redis.call('HKEYS', key)) end
for _, key in ipairs(subscribed) do drop(of_subscriptions, redis.call('HKEYS', key)) end
for _, key in ipairs(whole) do redis.call('UNLINK', key) end
for _, name in ipairs(names) do
  redis.call('RENAME', staged .. name, tag .. name)
  redis.call('PERSIST', tag .. name)
end
for at = 1, #fenced, 2 do
  local restored = tonumber(redis.call('HGET', fences, fenced[at]) or '0')
  redis.call('HSET', fences, fenced[at], string.format('%d', math.max(restored, tonumber(fenced[at + 1]))))
end
for _, source in ipairs(redis.call('HKEYS', fences)) do redis.call('HINCRBY', fences, source, 1) end
tell(audit, entry)
return 'OK'
"""


class Restored(Struct, frozen=True):
    """What a backup brought back."""

    backup: Written
    replaced_head: int
    """The newest live version before; 0: there was none."""
    version_count: int
    """Live and imported ones."""
    subscription_count: int
    key_count: int


async def restore(store: Store, file: IO[bytes], entry: AuditEntry, *, replace_all: bool) -> Restored:
    """Have ``store`` hold what ``file`` does, in ``entry.who``'s name; ``replace_all``: in place of what it holds.

    Data of an older form is brought to this release's. Until the last step nothing is touched; that step is atomic.

    Raises:
        CorruptContentError: ``file`` is no backup, cut off or altered.
        StoreError: it is newer than this release, or empty where something is stored; or something is stored, and
            ``replace_all`` is False.
    """
    backup = check(file)
    if not replace_all and await store.redis.exists(*(set(shape.every_key()) - {keys.FORMAT})):
        raise _full()
    if not await is_empty(store) and not any(portion.key in WORTH_KEEPING for portion in portions_of(file)):
        raise StoreError("the backup is of an empty store, and this one is not: nothing changed")
    staged = f"{_STAGED}{secrets.token_hex(8)}:"
    sizes = await _stage(store, file, staged)
    before = await _swap(store, staged, tuple(sizes), backup, entry, replace_all=replace_all)
    await store.ping()
    counts = {name: sizes[f"{keys.TAG}:{name}"] for name in ("versions", "subscriptions")}
    return Restored(backup, before, counts["versions"], counts["subscriptions"], len(sizes))


async def _stage(store: Store, file: IO[bytes], staged: str) -> Counter[str]:
    """Write all of ``file`` under names that begin with ``staged``; how many members each key has."""
    sizes, kinds = Counter[str](), dict[str, Kind]()
    for portion in portions_of(file):
        async with store.redis.pipeline(transaction=True) as pipeline:
            key = staged + portion.key.removeprefix(f"{keys.TAG}:")
            _write(pipeline, key, portion)
            pipeline.execute_command("EXPIRE", key, _EXPIRES_S)
            await pipeline.execute(raise_on_error=portion.kind is not Kind.STREAM)
        sizes[portion.key] += len(portion.entries)
        kinds[portion.key] = portion.kind
    for part in parts(list(sizes.items()), _SIZES_AT_ONCE):
        async with store.redis.pipeline(transaction=False) as pipeline:
            for key, _ in part:
                pipeline.execute_command(_SIZES[kinds[key]], staged + key.removeprefix(f"{keys.TAG}:"))
            found = await pipeline.execute()
        if [int(size) for size in found] != [size for _, size in part]:
            raise CorruptContentError("what was written beside the store is not what the backup holds: nothing changed")
    return sizes


def _write(pipeline: Pipeline, key: str, portion: Portion) -> None:
    """Have ``portion`` written to ``key``. Once more, after a lost reply, comes to the same: a stream refuses it."""
    flat = [part for entry in portion.entries for part in entry]
    match portion.kind:
        case Kind.STRING:
            pipeline.execute_command("SET", key, *flat)
        case Kind.HASH:
            pipeline.execute_command("HSET", key, *flat)
        case Kind.SET:
            pipeline.execute_command("SADD", key, *flat)
        case Kind.LIST:
            pipeline.execute_command("DEL", key)
            pipeline.execute_command("RPUSH", key, *flat)
        case Kind.ZSET:
            pipeline.execute_command("ZADD", key, *(part for entry in portion.entries for part in entry[::-1]))
        case Kind.STREAM:
            for id_, *fields in portion.entries:
                pipeline.execute_command("XADD", key, id_, *fields)


async def _swap(
    store: Store, staged: str, names: tuple[str, ...], backup: Written, entry: AuditEntry, *, replace_all: bool
) -> int:
    """Put what is staged in place; return the head there was."""
    swap: Script = store.redis.register_script(SWAP)
    lists = [shape.every_key(), shape.of_sources(), shape.of_subscriptions()]
    known = [shape.SOURCED, shape.SUBSCRIBED]
    short = json.dumps([name.removeprefix(f"{keys.TAG}:") for name in names])
    for _ in range(_ATTEMPTS):
        head = await store.redis.execute_command("GET", keys.HEAD) or b""  # type: ignore[no-untyped-call]
        told = replace(entry, before=head.decode(), after=str(backup.header.head or ""))
        shown = (packed(told), short, json.dumps(lists), json.dumps(known))
        arguments = [staged, f"{keys.TAG}:", int(replace_all), head, *shown]
        outcome = bytes(await swap(keys=[keys.AUDIT, keys.HEAD, keys.FENCES], args=arguments))
        if outcome == b"OK":
            log_audit(told)
            return int(head or 0)
        if outcome == b"FULL":
            raise _full()
        if outcome == b"GONE":
            raise StoreError("what was written beside the store expired before it was whole: nothing changed")
    raise StaleHeadError("versions were committed faster than the backup could take their place: nothing changed")


def _full() -> StoreError:
    return StoreError("the store is not empty: --replace puts the backup in the place of all that it holds")
