"""Contents in Redis: a source's records at any version, and what leads from one point to another.

A content is its chain's newest keyframe before it and the changesets since (limits-and-faults.md A2:
1/80 of the plain size). Live versions are one chain; each import began one of its own. Called by sync
and by the reader.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from msgspec import Struct
from redis.asyncio import Redis

from catalog_service.catalog.diff import added, diff, removed
from catalog_service.catalog.fold import apply, fold, invert
from catalog_service.catalog.marks import marked
from catalog_service.catalog.snapshot import Snapshot, SourceContent
from catalog_service.store import codec, commit, keys
from catalog_service.store.floor import Floor
from catalog_service.store.leases import Ask
from catalog_service.store.versions import Versions
from schema.change import Changeset
from schema.endpoint_set import content_digest
from schema.errors import CorruptContentError, UnknownVersionError
from schema.version import Point, Version


class Difference(Struct, frozen=True):
    """What leads from one point to another."""

    changes: Changeset
    missing: tuple[str, ...]
    """Sources, sorted, that only one point knows, the other being an instant: nobody knows what came, so they have
    no part in it."""


class Contents:
    """Contents of versions, verified against their digests."""

    def __init__(self, redis: Redis, versions: Versions, floor: Floor) -> None:
        self._ask: Ask = redis.execute_command
        self._load: Callable[..., Awaitable[Any]] = redis.register_script(commit.LOAD)
        self._versions = versions
        self._floor = floor
        self._recent: dict[str, SourceContent] = {}

    async def content(self, source: str, at: int | None = None) -> SourceContent | None:
        """Return ``source``'s content at live version ``at`` (default: now), None before its first version.

        The newest content this process loaded or committed is kept: it is rebuilt only when the source moved.

        Raises:
            CorruptContentError: what is stored does not match the version's digest.
        """
        numbers = await self._versions.line(source, None if at is None else at + 1, 1)
        if not numbers:
            return None
        version = await self._versions.version(numbers[0])
        recent = self._recent.get(source)
        if recent and recent.version == version:
            return recent
        content = await self.content_of(version)
        if at is None:
            self.remember(content)
        return content

    async def content_of(self, version: Version) -> SourceContent:
        """Return the content of ``version``, live or imported. Raises GoneError, CorruptContentError."""
        number, source, imported = version.version, version.source, version.imported
        own = [keys.keyframed(source, imported=imported), keys.line(source, imported=imported)]
        names = [*own, keys.KEYFRAMES, keys.MARKS, keys.CHANGESETS, keys.GONE]
        outcome, *stored = await self._load(keys=names, args=[number])
        if outcome == b"GONE":
            raise await self._floor.gone(number)
        if outcome == b"NONE":
            raise CorruptContentError(f"version {number} of {source} has no keyframe", version=number, source=source)
        keyframe, marks, numbers, steps = stored
        if missing := [int(one) for one, data in zip(numbers, steps, strict=True) if data is None]:
            raise CorruptContentError(f"changesets {missing} are missing", versions=missing)
        changesets = [(int(one), data) for one, data in zip(numbers, steps, strict=True)]
        return await asyncio.to_thread(_rebuilt, version, keyframe, marks, changesets)

    async def changes_of(self, version: Version) -> Changeset:
        """Return what ``version`` changed in its source; of a source's first version, every record as added.

        Raises:
            GoneError: it was pruned.
            CorruptContentError: what is stored does not match.
        """
        stored: bytes | None = await self._ask("HGET", keys.CHANGESETS, version.version)
        if stored is not None:
            return await asyncio.to_thread(codec.unpack_changes, stored)
        return await self._between(version.previous, version.version)

    def remember(self, content: SourceContent) -> None:
        """Keep ``content`` as the newest of its source."""
        self._recent[content.version.source] = content

    async def snapshot(self, point: Point) -> Snapshot:
        """Return the catalogue at ``point``. Raises UnknownVersionError, GoneError, CorruptContentError."""
        numbers = await self._numbers(point)
        versions = await self._versions.versions(tuple(numbers.values()))
        contents = [await self.content_of(version) for version in versions]
        return Snapshot(point.version, tuple(contents), point.as_of)

    async def difference(self, since: Point, until: Point) -> Difference:
        """Return what leads from ``since`` to ``until``, in either order, folded per source.

        Raises:
            UnknownVersionError: a live version beyond the newest.
            GoneError: one of them was pruned.
        """
        first, last = await self._numbers(since), await self._numbers(until)
        missing = _unknown(since, first, last) | _unknown(until, last, first)
        known = sorted({*first, *last} - missing)
        moved = [source for source in known if first.get(source) != last.get(source)]
        found = [await self._between(first.get(source), last.get(source)) for source in moved]
        changes = sorted((change for changes in found for change in changes), key=lambda change: change.id)
        return Difference(tuple(changes), tuple(sorted(missing)))

    async def _numbers(self, point: Point) -> dict[str, int]:
        """Return the number of each source's version at ``point``. Raises UnknownVersionError, GoneError."""
        head = await self._versions.head()
        if point.as_of is None and not 0 <= point.version <= head:
            message = f"there is no version {point.version}, the newest is {head}"
            raise UnknownVersionError(message, parameter="at", version=point.version, head=head)
        numbers = await self._versions.numbers(point)
        await self._floor.check(point, numbers.values())
        return numbers

    async def _between(self, since: int | None, until: int | None) -> Changeset:
        """Return what leads from one version of a source to another; None is before its first."""
        if since is None or until is None:
            (version,) = await self._versions.versions([one for one in (since, until) if one])
            records = (await self.content_of(version)).endpoint_sets
            return tuple(map(added if since is None else removed, records))
        one, other = await self._versions.versions([since, until])
        if one.imported == other.imported:
            earlier, later = sorted((one, other), key=lambda version: version.version)
            stored = await self._stored_changesets(await self._chain(later, earlier.version))
            steps = [data for data in stored if data is not None]
            if len(steps) == len(stored):  # else another import begins between, or some were pruned
                changes = await asyncio.to_thread(lambda: fold(map(codec.unpack_changes, steps)))
                return changes if earlier is one else invert(changes)
        before, after = await self.content_of(one), await self.content_of(other)
        return await asyncio.to_thread(diff, before.endpoint_sets, after.endpoint_sets)

    async def _chain(self, version: Version, start: int) -> tuple[int, ...]:
        """Return the numbers of ``version``'s kind and source after ``start``, up to its own."""
        line = keys.line(version.source, imported=version.imported)
        found = await self._ask("ZRANGEBYSCORE", line, f"({start}", version.version)
        return tuple(int(number) for number in found)

    async def _stored_changesets(self, numbers: Sequence[int]) -> list[bytes | None]:
        return list(await self._ask("HMGET", keys.CHANGESETS, *numbers)) if numbers else []


def _unknown(point: Point, there: dict[str, int], other: dict[str, int]) -> set[str]:
    return other.keys() - there.keys() if point.as_of else set()


def _rebuilt(
    version: Version, keyframe: bytes, marks: bytes | None, changesets: list[tuple[int, bytes]]
) -> SourceContent:
    records = codec.unpack_records(keyframe)
    steps = [(number, codec.unpack_changes(data)) for number, data in changesets]
    if steps:
        records = apply(records, fold(changes for _, changes in steps))
    if content_digest(records) != version.digest:
        raise CorruptContentError(
            f"the stored content of version {version.version} does not match its digest", version=version.version
        )
    return SourceContent(version, records, marked(codec.unpack_marks(marks) if marks else {}, steps))
