"""The version line in Redis: numbers, what is known of each version, and which were valid when.

Live versions make up the line; imported ones lie beside it, found by the upstream's dates
(docs/adr/0006). Contents are in `contents`, writing in `commits`. Called by sync and by the reader.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from redis.asyncio import Redis

from catalog_service.store import codec, keys
from catalog_service.store.leases import Ask
from schema.errors import UnknownVersionError
from schema.version import Point, Version


class Versions:
    """Versions of the catalogue. Numbers are 1, 2, 3 ...; 0 stands for the empty beginning."""

    def __init__(self, redis: Redis) -> None:
        self._ask: Ask = redis.execute_command

    async def head(self) -> int:
        """Return the number of the newest live version, 0 before the first."""
        return codec.number(await self._ask("GET", keys.HEAD))

    async def last(self) -> int:
        """Return the last number given, to a live or an imported version; 0 before the first."""
        return max(codec.number(data) for data in await self._ask("MGET", keys.LAST, keys.HEAD))

    async def version(self, number: int) -> Version:
        """Return version ``number``. Raises UnknownVersionError."""
        (version,) = await self.versions([number])
        return version

    async def versions(self, numbers: Sequence[int]) -> tuple[Version, ...]:
        """Return the versions ``numbers``, in their order. Raises UnknownVersionError for one that is not kept."""
        if not numbers:
            return ()
        found = await self._ask("HMGET", keys.VERSIONS, *numbers)
        for number, data in zip(numbers, found, strict=True):
            if data is None:
                raise UnknownVersionError(f"there is no version {number}", parameter="version", version=number)
        return tuple(codec.unpack(data, Version) for data in found)

    async def point(self, number: int) -> Point:
        """Return what version ``number`` names: the line as of its commit; of an imported one, when it became valid.

        Raises:
            UnknownVersionError: there is no such version.
        """
        imported = (await self.version(number)).imported
        return Point(number, await self.since(number), numbered=True) if imported else Point(number)

    async def line(self, source: str, before: int | None = None, count: int | None = None) -> tuple[int, ...]:
        """Return the numbers of ``source``'s live versions below ``before``, newest first, at most ``count``."""
        highest = "+inf" if before is None else f"({before}"
        limit = -1 if count is None else count
        found = await self._ask("ZREVRANGEBYSCORE", keys.line(source), highest, "-inf", "LIMIT", 0, limit)
        return tuple(int(number) for number in found)

    async def after(self, number: int, count: int) -> tuple[Version, ...]:
        """Return up to ``count`` live versions numbered beyond ``number``, in the order of their commits.

        Those whose content was pruned are told as well.
        """
        return await self.versions(await self._ask("ZRANGEBYSCORE", keys.LINE, f"({number}", "+inf", "LIMIT", 0, count))

    async def back(self, steps: int, newest: int | None = None) -> int | None:
        """Return the live version ``steps`` before ``newest`` (None: of all), 0 right before the first, None beyond."""
        highest = "+inf" if newest is None else newest
        found = await self._ask("ZREVRANGEBYSCORE", keys.LINE, highest, "-inf", "LIMIT", steps, 1)
        if found:
            return int(found[0])
        return 0 if int(await self._ask("ZCOUNT", keys.LINE, "-inf", highest)) == steps else None

    async def timeline(self, source: str, before: int | None = None, count: int = 1) -> tuple[int, ...]:
        """Return the numbers of ``source``'s versions, live and imported, by upstream's dates, newest first.

        ``before`` is the number they start after; at most ``count``.
        """
        start = 0
        if before is not None:
            rank = await self._ask("ZREVRANK", keys.timeline(source), padded(before))
            start = 0 if rank is None else int(rank) + 1
        found = await self._ask("ZREVRANGE", keys.timeline(source), start, start + count - 1)
        return tuple(int(number) for number in found)

    async def valid_at(self, moment: datetime) -> Point | None:
        """Return the catalogue as upstreams were at ``moment``; None when nothing is known of that time."""
        found = await self._ask("ZREVRANGEBYSCORE", keys.TIMELINE, moment.timestamp(), "-inf", "LIMIT", 0, 1)
        return Point(int(found[0]), moment) if found else None

    async def earliest(self) -> datetime | None:
        """Return since when anything is known, None before the first version."""
        found = await self._ask("ZRANGE", keys.TIMELINE, 0, 0, "WITHSCORES")
        return datetime.fromtimestamp(float(found[1]), UTC) if found else None

    async def since(self, number: int) -> datetime | None:
        """Return since when version ``number`` was valid upstream, as far as is known; None: no such version."""
        score = await self._ask("ZSCORE", keys.TIMELINE, padded(number))
        return None if score is None else datetime.fromtimestamp(float(score), UTC)

    async def sources(self) -> tuple[str, ...]:
        """Return the names of the sources that have a live version, sorted."""
        return tuple(sorted(name.decode() for name in await self._ask("HKEYS", keys.LIVE)))

    async def numbers(self, point: Point) -> dict[str, int]:
        """Return the number of each source's version at ``point``; a source that had none is left out."""
        if point.as_of is None:
            sources = await self.sources()
            found = await asyncio.gather(*(self.line(source, point.version + 1, 1) for source in sources))
            return {source: numbers[0] for source, numbers in zip(sources, found, strict=True) if numbers}
        names = sorted(name.decode() for name in await self._ask("SMEMBERS", keys.SOURCES))
        valid = await asyncio.gather(*(self.valid(name, point.as_of, point.version) for name in names))
        return {name: number for name, number in zip(names, valid, strict=True) if number}

    async def valid(self, source: str, moment: datetime, highest: int | None = None) -> int | None:
        """Return the number of ``source``'s version valid at ``moment``, None when none is known or it was closed.

        That is the one that began, or was seen once more, last before it. ``highest``: of versions since that
        very instant, none beyond this number.
        """
        line, score = keys.timeline(source), moment.timestamp()
        same = [int(number) for number in await self._ask("ZREVRANGEBYSCORE", line, score, score)]
        if valid := [number for number in same if highest is None or number <= highest]:
            return valid[0]
        began = await self._ask("ZREVRANGEBYSCORE", line, f"({score!r}", "-inf", "WITHSCORES", "LIMIT", 0, 1)
        seen = await self._ask("ZREVRANGEBYSCORE", keys.seen(source), score, "-inf", "WITHSCORES", "LIMIT", 0, 1)
        if not began:
            return None
        last = seen if seen and float(seen[1]) > float(began[1]) else began
        return int(last[0].partition(b"@")[0]) or None

    async def saw(self, source: str, number: int, moment: datetime) -> None:
        """Remember that version ``number`` of ``source`` was valid at ``moment`` too; 0: that it was closed by then.

        What is imported later of a time before ``moment`` does not count from then on.
        """
        score = moment.timestamp()
        await self._ask("ZADD", keys.seen(source), score, f"{padded(number)}@{score!r}")

    async def superseded(self, source: str, digest: str, served: int | None) -> int | None:
        """Return the version of ``source`` with content ``digest`` that another one followed by ``served``, or None.

        Imported ones count too, but none before there is a live version.
        """
        found = await self._ask("HGET", keys.digests(source), digest)
        now = await self.since(served) if served else None
        if found is None or now is None:
            return None
        began = await self.since(int(found))
        return int(found) if began and began <= now else None


def valid_since(version: Version, before: float | None) -> float:
    """Return since when upstream had a live version: its own date, or when it was fetched; never before the last.

    An upstream date that is not news (sources.md T2) or lies ahead says nothing. What a person rolled back to counts
    from its commit: until then upstream's own content was valid. ``before`` is that of the version before it, None
    for a source's first; both in seconds since 1970.
    """
    if version.rolled_back_to:
        return max(version.committed_at.timestamp(), before or 0.0)
    fetched = version.fetched_at.timestamp()
    since = min(version.upstream_at.timestamp(), fetched) if version.upstream_at else fetched
    return since if before is None or since > before else max(fetched, before)


def padded(number: int) -> str:
    """Return ``number`` as a timeline's member: equal times sort by number."""
    return f"{number:012d}"
