"""The version line in Redis: contents, changesets, commits.

A source's content at a version is its newest keyframe before it and the changesets since
(limits-and-faults.md A2: 1/80 of the plain size). Called by sync to commit and by the reader.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from redis.asyncio import Redis

from catalog_service.catalog.diff import added
from catalog_service.catalog.fold import apply, fold
from catalog_service.catalog.snapshot import Snapshot, SourceContent
from catalog_service.store import codec, commit, keys
from catalog_service.store.leases import Ask, Lease
from schema.change import Changeset
from schema.endpoint_set import EndpointSet, content_digest
from schema.errors import CorruptContentError, FencedError, StaleHeadError, UnknownVersionError
from schema.version import SourceState, Version

KEYFRAME_EVERY = 26
_MOVED_ATTEMPTS = 50
_EVENTS_READ = 200


class Commit(Struct, frozen=True):
    """All that one commit writes. ``version.version`` is given by the commit itself."""

    version: Version
    changes: Changeset
    records: tuple[EndpointSet, ...]
    """The source's whole content after the changes."""
    state: SourceState
    held_id: str = ""
    """The source's held version to take down in the same step."""


class Versions:
    """Versions of the catalogue. Numbers are 1, 2, 3 ...; 0 stands for the empty beginning."""

    def __init__(self, redis: Redis) -> None:
        self._ask: Ask = redis.execute_command
        self._commit = redis.register_script(commit.COMMIT)
        self._recent: dict[str, SourceContent] = {}

    async def head(self) -> int:
        """Return the number of the newest version, 0 before the first."""
        return int(await self._ask("GET", keys.HEAD) or 0)

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

    async def line(self, source: str, before: int | None = None, count: int | None = None) -> tuple[int, ...]:
        """Return the numbers of ``source``'s versions below ``before``, newest first, at most ``count``."""
        highest = "+inf" if before is None else f"({before}"
        limit = -1 if count is None else count
        found = await self._ask("ZREVRANGEBYSCORE", keys.line(source), highest, "-inf", "LIMIT", 0, limit)
        return tuple(int(number) for number in found)

    async def sources(self) -> tuple[str, ...]:
        """Return the names of the sources that have a version, sorted."""
        return tuple(sorted(name.decode() for name in await self._ask("HKEYS", keys.NEWEST)))

    async def version_with(self, source: str, digest: str) -> int | None:
        """Return the newest version of ``source`` that had content ``digest``, None if there was none."""
        found = await self._ask("HGET", keys.digests(source), digest)
        return int(found) if found else None

    async def content(self, source: str, at: int | None = None) -> SourceContent | None:
        """Return ``source``'s content at version ``at`` (default: now), None before its first version.

        The newest content this process loaded or committed is kept: it is rebuilt only when the source moved.

        Raises:
            CorruptContentError: what is stored does not match the version's digest.
        """
        numbers = await self.line(source, None if at is None else at + 1, 1)
        if not numbers:
            return None
        number, version = numbers[0], await self.version(numbers[0])
        recent = self._recent.get(source)
        if recent and recent.version == version:
            return recent
        keyframes = await self._ask("ZREVRANGEBYSCORE", keys.keyframed(source), number, "-inf", "LIMIT", 0, 1)
        start = int(keyframes[0]) if keyframes else 0
        keyframe = await self._ask("HGET", keys.KEYFRAMES, start)
        changesets = await self._stored_changesets(await self._numbers(source, start, number))
        if keyframe is None:
            raise CorruptContentError(f"version {number} of {source} has no keyframe", version=number, source=source)
        content = await asyncio.to_thread(_rebuilt, version, keyframe, changesets)
        if at is None:
            self._recent[source] = content
        return content

    async def snapshot(self, at: int | None = None) -> Snapshot:
        """Return the catalogue at version ``at`` (default: the newest). Raises UnknownVersionError."""
        head = await self.head()
        number = head if at is None else at
        if not 0 <= number <= head:
            raise UnknownVersionError(f"there is no version {number}, the newest is {head}", parameter="at", head=head)
        contents = [await self.content(source, number) for source in await self.sources()]
        return Snapshot(number, tuple(content for content in contents if content))

    async def changes(self, since: int, until: int) -> Changeset:
        """Return what changed after version ``since`` up to ``until`` (``since <= until``), folded.

        Raises:
            UnknownVersionError: a bound is not a version of this catalogue.
        """
        head = await self.head()
        for bound in (since, until):
            if not 0 <= bound <= head:
                raise UnknownVersionError(f"there is no version {bound}, the newest is {head}", version=bound)
        per_source = [await self._source_changes(name, since, until) for name in await self.sources()]
        return tuple(sorted((change for changes in per_source for change in changes), key=lambda change: change.id))

    async def commit(self, lease: Lease, wanted: Commit) -> Version:
        """Commit ``wanted`` in one atomic step, and return its version with its number.

        Raises:
            FencedError: another runner took the lease.
            StaleHeadError: the source's newest version is not ``wanted.version.previous``.
        """
        source, previous = wanted.version.source, wanted.version.previous
        payload = await asyncio.to_thread(_payload, wanted, keyframe=await self._needs_keyframe(wanted.version))
        for _ in range(_MOVED_ATTEMPTS):
            version = replace(wanted.version, version=await self.head() + 1)
            answer = await self._commit(keys=_commit_keys(source), args=_arguments(lease, wanted, version, payload))
            outcome = bytes(answer[0]).decode()
            if outcome == "OK":
                self._recent[source] = SourceContent(version, wanted.records)
                return version
            if outcome == "FENCED":
                raise FencedError(f"another runner took over {source}", source=source)
            if outcome == "STALE":
                if made := await self._already(wanted.version):
                    return made
                raise StaleHeadError(f"{source} moved past version {previous}", source=source)
        raise StaleHeadError("other sources committed faster than this one", source=source)

    async def _already(self, wanted: Version) -> Version | None:
        """Return the version of an earlier try of the very same commit, whose reply was lost; None if there is none."""
        numbers = await self.line(wanted.source, None, 1)
        newest = await self.version(numbers[0]) if numbers else None
        return newest if newest and replace(newest, version=0) == replace(wanted, version=0) else None

    async def wait_for_event(self, after: int, timeout_ms: int) -> int:
        """Return the newest version past ``after``, waiting up to ``timeout_ms`` for one; ``after`` if none came."""
        answer = await self._ask(
            "XREAD", "COUNT", _EVENTS_READ, "BLOCK", timeout_ms, "STREAMS", keys.EVENTS, f"{after}-0"
        )
        return max((int(id_.split(b"-")[0]) for _, entries in answer or () for id_, _ in entries), default=after)

    async def _numbers(self, source: str, since: int, until: int) -> tuple[int, ...]:
        found = await self._ask("ZRANGEBYSCORE", keys.line(source), f"({since}", until)
        return tuple(int(number) for number in found)

    async def _stored_changesets(self, numbers: Sequence[int]) -> list[bytes]:
        if not numbers:
            return []
        found = await self._ask("HMGET", keys.CHANGESETS, *numbers)
        if missing := [number for number, data in zip(numbers, found, strict=True) if data is None]:
            raise CorruptContentError(f"changesets {missing} are missing", versions=missing)
        return list(found)

    async def _source_changes(self, source: str, since: int, until: int) -> Changeset:
        numbers = await self._numbers(source, since, until)
        if not numbers:
            return ()
        first = await self.version(numbers[0])
        beginning: list[Changeset] = []
        if first.previous is None:
            content = await self.content(source, numbers[0])
            beginning = [tuple(added(record) for record in content.endpoint_sets)] if content else []
            numbers = numbers[1:]
        stored = await self._stored_changesets(numbers)
        return await asyncio.to_thread(lambda: fold([*beginning, *map(codec.unpack_changes, stored)]))

    async def _needs_keyframe(self, version: Version) -> bool:
        if version.previous is None:
            return True
        found = await self._ask("ZREVRANGE", keys.keyframed(version.source), 0, 0)
        if not found:
            return True
        since = await self._ask("ZCOUNT", keys.line(version.source), f"({int(found[0])}", "+inf")
        return int(since) + 1 >= KEYFRAME_EVERY


def _rebuilt(version: Version, keyframe: bytes, changesets: list[bytes]) -> SourceContent:
    records = codec.unpack_records(keyframe)
    if changesets:
        records = apply(records, fold(map(codec.unpack_changes, changesets)))
    if content_digest(records) != version.digest:
        raise CorruptContentError(
            f"the stored content of version {version.version} does not match its digest", version=version.version
        )
    return SourceContent(version, records)


def _payload(wanted: Commit, *, keyframe: bool) -> tuple[bytes, bytes]:
    """Return changeset and keyframe as stored: the first changeset of a source is its keyframe."""
    changeset = b"" if wanted.version.previous is None else codec.pack_changes(wanted.changes)
    return changeset, codec.pack_records(wanted.records) if keyframe else b""


def _commit_keys(source: str) -> list[str]:
    return [
        keys.HEAD, keys.VERSIONS, keys.CHANGESETS, keys.KEYFRAMES, keys.NEWEST, keys.line(source),
        keys.keyframed(source), keys.digests(source), keys.EVENTS, keys.FENCES, keys.STATES, keys.HELD,
        keys.HELD_RECORDS,
    ]  # fmt: skip


def _arguments(lease: Lease, wanted: Commit, version: Version, payload: tuple[bytes, bytes]) -> list[Any]:
    return [
        version.source, lease.fence, version.previous or 0, version.version, version.digest, codec.pack(version),
        *payload, codec.pack(wanted.state), wanted.held_id,
    ]  # fmt: skip
