"""New versions, for everyone who listens: each at its own place, nothing lost and nothing twice.

In: a reader, and after which version to begin. Out: versions in the order of their commits, as they are served.
Nobody is pushed anything: a listener that is slow is behind and costs nothing else. The last versions are kept
in memory, older ones come from the store. Used by GraphQL's subscriptions.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator

import structlog
from redis.exceptions import RedisError

from catalog_service.reader import Reader
from schema.errors import UnknownVersionError
from schema.version import Version

_KEPT = 256
_READ = 100
_RETRY_S = 1.0
_log = structlog.get_logger()


class Hub:
    """The versions that listeners wait for, one hub a process."""

    def __init__(self, reader: Reader, *, kept: int = _KEPT, read: int = _READ, retry_s: float = _RETRY_S) -> None:
        self._reader = reader
        self._retry_s = retry_s
        self._kept_count, self._read_count = kept, read
        self._reading = asyncio.Lock()
        self._start = -1
        """The version right after which ``_recent`` begins; -1: nothing was read yet."""
        self._recent: tuple[Version, ...] = ()

    def check(self, since: int) -> int:
        """Return ``since``. Raises UnknownVersionError for a version that was not served yet."""
        newest = self._reader.current.version
        if not 0 <= since <= newest:
            message = f"there is no version {since} to go on from: the newest is {newest}"
            raise UnknownVersionError(message, parameter="since", value=since, newest=newest)
        return since

    async def versions(self, since: int) -> AsyncGenerator[Version]:
        """Yield every live version after ``since``, for ever; while the store is away nothing comes."""
        place = since
        while True:
            await self._reader.wait_past(place)
            for version in await self._waited(place):
                place = version.version
                yield version

    async def _waited(self, place: int) -> tuple[Version, ...]:
        """Return what comes after ``place``, and is served; a store that was emptied has it when it is there anew."""
        while True:
            try:
                if found := await self._after(place):
                    return found
            except (RedisError, OSError) as error:
                _log.warning("cannot read what was committed, listeners wait", error=str(error))
            await asyncio.sleep(self._retry_s)

    async def _after(self, place: int) -> tuple[Version, ...]:
        """Return some of the versions that are served and come after ``place``, from the first on."""
        newest = self._reader.current.version
        async with self._reading:  # when a version comes, everybody wakes: one reads it
            if not self._recent or self._recent[-1].version < newest:
                await self._read(newest)
        if self._start <= place:
            return self._recent[bisect_right(self._recent, place, key=_number) :]
        found = await self._reader.store.versions.events(place, self._read_count)
        return tuple(one for one in found if one.version <= newest)

    async def _read(self, newest: int) -> None:
        """Add what was committed up to ``newest`` to what is kept."""
        if self._start < 0:
            self._start = await self._beginning()
        last = self._recent[-1].version if self._recent else self._start
        while last < newest and (found := await self._reader.store.versions.events(last, self._read_count)):
            last = found[-1].version
            kept = (*self._recent, *(one for one in found if one.version <= newest))
            if len(kept) > self._kept_count:
                self._start, kept = kept[-self._kept_count - 1].version, kept[-self._kept_count :]
            self._recent = kept

    async def _beginning(self) -> int:
        """Return where to begin keeping: a few versions back."""
        return await self._reader.store.versions.back(self._read_count) or 0


def _number(version: Version) -> int:
    return version.version
