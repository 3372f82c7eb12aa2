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
from redis.exceptions import RedisError

from catalog_service.catalog.fold import invert
from catalog_service.catalog.snapshot import Snapshot, SourceContent
from catalog_service.store.connect import Store
from schema.change import Changeset
from schema.errors import BadParameterError, CatalogError, CorruptContentError, UnknownVersionError
from schema.version import Version

_OLD_SNAPSHOTS = 4
_BLOCK_MS = 4000
_RETRY_S = 1.0
_LATEST = re.compile(r"^latest(?:~(\d{1,9}))?$")
_log = structlog.get_logger()


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
        self._behind: tuple[str, ...] = ()
        self._unloadable: tuple[str, ...] = ()
        self._newest: Version | None = None
        self._old: OrderedDict[int, Snapshot] = OrderedDict()

    @property
    def troubles(self) -> tuple[str, ...]:
        """Why what is served may be behind or lack a source; () while all is well."""
        return (*self._behind, *self._unloadable)

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
            self.current, self._newest = await self._loaded(head), newest
        self.refreshed_at = datetime.now(UTC)
        return self.current

    async def follow(self) -> None:
        """Refresh whenever the changeset stream moves, until cancelled."""
        while True:
            try:
                await self.store.versions.wait_for_event(self.current.version, _BLOCK_MS)
                await self.refresh()
            except (RedisError, OSError, CatalogError) as error:
                _log.warning("cannot follow the catalogue, serving what is in memory", error=str(error))
                await asyncio.sleep(_RETRY_S)

    async def at(self, spec: str | None = None) -> Snapshot:
        """Return the snapshot that ``spec`` names (see `resolve`). Raises as `resolve`."""
        number = await self.resolve(spec)
        if number == self.current.version:
            return self.current
        if number not in self._old:
            self._old[number] = await self.store.versions.snapshot(number)
            if len(self._old) > _OLD_SNAPSHOTS:
                self._old.popitem(last=False)
        self._old.move_to_end(number)
        return self._old[number]

    async def resolve(self, spec: str | None) -> int:
        """Return the version number that ``spec`` names.

        ``latest`` (or None), ``latest~3``, a number, a date (``2026-11-23``: the newest version committed
        by the end of that day, UTC) or a date-time (ISO 8601, UTC when it names no zone).

        Raises:
            BadParameterError: ``spec`` is none of these.
            UnknownVersionError: there is no such version, or there was none yet.
        """
        text = (spec or "latest").strip()
        newest = self.current.version
        if found := _LATEST.match(text):
            return self._existing(newest - int(found[1] or 0), text)
        if text.isascii() and text.isdigit() and len(text) <= 9:
            return self._existing(int(text), text)
        return await self._committed_by(_moment(text), text)

    async def changes(self, since: int, until: int) -> Changeset:
        """Return what leads from version ``since`` to ``until``, in either order. Raises UnknownVersionError."""
        if since > until:
            return invert(await self.store.versions.changes(until, since))
        return await self.store.versions.changes(since, until)

    async def versions(
        self, *, source: str | None = None, before: int | None = None, limit: int = 50
    ) -> tuple[Version, ...]:
        """Return versions below ``before``, newest first, at most ``limit``, of one source or of all."""
        if source:
            return await self.store.versions.versions(await self.store.versions.line(source, before, limit))
        last = self.current.version if before is None else min(before - 1, self.current.version)
        return await self.store.versions.versions(range(last, max(0, last - limit), -1))

    def _existing(self, number: int, spec: str) -> int:
        newest = self.current.version
        if not 0 <= number <= newest:
            message = f"{spec!r} names no version: this catalogue has 0 to {newest}"
            raise UnknownVersionError(message, parameter="at", value=spec, newest=newest)
        return number

    async def _committed_by(self, moment: datetime, spec: str) -> int:
        """Return the newest version committed by ``moment``, by bisection of the version line."""
        low, high = 0, self.current.version
        while low < high:
            middle = (low + high + 1) // 2
            if (await self.store.versions.version(middle)).committed_at <= moment:
                low = middle
            else:
                high = middle - 1
        if low == 0:
            raise UnknownVersionError(f"this catalogue had no version yet at {spec}", parameter="at", value=spec)
        return low

    async def _loaded(self, head: int) -> Snapshot:
        contents, unloadable = [], []
        for source in await self.store.versions.sources():
            known = self.current.by_source.get(source)
            try:
                contents.append(await self._content(source, head, known))
            except CorruptContentError as error:
                _log.error("a source cannot be loaded, serving the others", source=source, error=str(error))
                unloadable.append(f"{source} cannot be loaded: {error}")
                contents.append(known)
        snapshot = Snapshot(head, tuple(content for content in contents if content))
        self._unloadable = tuple(unloadable)
        return await asyncio.to_thread(snapshot.warm_up) if self._warm else snapshot

    async def _content(self, source: str, head: int, known: SourceContent | None) -> SourceContent | None:
        """Return ``source``'s content at ``head``: as known, where that is of the very same version."""
        numbers = await self.store.versions.line(source, head + 1, 1)
        if known and numbers and await self.store.versions.version(numbers[0]) == known.version:
            return known
        return await self.store.versions.content(source, head)


def _moment(text: str) -> datetime:
    """Return the instant that a date (its end) or a date-time names, UTC. Raises BadParameterError."""
    try:
        if len(text) == len("2026-11-23"):
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), UTC) - timedelta(
                microseconds=1
            )
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        message = f"{text!r} is not a version number, latest, latest~N, a date or a date-time"
        raise BadParameterError(message, parameter="at", value=text) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
