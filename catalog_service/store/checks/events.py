"""The changeset stream: every live version exactly once, as its record says, and notices that can be read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from catalog_service.store import codec, keys
from catalog_service.store.checks.facts import Facts, facts
from catalog_service.store.checks.finding import RESTORE, Command, Finding, Repair, Seen, Told, as_seen, listed, text
from catalog_service.store.connect import Store
from catalog_service.store.leases import Ask
from schema.errors import CorruptContentError
from schema.event import EventType, Notice, Place, place_of
from schema.subscription import QueueItem
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
    known, damaged = found.known, frozenset(found.damaged)
    bad = [id_.decode() for id_, fields in entries if not _is_good(found, known, id_.decode(), fields)]
    there = {id_.decode() for id_, _ in entries} - {*bad}
    missing = [number for number in live if f"{number}-0" not in there]
    if missing or bad:
        said = [f"lacks versions {listed(missing)}"] if missing else []
        said += [f"has entries that are damaged or of no version: {listed(bad)}"] if bad else []
        problem = f"the changeset stream {' and '.join(said)}: listeners are told too little, or stop there"
        if any((place := place_of(id_)) and place.version in damaged for id_ in bad):  # they may be all that is left
            yield Finding("events", "events", problem, RESTORE)
        else:
            repair = await _rebuilt(store, found, entries, {*bad}, missing)
            yield Finding("events", "events", problem, _REBUILT, repair)
    async for finding in _relayed(store, entries, max(known, default=0)):
        yield finding


async def _entries(store: Store) -> _Entries:
    ask: Ask = store.redis.execute_command
    found: _Entries = []
    start = b"-"
    while part := await ask("XRANGE", keys.EVENTS, start, "+", "COUNT", _AT_ONCE):
        found += part
        start = b"(" + part[-1][0]
    return found


def _is_good(found: Facts, given: frozenset[int], id_: str, fields: dict[bytes, bytes]) -> bool:
    place = place_of(id_)
    if place is None or (place.version and place.version not in given):
        return False
    try:
        if place.notice:
            codec.unpack(fields[b"notice"], Notice)
            return True
        version = codec.unpack(fields[b"version"], Version)
    except (CorruptContentError, KeyError):
        return False
    known = found.versions.get(place.version)
    return known is None or (version == known and not version.imported)


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


async def _relayed(store: Store, entries: _Entries, given: int) -> AsyncIterator[Finding]:
    """What was handed to queues is in the stream, and known where anything was."""
    ask: Ask = store.redis.execute_command
    stored = await ask("GET", keys.RELAYED)
    if stored is None:
        if entries and await _has_told(store):
            problem = (
                "it is not known up to which event deliveries were queued: the sender begins with the next, and those "
                "between are lost"
            )
            yield Finding("events", "relayed", problem, f"{RESTORE}, or `subscription replay` what may be lacking")
        return
    newest = (place_of(entries[-1][0].decode()) if entries else None) or Place(given)
    place = place_of(text(stored))
    if place is None or place > max(newest, Place(given)):
        problem = f"events are said to be handed on up to {text(stored)}, and the newest is {newest}: the next are lost"
        repair = Repair((Seen(("GET", keys.RELAYED), as_seen(stored)),), (("SET", keys.RELAYED, str(newest)),))
        yield Finding("events", "relayed", problem, f"it is set to {newest}: what comes is told", repair)


async def _has_told(store: Store) -> bool:
    """Tell whether anything was told to a subscription, or waits to be; a ping waits before any sender ran."""
    ask: Ask = store.redis.execute_command
    for id_ in await ask("HKEYS", keys.SUBSCRIPTIONS):
        name = text(id_)
        if await ask("EXISTS", keys.deliveries(name)):
            return True
        items = [codec.readable(item, QueueItem) for item in await ask("LRANGE", keys.queue(name), 0, -1)]
        if any(item and item.type is not EventType.PING for item in items):
            return True
    return False
