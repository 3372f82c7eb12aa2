"""Entries of feeds: the newest events that a filter keeps, with their changes.

In: the hub, and the past. Out: entries, newest first. Looking back ends after so many events; what was made of each
that was looked at is kept: an event does not change. Called by `rest.feeds`.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from catalog_service.api.hub import Hub
from catalog_service.api.reads.past import Past, Walk
from catalog_service.catalog.compare import asked
from catalog_service.catalog.event_filter import diff_filter, passes
from catalog_service.events.committed import committed
from catalog_service.events.judgements import Told
from catalog_service.events.links import Origin
from catalog_service.events.messages import noticed
from catalog_service.export.feeds.feed import FeedEntry, feed_entry
from catalog_service.views.diffs import diff_entries
from schema.event import Event
from schema.subscription import EventFilter, Payload

_LOOK_BACK = 200
_KEPT = 1024
"""Most of them nothing: a filter that keeps little."""


class Feeds:
    """The entries of one process, least recently used go first."""

    def __init__(self, hub: Hub, past: Past, origin: Origin) -> None:
        self._hub = hub
        self._past = past
        self._origin = origin
        self._kept: OrderedDict[tuple[Event, EventFilter], FeedEntry | None] = OrderedDict()

    async def newest(self, wanted: EventFilter, most: int) -> tuple[FeedEntry, ...]:
        """Return up to ``most`` entries that ``wanted`` keeps. Raises RedisError, OSError."""
        recent = reversed((await self._hub.recent())[-_LOOK_BACK:])
        events = [event for event in recent if passes(event, wanted)]
        found: list[FeedEntry] = []
        async with self._past.walk() as walk:
            for event in events:
                if entry := await self._entry(event, wanted, walk):
                    found.append(entry)
                if len(found) == most:
                    break
        return tuple(found)

    async def _entry(self, event: Event, wanted: EventFilter, walk: Walk) -> FeedEntry | None:
        name = (event, wanted)
        if name not in self._kept:
            self._kept[name] = await self._made(event, wanted, walk)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(name)
        return self._kept[name]

    async def _made(self, event: Event, wanted: EventFilter, walk: Walk) -> FeedEntry | None:
        if event.version is None:
            message = noticed(event.notice, wanted, self._origin) if event.notice else None
            return feed_entry(event, message, ()) if message else None
        told = await walk.told(event.version)
        return await asyncio.to_thread(self._committed, event, told, wanted)

    def _committed(self, event: Event, told: Told, wanted: EventFilter) -> FeedEntry | None:
        message = committed(told, wanted, Payload.FULL, self._origin)
        if message is None:
            return None
        changes = diff_entries(asked(told.judged, diff_filter(wanted))) if told.judged else ()
        return feed_entry(event, message, changes)
