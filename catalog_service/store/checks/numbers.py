"""Numbers: each version has its record, follows the one before it, and is found by every index."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from itertools import pairwise

from catalog_service.store import keys, shape
from catalog_service.store.checks.facts import Facts, facts, newest
from catalog_service.store.checks.finding import (
    RESTORE,
    Command,
    Finding,
    Repair,
    Seen,
    Told,
    as_seen,
    dropped,
    listed,
    short,
    text,
)
from catalog_service.store.checks.given import number_of, read_version
from catalog_service.store.connect import Store
from catalog_service.store.leases import Ask
from catalog_service.store.versions import padded, valid_since
from schema.version import Version

_REBUILT = "it is worked out anew from the records of the versions"
_SLACK_S = 1e-5


async def records(store: Store, _told: Told) -> AsyncIterator[Finding]:
    """Every number that was given has a record, and each version follows its source's one before."""
    ask: Ask = store.redis.execute_command
    found = await facts(store)
    for number in found.damaged:
        stored = await ask("HGET", keys.VERSIONS, number)
        events = await ask("XRANGE", keys.EVENTS, f"{number}-0", f"{number}-0")
        told: bytes | None = events[0][1].get(b"version") if events else None
        problem = f"the record of version {number} is {'damaged' if stored else 'missing'}: it cannot be read at all"
        if told and read_version(number, told):
            seen = (Seen(("HGET", keys.VERSIONS, number), as_seen(stored)),)
            repair = Repair(seen, (("HSET", keys.VERSIONS, number, told),))
            yield Finding("version", str(number), problem, "the changeset stream has the same record", repair)
        else:
            yield Finding("version", str(number), problem, RESTORE)
    for field in found.strays:
        stored = await ask("HGET", keys.VERSIONS, field)
        problem = f"versions has a record of {field!r}, a number that was never given"
        if read_version(number_of(field), stored):
            yield Finding("version", repr(field), problem, RESTORE)
        else:
            yield Finding("orphan", repr(field), problem, "it is dropped", dropped(keys.VERSIONS, field, stored))
    for version in _unfollowing(found):
        problem = f"version {version.version} says that it follows {version.previous}, which its source's line does not"
        yield Finding("version", str(version.version), problem, RESTORE)


async def indexes(store: Store, _told: Told) -> AsyncIterator[Finding]:
    """Every index says what the records of the versions do."""
    found = await facts(store)
    since = _since(found)
    for finding in _strings(found):
        yield finding
    live = {str(one.version): float(one.version) for one in found.versions.values() if not one.imported}
    wanted = [(keys.LINE, live), (keys.TIMELINE, {padded(number): at for number, at in since.items()})]
    for source in found.sources:
        kinds = {kind: found.of(source, imported=kind) for kind in (False, True)}
        for kind, versions in kinds.items():
            line = {str(one.version): float(one.version) for one in versions}
            wanted.append((keys.line(source, imported=kind), line))
        own = {padded(one.version): since[one.version] for versions in kinds.values() for one in versions}
        wanted.append((keys.timeline(source), own))
    for key, scores in wanted:
        async for finding in _zset(store, found, key, scores):
            yield finding
    async for finding in _hashes(store, found):
        yield finding
    async for finding in _sources(store, found):
        yield finding
    async for finding in _sightings(store, found):
        yield finding
    async for finding in _pruned(store, found):
        yield finding


def _unfollowing(found: Facts) -> Iterator[Version]:
    for source in found.sources:
        line = found.of(source, imported=False)
        yield from (after for before, after in pairwise(line) if not _follows(found, before, after))
        yield from (one for one in found.of(source, imported=True) if one.previous and not _is_of(found, one))


def _follows(found: Facts, before: Version, after: Version) -> bool:
    is_between = any(before.version < number < after.version for number in found.damaged)
    return after.previous == before.version or (is_between and after.previous in found.damaged)


def _is_of(found: Facts, version: Version) -> bool:
    """Tell whether the version before an imported one is of the same source."""
    before = found.versions.get(version.previous or 0)
    return version.previous in found.damaged or (before is not None and before.source == version.source)


def _since(found: Facts) -> dict[int, float]:
    """Return since when each version was valid, as its commit worked it out."""
    since: dict[int, float] = {}
    for number, version in found.versions.items():
        if version.imported and version.upstream_at:
            since[number] = version.upstream_at.timestamp()
        else:
            since[number] = valid_since(version, since.get(version.previous) if version.previous else None)
    return since


def _strings(found: Facts) -> Iterator[Finding]:
    every = found.versions.values()
    numbers = (
        (keys.HEAD, found.head, newest(one for one in every if not one.imported), "the newest live version"),
        (keys.LAST, found.last, newest(every), "the last number given"),
    )
    for key, stored, wanted, what in numbers:
        is_told_by_head = key == keys.LAST and not stored and int(found.head or 0) == wanted
        if int(stored or 0) == wanted or found.damaged or is_told_by_head:
            continue
        problem = f"{what} is {wanted}, and the store says {int(stored or 0)}"
        if min(int(found.head or 0), int(found.last or 0)) > newest(every):  # one alone is a slip, both are a loss
            yield Finding("index", short(key), problem, RESTORE)
            continue
        yield Finding("index", short(key), problem, _REBUILT, Repair(found.seen, (("SET", key, wanted),)))


async def _zset(store: Store, found: Facts, key: str, wanted: Mapping[str, float]) -> AsyncIterator[Finding]:
    ask: Ask = store.redis.execute_command
    flat = await ask("ZRANGE", key, 0, -1, "WITHSCORES")
    stored = {name: float(score) for name, score in zip(flat[::2], flat[1::2], strict=True)}
    members = {name.encode(): at for name, at in wanted.items()}
    lacking = [one for one, at in members.items() if one not in stored or abs(stored[one] - at) > _SLACK_S]
    surplus = _surplus(found, stored.keys() - members.keys())
    if not lacking and not surplus:
        return
    steps: list[Command] = [("ZADD", key, repr(members[one]), one) for one in lacking]
    steps += [("ZREM", key, one) for one in surplus]
    yield Finding("index", short(key), _difference(lacking, surplus), _REBUILT, Repair(found.seen, tuple(steps)))


def _surplus(found: Facts, names: Iterable[bytes]) -> list[bytes]:
    """Return those of ``names`` that are of no version; one that cannot be read may be."""
    damaged = frozenset(found.damaged)
    return sorted(one for one in names if number_of(one) not in damaged)


def _difference(lacking: Iterable[bytes], surplus: Iterable[bytes]) -> str:
    parts = (("lacks or misplaces", lacking), ("has, of no version,", surplus))
    said = " and ".join(f"{what} {listed(text(one) for one in several)}" for what, several in parts if several)
    return f"this index {said}: versions are not found, or some that are none"


async def _hashes(store: Store, found: Facts) -> AsyncIterator[Finding]:
    """The newest live version of each source, and its contents by digest."""
    ask: Ask = store.redis.execute_command
    lines = {source: newest(found.of(source, imported=False)) for source in found.sources}
    live = {source: number for source, number in lines.items() if number}
    wanted = [(keys.LIVE, live), *((keys.digests(source), _digests(found, source)) for source in found.sources)]
    for key, numbers in wanted:
        stored = await ask("HGETALL", key)
        fields = {name.encode(): number for name, number in numbers.items()}
        lacking = [name for name, number in fields.items() if stored.get(name) != str(number).encode()]
        surplus = sorted(stored.keys() - fields.keys())
        if found.damaged or not (lacking or surplus):
            continue
        steps: list[Command] = [("HSET", key, name, fields[name]) for name in lacking]
        steps += [("HDEL", key, name) for name in surplus]
        yield Finding("index", short(key), _difference(lacking, surplus), _REBUILT, Repair(found.seen, tuple(steps)))


async def _sources(store: Store, found: Facts) -> AsyncIterator[Finding]:
    """The sources are those of the versions, and there are indexes of no others."""
    ask: Ask = store.redis.execute_command
    stored, wanted = set(await ask("SMEMBERS", keys.SOURCES)), {source.encode() for source in found.sources}
    missing, surplus = sorted(wanted - stored), sorted(stored - wanted) if not found.damaged else []
    if missing or surplus:
        steps: list[Command] = [("SADD", keys.SOURCES, name) for name in missing]
        steps += [("SREM", keys.SOURCES, name) for name in surplus]
        problem = _difference(missing, surplus)
        yield Finding("index", short(keys.SOURCES), problem, _REBUILT, Repair(found.seen, tuple(steps)))
    known = wanted | stored
    for key in shape.SOURCED:
        known |= set(await ask("HKEYS", key))
    prefixes = tuple(prefix.encode() for prefix in shape.of_sources() if prefix != keys.lease(""))
    async for key in store.redis.scan_iter(match=f"{keys.TAG}:*", count=500):
        prefix = next((one for one in prefixes if key.startswith(one)), None)
        if prefix and (source := key.removeprefix(prefix)) not in known:
            name = short(text(key))
            problem = f"{name} is of a source of which nothing else is known"
            if found.damaged:  # it may be all that is left of one
                yield Finding("orphan", name, problem, RESTORE)
                continue
            repair = Repair((*found.seen, Seen(("HEXISTS", keys.FENCES, source), b"0")), (("UNLINK", key),))
            yield Finding("orphan", name, problem, "it is dropped", repair)


async def _sightings(store: Store, found: Facts) -> AsyncIterator[Finding]:
    """What was seen once more is a version of its source, or 0: its end (`Versions.saw`)."""
    ask: Ask = store.redis.execute_command
    for source in found.sources:
        key = keys.seen(source)
        known = {0, *found.damaged, *(number for number, version in found.versions.items() if version.source == source)}
        numbers = {one: one.partition(b"@")[0] for one in await ask("ZRANGE", key, 0, -1)}
        if strays := [one for one, number in numbers.items() if not number.isdigit() or int(number) not in known]:
            problem = f"this index has {listed(strays)}, of no version of {source}: what was valid when cannot be told"
            repair = Repair(found.seen, (("ZREM", key, *strays),))
            yield Finding("index", short(key), problem, "they are taken out of it", repair)


def _digests(found: Facts, source: str) -> dict[str, int]:
    """Return which version each content of ``source`` leads to: the newest live one, else the first imported one."""
    imported, live = (found.of(source, imported=kind) for kind in (True, False))
    first = {version.digest: version.version for version in reversed(imported)}
    return {**first, **{version.digest: version.version for version in live}}


async def _pruned(store: Store, found: Facts) -> AsyncIterator[Finding]:
    """What was pruned lies below the floor, and is live."""
    floor, gone = await store.floor.number(), await store.floor.dropped()
    live = {number for number, version in found.versions.items() if not version.imported}
    if stray := sorted(one for one in gone if one >= floor or (one not in live and one not in found.damaged)):
        problem = f"versions {listed(stray)} are said to be pruned, at or above the floor {floor}: they answer 410"
        yield Finding("index", short(keys.GONE), problem, RESTORE)
    if floor and floor not in live and floor not in found.damaged:
        yield Finding("index", short(keys.FLOOR), f"the floor {floor} is no live version", RESTORE)
