"""What a serving process reads from: the current snapshot in memory, older ones on demand.

`follow` swaps the current snapshot when the changeset stream moves; reads never wait for Redis on
the hot path, and go on with the last good snapshot while Redis is away. Called by the API and the
command line.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from datetime import UTC, date, datetime, time, timedelta

import structlog
from msgspec import Struct
from redis.exceptions import RedisError, ResponseError

from catalog_service.catalog.snapshot import Snapshot, SourceContent, sharing
from catalog_service.store.connect import Store
from catalog_service.store.contents import Difference
from catalog_service.store.events import PAST_NOTICES
from catalog_service.store.labels import label_name
from catalog_service.tasks import forever
from schema.endpoint_set import EndpointSet
from schema.errors import BadParameterError, CatalogError, CorruptContentError, GoneError, UnknownVersionError
from schema.event import Place
from schema.version import HeldVersion, Point, SourceState, Version

_OLD_SNAPSHOTS = 4
_BLOCK_MS = 4000
_COMING = 1000
"""More versions than are ever committed before a process that serves sees the first of them."""
_LATEST = re.compile(r"^latest(?:~(\d{1,9}))?$")
_SPECS = "a version number, latest, latest~N, a date or a date-time"
_log = structlog.get_logger()


class Standing(Struct, frozen=True):
    """How sources are, besides their content."""

    states: dict[str, SourceState]
    """Of every source that ever ran, by name."""
    held: tuple[HeldVersion, ...]
    """Rejected ones too, oldest first."""


class Reader:
    """Reads of one process. Call `refresh` before the first read.

    ``warm``: build a snapshot's indexes before it is swapped in, for a process that serves; a command
    that looks nothing up does without.
    """

    def __init__(self, store: Store, *, warm: bool = False) -> None:
        self.store = store
        self._warm = warm
        self.current = Snapshot(0, ())
        self.refreshed_at: datetime | None = None
        self.away = False
        """Whether `follow` could not read the store last: what can be had from memory need not wait for it."""
        self._standing: Standing | None = None
        self._failing: tuple[str, ...] = ()
        self._behind: tuple[str, ...] = ()
        self._unloadable: tuple[str, ...] = ()
        self._newest: Version | None = None
        self._old: OrderedDict[tuple[Point, tuple[int, ...]], Snapshot] = OrderedDict()
        self._points: dict[int, Point] = {}
        self._floor = 0
        self._moved = asyncio.Event()

    @property
    def troubles(self) -> tuple[str, ...]:
        """Why what is served may be behind or lack a source; () while all is well."""
        return (*self._failing, *self._behind, *self._unloadable)

    async def refresh(self) -> Snapshot:
        """Make the newest version the current snapshot, loading only the sources that moved.

        A store that went back to a lower number lost versions or was emptied: what is in memory goes on
        being served until it has caught up.
        """
        head = await self.store.versions.head()
        if head < self.current.version:
            if not self._behind:
                _log.error("the store went back, serving what is in memory", head=head, served=self.current.version)
            self._behind = (f"the store went back from version {self.current.version} to {head}",)
            return self.current
        self._behind = ()
        newest = await self.store.versions.version(head) if head else None
        if newest != self._newest:
            if self._newest and await self.store.versions.version(self._newest.version) != self._newest:
                self._old.clear()  # another history with the same numbers
                self._points.clear()
            try:
                self.current, self._newest = await self._loaded(head), newest
            except GoneError:
                if await self.store.versions.head() == head:
                    raise
                return await self.refresh()  # newer versions came and this one was pruned, while it was being loaded
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()
        self._floor = await self.store.floor.number()
        self.refreshed_at = datetime.now(UTC)
        return self.current

    async def follow(self) -> None:
        """Refresh whenever the changeset stream moves, until cancelled."""
        await forever(self._follow, "cannot follow the catalogue, serving what is in memory")

    async def _follow(self) -> None:
        """Refresh once the stream moved, or after a while."""
        try:
            await self.store.events.wait(Place(self.current.version, PAST_NOTICES), _BLOCK_MS)
            await self.refresh()
        except Exception as error:
            self.away = True
            if isinstance(error, ResponseError) or not isinstance(error, RedisError | OSError):
                why = error if isinstance(error, CatalogError) else type(error).__name__  # the log has the rest
                self._failing = (f"the newest version cannot be read: {why}",)
            raise
        self.away, self._failing = False, ()

    async def standing(self) -> Standing:
        """Return how sources are; while the store is away, as was read last. Raises RedisError: nothing was yet."""
        if self._standing and self.away:
            return self._standing
        try:
            self._standing = Standing(await self.store.sources.states(), await self.store.sources.held())
        except (RedisError, OSError, CatalogError) as error:
            if not self._standing:
                raise
            _log.debug("how sources are cannot be read, telling what was", error=str(error))
        return self._standing

    async def wait_past(self, version: int) -> None:
        """Return once a version newer than ``version`` is served: at once, or when `follow` has loaded one."""
        while self.current.version <= version:
            await self._moved.wait()

    async def at(self, spec: str | None = None) -> Snapshot:
        """Return the snapshot that ``spec`` names (see `resolve`). Raises as `resolve`."""
        return await self.snapshot(await self.resolve(spec))

    async def snapshot(self, point: Point) -> Snapshot:
        """Return the snapshot at ``point``. Raises UnknownVersionError, GoneError."""
        if point == self.current.point:
            return self.current
        name = (point, await self.known_of_time() if point.as_of else ())
        if name not in self._old:
            found = await self.store.contents.snapshot(point)
            contents = [await self._sharing(content) for content in found.contents]
            self._old[name] = Snapshot(found.version, tuple(contents), found.as_of)
            if len(self._old) > _OLD_SNAPSHOTS:
                self._old.popitem(last=False)
        self._old.move_to_end(name)
        return self._old[name]

    async def records_of(self, version: Version) -> tuple[EndpointSet, ...]:
        """Return the records of ``version``: those that are served where it is the one. Raises as `content_of`."""
        served = self.current.by_source.get(version.source)
        if served and served.version == version:
            return served.endpoint_sets
        return (await self._sharing(await self.store.contents.content_of(version))).endpoint_sets

    async def known_of_time(self) -> tuple[int, int]:
        """Return what moves with what a date answers: an import tells more of it, and pruning drops what was valid."""
        return await self.store.versions.last(), await self.store.floor.dropped_count()

    async def resolve(self, spec: str | None, served: Snapshot | None = None) -> Point:
        """Return the point of the catalogue that ``spec`` names, where ``served``, or the current one, is the newest.

        | spec                         | names                                                              |
        |------------------------------|--------------------------------------------------------------------|
        | ``latest`` (or None)         | what is served now                                                 |
        | ``latest~3``                 | the live version three commits before                              |
        | a number                     | that live version; of an imported one, the instant it became valid |
        | a label, in any case         | the version it was given to, as its number does                    |
        | ``2024-05-01``, a date-time  | what upstreams published by the end of that day, or by then (UTC)  |

        Raises:
            BadParameterError: ``spec`` is none of these.
            UnknownVersionError: there is no such version or label, or there was none yet.
            GoneError: it was pruned. (Of a date that is seen when it is read.)
        """
        point = await self._named((spec or "latest").strip(), served or self.current)
        if point.as_of is None and 0 < point.version < self._floor:
            await self.store.floor.check(point)
        return point

    async def number(self, spec: str | None) -> int:
        """Return the number of the version that ``spec`` names, to label it: a date names none of its own.

        Raises:
            BadParameterError: ``spec`` names an instant, or the empty beginning.
            Else as `resolve`.
        """
        point = await self.resolve(spec)
        if not point.version or (point.as_of and not point.numbered):
            message = f"{spec!r} names no version of its own: give a number, latest, latest~N or a label"
            raise BadParameterError(message, parameter="at", value=spec)
        return point.version

    async def number_of(self, source: str, spec: str | None) -> int:
        """Return the number of ``source``'s version at the point that ``spec`` names. Raises as `resolve`."""
        numbers = await self.store.versions.numbers(await self.resolve(spec))
        if source not in numbers:
            message = f"{source} had no version at {spec!r}"
            raise UnknownVersionError(message, parameter="at", value=spec, source=source)
        return numbers[source]

    async def difference(self, since: Point, until: Point) -> Difference:
        """Return what leads from ``since`` to ``until``, in either order. Raises UnknownVersionError."""
        return await self.store.contents.difference(since, until)

    async def versions(
        self, *, source: str | None = None, before: int | None = None, limit: int = 50, served: int | None = None
    ) -> tuple[Version, ...]:
        """Return up to ``limit`` versions, live and imported, that come after ``before``.

        Of one source by upstream's dates, of all by number; the newest first. None that is live and beyond ``served``,
        by default the current one.
        """
        stored = self.store.versions
        newest = self.current.version if served is None else served
        coming = {one.version for one in await stored.after(newest, _COMING)}
        if source:
            numbers = await stored.timeline(source, before, limit + len(coming))
        else:
            last = await stored.last() if before is None else before - 1
            numbers = tuple(range(last, max(0, last - limit - len(coming)), -1))
        return await stored.versions([one for one in numbers if one not in coming][:limit])

    async def _named(self, text: str, served: Snapshot) -> Point:
        if found := _LATEST.match(text):
            return await self._back(int(found[1] or 0), text, served)
        if text.isascii() and text.isdigit() and len(text) <= 9:
            return await self._numbered(int(text), text)
        if name := label_name(text):
            return await self._labelled(name, text)
        point = await self.store.versions.valid_at(_moment(text))
        if point is None:
            known = await self.store.versions.earliest()
            since = f": it begins at {known:%Y-%m-%d}, `catalog-service import` adds what was before" if known else ""
            message = f"this catalogue had no version yet at {text}{since}"
            raise UnknownVersionError(message, parameter="at", value=text)
        return point

    async def _labelled(self, name: str, spec: str) -> Point:
        try:
            label = await self.store.labels.get(name)
        except UnknownVersionError:
            message = f"{spec[:80]!r} is not a label here, nor {_SPECS}"
            raise UnknownVersionError(message, parameter="at", value=spec[:80]) from None
        return await self._numbered(label.version, spec)

    async def _back(self, steps: int, spec: str, served: Snapshot) -> Point:
        if not steps:
            return served.point
        number = await self.store.versions.back(steps, served.version)
        if number is None:
            message = f"{spec!r} names no version: this catalogue has fewer"
            raise UnknownVersionError(message, parameter="at", value=spec, newest=served.version)
        return Point(number)

    async def _numbered(self, number: int, spec: str) -> Point:
        newest = self.current.version
        if number in (0, newest):
            return Point(number)
        if number not in self._points:
            point = await self.store.versions.point(number) if number <= await self.store.versions.last() else None
            if point is None or (number > newest and point.as_of is None):
                message = f"{spec!r} names no version: the newest is {newest}"
                raise UnknownVersionError(message, parameter="at", value=spec, newest=newest)
            self._points[number] = point
        return self._points[number]

    async def _loaded(self, head: int) -> Snapshot:
        contents, unloadable = [], []
        for source in await self.store.versions.sources():
            known = self.current.by_source.get(source)
            try:
                contents.append(await self._content(source, head, known))
            except CorruptContentError as error:
                unloadable.append(f"{source} cannot be loaded: {error}")
                if known is None:  # without it every list would be short: nothing is served rather
                    self._unloadable = tuple(unloadable)
                    raise CorruptContentError(f"{unloadable[-1]}; `fsck` tells more", source=source) from error
                _log.error("a source cannot be loaded, serving what was", source=source, error=str(error))
                contents.append(known)
        snapshot = Snapshot(head, tuple(content for content in contents if content))
        self._unloadable = tuple(unloadable)
        return await asyncio.to_thread(snapshot.warm_up) if self._warm else snapshot

    async def _content(self, source: str, head: int, known: SourceContent | None) -> SourceContent | None:
        """Return ``source``'s content at ``head``: as known, where that is of the very same version."""
        numbers = await self.store.versions.line(source, head + 1, 1)
        if known and numbers and await self.store.versions.version(numbers[0]) == known.version:
            return known
        content = await self.store.contents.content(source, head)
        return await self._sharing(content) if content else None

    async def _sharing(self, content: SourceContent) -> SourceContent:
        """Return ``content`` with the records in memory that are served, as far as they are the same."""
        return await asyncio.to_thread(sharing, content, self.current.by_source.get(content.version.source))


def _moment(text: str) -> datetime:
    """Return the instant that a date (its end) or a date-time names, UTC. Raises BadParameterError."""
    try:
        if len(text) == len("2026-11-23"):
            after = datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), UTC)
            moment = after - timedelta(microseconds=1)
        else:
            moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        message = f"{text!r} is not a label, {_SPECS}"
        raise BadParameterError(message, parameter="at", value=text) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
