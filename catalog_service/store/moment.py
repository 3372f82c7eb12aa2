"""What moves in the store, read at one instant, as portions of a backup. Called by `backup`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from msgspec import Struct

from catalog_service.store import keys, shape
from catalog_service.store.at_once import at_once
from catalog_service.store.backup_file import Portion
from catalog_service.store.connect import Store
from catalog_service.store.shape import Kind, Named
from schema.errors import StaleHeadError
from schema.event import Place, place_of

_ATTEMPTS = 50
_ENTRIES = 1000
_LISTED = (("SMEMBERS", keys.SOURCES), *(("HKEYS", key) for key in (*shape.SOURCED, keys.SUBSCRIPTIONS)))
WORTH_KEEPING = (keys.VERSIONS, keys.SUBSCRIPTIONS, keys.FILTERS, keys.TOKENS)
"""Without any of these a store has nothing that a backup is for."""
T = TypeVar("T")
Entries = tuple[tuple[bytes, ...], ...]


class Moment(Struct, frozen=True):
    """The store at one instant."""

    held: dict[Named, Entries]
    """What each key that moves holds; keys that are not there are left out."""
    sources: tuple[str, ...]
    subscriptions: tuple[str, ...]
    ends: dict[str, bytes]
    """The id of the newest entry of each stream; an empty one is left out."""

    def number(self, key: str) -> int:
        """Return the number that the string ``key`` holds, 0 where it is not there."""
        return int(next((entries[0][0] for name, entries in self.held.items() if name.key == key), 0))

    def members(self, key: str) -> tuple[bytes, ...]:
        """Return the members of the set, sorted set or hash ``key``, () where it is not there."""
        return next((tuple(one[0] for one in entries) for name, entries in self.held.items() if name.key == key), ())

    @property
    def newest(self) -> Place:
        """Where the newest event stood."""
        return (place_of(self.ends[keys.EVENTS].decode()) if keys.EVENTS in self.ends else None) or Place(0)


async def moment(store: Store) -> Moment:
    """Return what moves, as of now. Raises StaleHeadError: sources or subscriptions come faster than they are read."""
    for _ in range(_ATTEMPTS):
        sources, subscriptions = await _listed(store)
        names = shape.moving(sources, subscriptions)
        ends_asked = [("XREVRANGE", one.key, "+", "-", "COUNT", 1) for one in shape.STREAMS]
        replies = await at_once(store.redis, (*_LISTED, *map(_asked, names), *ends_asked))
        listed, rest = replies[: len(_LISTED)], replies[len(_LISTED) :]
        if _named(listed) != (sources, subscriptions):
            continue
        found = ((one, entries_of(one.kind, reply)) for one, reply in zip(names, rest, strict=False))
        ends = zip(shape.STREAMS, rest[len(names) :], strict=True)
        held = {one: entries for one, entries in found if entries}
        return Moment(held, sources, subscriptions, {one.key: newest[0][0] for one, newest in ends if newest})
    raise StaleHeadError("sources or subscriptions came faster than they could be read: try again")


async def is_empty(store: Store) -> bool:
    """Tell whether ``store`` has nothing that a backup is for."""
    return not await store.redis.exists(*WORTH_KEEPING)


async def own_of(store: Store, subscription: str) -> tuple[tuple[Named, Entries], ...]:
    """Return the log of deliveries to ``subscription``, as of now."""
    names = shape.own(subscription)
    replies = await at_once(store.redis, map(_asked, names))
    return tuple((one, entries_of(one.kind, reply)) for one, reply in zip(names, replies, strict=True))


def portions(name: Named, entries: Sequence[tuple[bytes, ...]]) -> Iterator[Portion]:
    """Yield ``entries`` of ``name``, a list whole and others in parts."""
    if name.kind is Kind.LIST:
        yield Portion(name.key, name.kind, tuple(entries))
        return
    for part in parts(entries, _ENTRIES):
        yield Portion(name.key, name.kind, tuple(part))


def parts(several: Sequence[T], count: int) -> Iterator[Sequence[T]]:
    """Yield ``several``, ``count`` at a time."""
    for start in range(0, len(several), count):
        yield several[start : start + count]


def entries_of(kind: Kind, reply: Any) -> Entries:
    """Return what Redis answered of a key of ``kind``, as a portion has it."""
    match kind:
        case Kind.STRING:
            return ((reply,),) if reply is not None else ()
        case Kind.HASH:
            return tuple(reply.items())
        case Kind.SET:
            return tuple((one,) for one in sorted(reply))
        case Kind.LIST:
            return tuple((one,) for one in reply)
        case Kind.ZSET:
            return tuple(zip(reply[::2], reply[1::2], strict=True))
        case Kind.STREAM:
            return tuple((id_, *(part for pair in fields.items() for part in pair)) for id_, fields in reply)


def _asked(one: Named) -> tuple[str | int, ...]:
    """Return the command that reads all that ``one`` holds."""
    match one.kind:
        case Kind.STRING:
            return "GET", one.key
        case Kind.HASH:
            return "HGETALL", one.key
        case Kind.SET:
            return "SMEMBERS", one.key
        case Kind.LIST:
            return "LRANGE", one.key, 0, -1
        case Kind.ZSET:
            return "ZRANGE", one.key, 0, -1, "WITHSCORES"
        case Kind.STREAM:
            return "XRANGE", one.key, "-", "+"


async def _listed(store: Store) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the sources that anything is known of, and the subscriptions."""
    return _named(await at_once(store.redis, _LISTED))


def _named(replies: Sequence[Iterable[bytes]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    *sources, subscriptions = replies
    return _sorted(name for names in sources for name in names), _sorted(subscriptions)


def _sorted(names: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(sorted({name.decode() for name in names}))
