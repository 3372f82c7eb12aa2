"""What people decided: labels, saved filters, API tokens, and the audit of it all."""

from __future__ import annotations

from collections.abc import AsyncIterator

from catalog_service.store import codec, keys
from catalog_service.store.checks.facts import facts
from catalog_service.store.checks.finding import (
    RESTORE,
    Command,
    Finding,
    Repair,
    Seen,
    Told,
    as_seen,
    dropped,
    short,
    text,
)
from catalog_service.store.connect import Store
from catalog_service.store.leases import Ask
from schema.access import ApiToken
from schema.errors import CorruptContentError
from schema.subscription import SavedFilter
from schema.version import Label

_MOST_ENTRIES = 20_000


async def labels(store: Store, _told: Told) -> AsyncIterator[Finding]:
    """Every label names a version that can be read."""
    ask: Ask = store.redis.execute_command
    found, gone = await facts(store), await store.floor.dropped()
    for field, data in (await ask("HGETALL", keys.LABELS)).items():
        name = text(field)
        label = codec.readable(data, Label)
        way_out = f"`label set {name} VERSION` or `label delete {name}`"
        if label is None or label.name != name:
            yield Finding("label", name, f"the label {name} is damaged: what it names is not known", RESTORE)
        elif label.version not in found.versions and label.version not in found.damaged:
            yield Finding("label", name, f"the label {name} names {label.version}, which is no version", way_out)
        elif label.version in gone:
            yield Finding("label", name, f"the label {name} names version {label.version}, which was pruned", way_out)


async def saved_filters(store: Store, _told: Told) -> AsyncIterator[Finding]:
    """Every saved filter can be read."""
    ask: Ask = store.redis.execute_command
    for field, data in (await ask("HGETALL", keys.FILTERS)).items():
        name = text(field)
        saved = codec.readable(data, SavedFilter)
        if saved is None or saved.name != name:
            problem = f"the saved filter {name} is damaged: who uses it is told everything"
            yield Finding("filter", name, problem, f"`filter set {name}` anew, or {RESTORE}")


async def tokens(store: Store, _told: Told) -> AsyncIterator[Finding]:
    """Every token can be read, and its name leads to it alone."""
    ask: Ask = store.redis.execute_command
    stored = await ask("HGETALL", keys.TOKENS)
    names = await ask("HGETALL", keys.TOKEN_NAMES)
    used = await ask("HGETALL", keys.TOKENS_USED)
    if not stored and (names or used):
        problem = f"no API token is there, and names or uses of {max(len(names), len(used))} are: none opens anything"
        yield Finding("token", short(keys.TOKENS), problem, f"{RESTORE}, or make them anew")
        return
    wanted: dict[bytes, bytes] = {}
    for digest, data in stored.items():
        if token := codec.readable(data, ApiToken):
            wanted[token.name.encode()] = digest
        else:
            problem = "an API token is damaged: it opens nothing"
            as_it_is = Seen(("HGET", keys.TOKENS, digest), data)
            own: list[Command] = [("HDEL", keys.TOKEN_NAMES, name) for name, to in names.items() if to == digest]
            own += [("HDEL", key, digest) for key in (keys.TOKENS, keys.TOKENS_USED)]
            repair = Repair((as_it_is,), tuple(own))
            way_out = "it is dropped: make a new one"
            yield Finding("token", text(digest)[:12], problem, way_out, repair)
    for name, digest in wanted.items():
        if names.get(name) != digest:
            problem = f"the name {text(name)!r} does not lead to its token: another could take it"
            seen = (Seen(("HGET", keys.TOKEN_NAMES, name), as_seen(names.get(name))),)
            repair = Repair(
                (*seen, Seen(("HEXISTS", keys.TOKENS, digest), b"1")), (("HSET", keys.TOKEN_NAMES, name, digest),)
            )
            yield Finding("token", text(name), problem, "it is made to", repair)
    strays = [(keys.TOKEN_NAMES, name, digest, digest) for name, digest in names.items() if name not in wanted]
    strays += [(keys.TOKENS_USED, digest, at, digest) for digest, at in used.items()]
    for key, field, value, digest in strays:
        if digest not in stored:
            problem = f"{short(key)} has something of a token that is none"
            yield Finding("orphan", short(key), problem, "it is dropped", dropped(key, field, value))


async def audit(store: Store, _told: Told) -> AsyncIterator[Finding]:
    """Every entry follows from the one before it, and can be read."""
    way_out = f"compare it with where the log of the service is kept; {RESTORE}"
    try:
        await store.audit.checked()
        await store.audit.newest(_MOST_ENTRIES)
    except CorruptContentError as error:
        yield Finding("audit", "audit", str(error), way_out)
