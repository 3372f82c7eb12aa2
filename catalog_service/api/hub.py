"""What happens, for everyone who listens: each event once, in order, from any place on.

In: a reader, and after which place to begin. Out: events as they can be told: a version once this process serves it,
a notice as soon as it is there and all before it is told. Nobody is pushed anything: a listener that is slow is
behind and costs nothing else. The last events are kept in memory, older ones come from the store. One hub a process;
used by GraphQL's subscriptions, by server-sent events and by feeds.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from itertools import takewhile

import structlog
from redis.exceptions import RedisError

from catalog_service.reader import Reader
from catalog_service.store.events import Events
from catalog_service.tasks import RETRY_S, forever
from schema.errors import CatalogError, UnknownVersionError
from schema.event import Event, Place
from schema.version import Version

_KEPT = 256
_READ = 100
_BLOCK_MS = 4000
_IDLE_S = 15.0
_BEGINNING = Place(0)
_log = structlog.get_logger()

Idle = Callable[[], Awaitable[None]]
"""What is done for a listener whenever nothing came for a while."""


class Hub:
    """The events that listeners wait for. Who waits is woken while `follow` runs."""

    def __init__(
        self,
        reader: Reader,
        *,
        kept: int = _KEPT,
        read: int = _READ,
        retry_s: float = RETRY_S,
        idle_s: float = _IDLE_S,
    ) -> None:
        self.closing = False
        """The service is asked to stop: streams end."""
        self.moved = asyncio.Event()
        """Set, and replaced by another, when there is more to tell and when streams end: take it, look, then wait."""
        self._reader = reader
        self._retry_s = retry_s
        self._idle_s = idle_s
        self._kept_count, self._read_count = kept, read
        self._reading = asyncio.Lock()
        self._seen = _BEGINNING
        """The newest place of the stream that `follow` saw."""
        self._start: Place | None = None
        """The place right after which ``_recent`` begins; None: nothing was read yet."""
        self._recent: tuple[Event, ...] = ()

    @property
    def newest(self) -> Place:
        """Where the newest event stands that can be told."""
        return max(Place(self._reader.current.version), self._seen)

    async def check(self, since: Place) -> Place:
        """Return ``since``. Raises UnknownVersionError for a place that nothing has reached.

        A client that another process told of something may name what this one does not serve yet.
        """
        newest = self.newest if since <= self.newest else await self._events.newest()
        if not _BEGINNING <= since <= newest:
            message = f"there is no version {since} to go on from: the newest is {newest}"
            raise UnknownVersionError(message, parameter="since", value=str(since), newest=newest.version)
        return since

    async def refresh(self) -> None:
        """Look at the stream once: what came before is the past, for who listens from now on. Raises RedisError."""
        newest = await self._events.newest()
        if newest.version <= self._reader.current.version:
            self._seen = newest

    async def follow(self) -> None:
        """Wake listeners whenever there is more to tell, until cancelled."""
        await forever(self._look, "cannot follow what happens, listeners wait", retry_s=self._retry_s)

    def close(self) -> None:
        """End what streams: the server is going, clients come back and go on."""
        self.closing = True
        self._wake()

    async def events(self, since: Place, idle: Idle | None = None) -> AsyncGenerator[Event]:
        """Yield every event after ``since``, for ever; while the store is away nothing comes.

        Raises what ``idle`` raises.
        """
        place = since
        while True:
            moved = self.moved
            for event in await self.after(place):
                place = event.place
                yield event
            if place >= self.newest:
                try:
                    async with asyncio.timeout(self._idle_s if idle else None):
                        await moved.wait()
                except TimeoutError:
                    if idle:
                        await idle()

    async def versions(self, since: int, idle: Idle | None = None) -> AsyncGenerator[Version]:
        """Yield every live version after ``since``, as `events`."""
        async with aclosing(self.events(Place(since), idle)) as events:
            async for event in events:
                if event.version:
                    yield event.version

    async def after(self, place: Place) -> tuple[Event, ...]:
        """Return some of the events after ``place`` that can be told, from the first on; () where there are none.

        Where the store should have some and has not, is away or holds what cannot be read, nothing is returned after
        a while: it may be asked again.
        """
        if place >= self.newest:
            return ()
        try:
            if found := await self._after(place):
                return found
        except (RedisError, OSError, CatalogError) as error:
            _log.warning("cannot read what happened, listeners wait", error=str(error))
        await asyncio.sleep(self._retry_s)
        return ()

    async def recent(self) -> tuple[Event, ...]:
        """Return the last events that can be told, oldest first. Raises RedisError, OSError, CorruptContentError."""
        await self._catch_up()
        return self._recent

    async def _look(self) -> None:
        """Wait for what nobody was woken for yet, for a while, and wake them."""
        if await self._events.wait(self._seen, _BLOCK_MS):
            await self._see(await self._events.newest())

    async def _see(self, newest: Place) -> None:
        """Wake everybody once all up to ``newest`` can be told, and is in memory."""
        await self._reader.wait_past(newest.version - 1)
        self._seen = newest
        await self._catch_up()
        self._wake()

    @property
    def _events(self) -> Events:
        return self._reader.store.events

    def _wake(self) -> None:
        moved, self.moved = self.moved, asyncio.Event()
        moved.set()

    async def _after(self, place: Place) -> tuple[Event, ...]:
        await self._catch_up()
        if self._start is not None and self._start <= place:
            return self._recent[bisect_right(self._recent, place, key=_place) :]
        return self._told(await self._events.after(place, self._read_count))

    async def _catch_up(self) -> None:
        """Add what can be told by now to what is kept: one reads it for all who were woken."""
        if self._is_behind():
            async with self._reading:
                if self._is_behind():
                    await self._read()

    def _is_behind(self) -> bool:
        return not self._recent or self._recent[-1].place < self.newest

    async def _read(self) -> None:
        if self._start is None:
            newest = await self._events.last(self._kept_count + 1)
            self._start = newest[-1].place if len(newest) > self._kept_count else _BEGINNING
        last = self._recent[-1].place if self._recent else self._start
        while found := self._told(await self._events.after(last, self._read_count)):
            last = found[-1].place
            kept = (*self._recent, *found)
            if len(kept) > self._kept_count:
                self._start, kept = kept[-self._kept_count - 1].place, kept[-self._kept_count :]
            self._recent = kept

    def _told(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
        """Return those of ``events`` that can be told; a version that is not served yet holds back what follows it."""
        newest = self.newest
        return tuple(takewhile(lambda event: event.place <= newest, events))


def _place(event: Event) -> Place:
    return event.place
