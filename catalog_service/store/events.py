"""The changeset stream: every version at ``number-0`` and the notices after it at ``number-1``, ``number-2`` ...

Written by the atomic steps of `commit` alone; read by whoever tells of it, from any place on. Called by notify and
by the API.
"""

from __future__ import annotations

import math

from redis.asyncio import Redis

from catalog_service.store import codec, keys
from catalog_service.store.leases import Ask
from schema.errors import CorruptContentError
from schema.event import Event, Notice, Place, place_of
from schema.version import Version

PAST_NOTICES = (1 << 64) - 1
"""Beyond every notice after a version, and before the next one."""
_PATIENCE_MS = 800
"""Of each second that a reply may take: one that waits for an event must not seem lost."""


class Events:
    """The stream in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._ask: Ask = redis.execute_command
        timeout_s = redis.connection_pool.connection_kwargs.get("socket_timeout") or math.inf
        self._most_ms = max(1.0, timeout_s * _PATIENCE_MS)

    async def after(self, place: Place, count: int) -> tuple[Event, ...]:
        """Return up to ``count`` events after ``place``, in order. Raises CorruptContentError."""
        found = await self._ask("XRANGE", keys.EVENTS, f"({_id(place)}", "+", "COUNT", count)
        return tuple(_event(id_, fields) for id_, fields in found)

    async def last(self, count: int) -> tuple[Event, ...]:
        """Return the last ``count`` events, or as many as there are, newest first. Raises as `after`."""
        found = await self._ask("XREVRANGE", keys.EVENTS, "+", "-", "COUNT", count)
        return tuple(_event(id_, fields) for id_, fields in found)

    async def at(self, place: Place) -> Event | None:
        """Return the event at ``place``, None where there is none."""
        found = await self._ask("XRANGE", keys.EVENTS, _id(place), _id(place))
        return _event(*found[0]) if found else None

    async def newest(self) -> Place:
        """Return where the newest event stands, the beginning where there is none."""
        found = await self.last(1)
        return found[0].place if found else Place(0)

    async def wait(self, after: Place, timeout_ms: int) -> bool:
        """Tell whether there is an event after ``after``; wait for one, ``timeout_ms`` or what Redis may take."""
        block_ms = int(min(timeout_ms, self._most_ms))
        found = await self._ask("XREAD", "COUNT", 1, "BLOCK", block_ms, "STREAMS", keys.EVENTS, _id(after))
        return bool(found)


def _id(place: Place) -> str:
    return f"{place.version}-{place.notice}"


def _event(id_: bytes, fields: dict[bytes, bytes]) -> Event:
    place = place_of(id_.decode())
    if place is None:
        raise CorruptContentError(f"the changeset stream has an entry {id_!r}")
    if data := fields.get(b"version"):
        return Event(place, version=codec.unpack(data, Version))
    if data := fields.get(b"notice"):
        return Event(place, notice=codec.unpack(data, Notice))
    raise CorruptContentError(f"the changeset stream has an entry of an unknown kind at {place}")
