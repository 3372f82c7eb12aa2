"""The changeset stream: every live version exactly once, as its record says, and notices that can be read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from catalog_service.store import codec, keys
from catalog_service.store.checks.facts import Facts, facts
from catalog_service.store.checks.finding import Command, Finding, Repair, Seen, Told, as_seen, listed
from catalog_service.store.connect import Store
from catalog_service.store.leases import Ask
from schema.errors import CorruptContentError
from schema.event import Notice, Place, place_of
from schema.version import Version

_AT_ONCE = 500
_STAGED = f"{keys.TAG}:restoring:events"
_REBUILT = "the stream is written anew, each live version from its record; notices stay as they are"
_Entries = list[tuple[bytes, dict[bytes, bytes]]]


async def events(store: Store, _told: Told) -> AsyncIterator[Finding]:
    """The stream tells of live versions 1 to the head, exactly once each (I2)."""
    found = await facts(store)
    live = {number: version for number, version in found.versions.items() if not version.imported}
    entries = await _entries(store)
    bad = [id_.decode() for id_, fields in entries if not _is_good(found, id_.decode(), fields)]
    there = {id_.decode() for id_, _ in entries} - {*bad}
    missing = [number for number in live if f"{number}-0" not in there]
    if missing or bad:
        said = [f"lacks versions {listed(missing)}"] if missing else []
        said += [f"has entries that are damaged or of no version: {listed(bad)}"] if bad else []
        problem = f"the changeset stream {' and '.join(said)}: listeners are told too little, or stop there"
        yield Finding("events", "events", problem, _REBUILT, await _rebuilt(store, found, entries, {*bad}, missing))
    async for finding in _relayed(store, entries):
        yield finding


async def _entries(store: Store) -> _Entries:
    ask: Ask = store.redis.execute_command
    found: _Entries = []
    start = b"-"
    while part := await ask("XRANGE", keys.EVENTS, start, "+", "COUNT", _AT_ONCE):
        found += part
        start = b"(" + part[-1][0]
    return found


def _is_good(found: Facts, id_: str, fields: dict[bytes, bytes]) -> bool:
    place = place_of(id_)
    if place is None or (place.version and place.version not in {*found.versions, *found.damaged}):
        return False
    try:
        if place.notice:
            codec.unpack(fields[b"notice"], Notice)
            return True
        version = codec.unpack(fields[b"version"], Version)
    except (CorruptContentError, KeyError):
        return False
    return place.version in found.damaged or (version == found.versions.get(place.version) and not version.imported)


async def _rebuilt(store: Store, found: Facts, entries: _Entries, bad: set[str], missing: list[int]) -> Repair:
    """Return the repair that writes the stream anew."""
    ask: Ask = store.redis.execute_command
    kept = dict(_placed(entries, bad))
    for number in missing:
        kept[Place(number)] = {b"version": await ask("HGET", keys.VERSIONS, number)}
    steps: list[Command] = [("DEL", _STAGED)]
    for place, fields in sorted(kept.items()):
        flat = [part for pair in fields.items() for part in pair]
        steps.append(("XADD", _STAGED, f"{place.version}-{place.notice}", *flat))
    steps.append(("RENAME", _STAGED, keys.EVENTS) if kept else ("DEL", keys.EVENTS))
    return Repair((*found.seen, Seen(("XLEN", keys.EVENTS), str(len(entries)).encode())), tuple(steps))


def _placed(entries: _Entries, bad: set[str]) -> Iterator[tuple[Place, dict[bytes, bytes]]]:
    for id_, fields in entries:
        place = place_of(id_.decode())
        if place and id_.decode() not in bad:
            yield place, fields


async def _relayed(store: Store, entries: _Entries) -> AsyncIterator[Finding]:
    """What was handed to queues is in the stream."""
    ask: Ask = store.redis.execute_command
    stored = await ask("GET", keys.RELAYED)
    if stored is None:
        return
    newest = place_of(entries[-1][0].decode()) if entries else Place(0)
    place = place_of(stored.decode())
    if newest and (place is None or place > newest):
        problem = (
            f"events are said to be handed on up to {stored.decode()}, and the newest is {newest}: the next are lost"
        )
        repair = Repair((Seen(("GET", keys.RELAYED), as_seen(stored)),), (("SET", keys.RELAYED, str(newest)),))
        yield Finding("events", "relayed", problem, f"it is set to {newest}: what comes is told", repair)
