"""Which keys the store is made of, and how each is carried away.

Every key of `keys` is in one of these lists; tests/test_backup.py sees to it. Called by `backup` and `restore`.

moving     read all at one instant: numbers, indexes, people's decisions, queues
lasting    what a number or digest names never changes, so it is read afterwards: contents, documents, streams
own        read of one subscription at one instant: its log of deliveries
momentary  not carried away: leases, claims and counts of requests, which end by themselves
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from catalog_service.store import keys


class Kind(StrEnum):
    """A type of Redis."""

    STRING = "string"
    HASH = "hash"
    SET = "set"
    ZSET = "zset"
    LIST = "list"
    STREAM = "stream"


class Named(Struct, frozen=True):
    """A key."""

    key: str
    kind: Kind


def _imported(source: str) -> str:
    return keys.line(source, imported=True)


def _imported_keyframed(source: str) -> str:
    return keys.keyframed(source, imported=True)


MOVING: tuple[Named, ...] = (
    *(Named(key, Kind.STRING) for key in (keys.FORMAT, keys.DEMO, keys.HEAD, keys.LAST, keys.FLOOR, keys.RELAYED)),
    *(Named(key, Kind.STRING) for key in (keys.SIGNING_KEY,)),
    *(Named(key, Kind.SET) for key in (keys.SOURCES,)),
    *(Named(key, Kind.ZSET) for key in (keys.LINE, keys.TIMELINE, keys.GONE, keys.DUE)),
    *(Named(key, Kind.HASH) for key in (keys.LIVE, keys.HELD, keys.HELD_RECORDS, keys.STATES, keys.LABELS)),
    *(Named(key, Kind.HASH) for key in (keys.SUBSCRIPTIONS, keys.SEALED, keys.HEALTHS, keys.DROPPED, keys.TRYING)),
    *(Named(key, Kind.HASH) for key in (keys.FILTERS, keys.TOKENS, keys.TOKEN_NAMES, keys.TOKENS_USED, keys.FENCES)),
)
LASTING = tuple(Named(key, Kind.HASH) for key in (keys.VERSIONS, keys.CHANGESETS, keys.KEYFRAMES, keys.MARKS))
STREAMS = tuple(Named(key, Kind.STREAM) for key in (keys.EVENTS, keys.AUDIT))
MOMENTARY = (Named(keys.CLAIMS, Kind.HASH),)
SOURCED = (keys.STATES, keys.LIVE, keys.FENCES)
"""Hashes by source, beside the set of sources: one that never published is in some of these alone."""
SUBSCRIBED = (keys.SUBSCRIPTIONS, keys.SEALED, keys.HEALTHS)
"""Hashes by subscription."""

_Key = Callable[[str], str]
_MOVING_OF_SOURCE: tuple[tuple[_Key, Kind], ...] = (
    *((key, Kind.ZSET) for key in (keys.line, keys.keyframed, _imported, _imported_keyframed)),
    *((key, Kind.ZSET) for key in (keys.timeline, keys.seen, keys.fetched)),
    (keys.digests, Kind.HASH),
)
_OTHERS_OF_SOURCE: tuple[_Key, ...] = (keys.documents, keys.lease)
_OWN: tuple[tuple[_Key, Kind], ...] = (
    (keys.deliveries, Kind.HASH), (keys.logged, Kind.ZSET), (keys.dead, Kind.ZSET),
)  # fmt: skip


def moving(sources: tuple[str, ...], subscriptions: tuple[str, ...]) -> tuple[Named, ...]:
    """Return what is read at one instant of a store with these sources and subscriptions."""
    of_sources = (Named(key(source), kind) for source in sources for key, kind in _MOVING_OF_SOURCE)
    return (*MOVING, *of_sources, *(Named(keys.queue(one), Kind.LIST) for one in subscriptions))


def own(subscription: str) -> tuple[Named, ...]:
    """Return what is known of deliveries to ``subscription``: the log and its two orders."""
    return tuple(Named(key(subscription), kind) for key, kind in _OWN)


def every_key() -> tuple[str, ...]:
    """Return each key that is of no source and no subscription."""
    return tuple(one.key for one in (*MOVING, *LASTING, *STREAMS, *MOMENTARY))


def of_sources() -> tuple[str, ...]:
    """Return what the keys of a source begin with."""
    return tuple(key("") for key in (*(key for key, _ in _MOVING_OF_SOURCE), *_OTHERS_OF_SOURCE))


def of_subscriptions() -> tuple[str, ...]:
    """Return what the keys of a subscription begin with."""
    return tuple(key("") for key in (keys.queue, *(key for key, _ in _OWN)))
