"""Writing versions: one atomic step each, live or imported. Called by sync under a source's lease."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog
from msgspec import Struct
from msgspec.structs import replace
from redis.asyncio import Redis

from catalog_service.catalog.degraded import announced
from catalog_service.catalog.diff import diff
from catalog_service.catalog.marks import Marks, marked
from catalog_service.catalog.snapshot import SourceContent
from catalog_service.store import codec, commit, keys
from catalog_service.store.audit import log_audit, packed
from catalog_service.store.contents import Contents
from catalog_service.store.documents import Argument, document_arguments
from catalog_service.store.leases import Ask, Lease
from catalog_service.store.sources import hold_arguments
from catalog_service.store.versions import Versions, valid_since
from schema.change import Changeset
from schema.document import Document
from schema.endpoint_set import EndpointSet
from schema.errors import FencedError, StaleHeadError
from schema.version import AuditEntry, HeldVersion, SourceState, Version

KEYFRAME_EVERY = 26
_MOVED_ATTEMPTS = 50
_log = structlog.get_logger()


class Commit(Struct, frozen=True):
    """All that one commit writes. ``version.version`` is given by the commit itself."""

    version: Version
    changes: Changeset
    records: tuple[EndpointSet, ...]
    """The source's whole content after the changes."""
    state: SourceState
    """Of a live version; an imported one leaves the state as it is."""
    held_id: str = ""
    """The source's held version to take down in the same step."""
    hold: tuple[HeldVersion, tuple[EndpointSet, ...]] | None = None
    """A held version and its records to put up in the same step."""
    audit: AuditEntry | None = None
    """Of a live version that a person asked for; ``after`` is then the number it got."""
    document: Document | None = None
    """To be kept with the version."""


Script = Callable[..., Awaitable[list[bytes]]]


class Commits:
    """Commits to Redis. ``documents_kept``: how many documents of each source are kept."""

    def __init__(self, redis: Redis, versions: Versions, contents: Contents, documents_kept: int) -> None:
        self._ask: Ask = redis.execute_command
        self._commit: Script = redis.register_script(commit.COMMIT)
        self._import: Script = redis.register_script(commit.IMPORT)
        self._versions = versions
        self._contents = contents
        self._documents_kept = documents_kept

    async def commit(self, lease: Lease, wanted: Commit) -> Version:
        """Commit ``wanted`` as a live version, in one atomic step, and return its version with its number.

        Raises:
            FencedError: another runner took the lease.
            StaleHeadError: the source's newest version is not ``wanted.version.previous``.
        """
        source, previous = wanted.version.source, wanted.version.previous
        state, notice = announced(source, wanted.state)
        since = await self._since(wanted.version)
        start = await self._live_start(wanted, since)
        for _ in range(_MOVED_ATTEMPTS):
            content, arguments = await self._numbered(lease, wanted, start)
            mine = [since, *self._document(wanted), previous or 0, codec.pack(state), wanted.held_id]
            entry = _told(wanted.audit, content.version)
            mine += [*hold_arguments(wanted.hold), packed(entry), packed(notice)]
            outcome = await _answer(self._commit, source, _commit_keys(source), [*arguments, *mine])
            if outcome == "OK":
                self._contents.remember(content)
                _logged(content.version, lease)
                log_audit(entry)
                return content.version
            if outcome == "STALE":
                if made := await self._already(wanted.version):
                    return made
                raise StaleHeadError(f"{source} moved past version {previous}", source=source)
        raise StaleHeadError("other sources committed faster than this one", source=source)

    async def add_history(
        self, lease: Lease, wanted: Commit, since: datetime, before: SourceContent | None, *, chained: bool, served: str
    ) -> SourceContent:
        """Write ``wanted`` as an imported version, valid since ``since``; its changes are those since ``before``.

        ``chained``: this import added ``before`` last, so the changes alone are stored. ``served`` is the digest
        of the document that must stay kept. Raises FencedError, StaleHeadError.
        """
        source = wanted.version.source
        start = _Start(before.marks if before else {}, wanted.changes, chained)
        for _ in range(_MOVED_ATTEMPTS):
            content, arguments = await self._numbered(lease, wanted, start)
            mine = [since.timestamp(), *self._document(wanted, since), served]
            keys_ = _version_keys(source, imported=True)
            if await _answer(self._import, source, keys_, [*arguments, *mine]) == "OK":
                return content
        raise StaleHeadError("other sources committed faster than this one", source=source)

    def _document(self, wanted: Commit, at: datetime | None = None) -> list[Argument]:
        return document_arguments(wanted.document, self._documents_kept, at)

    async def _numbered(self, lease: Lease, wanted: Commit, start: _Start) -> tuple[SourceContent, list[Argument]]:
        """Return ``wanted`` with the next number, and the arguments that both scripts begin with."""
        version = replace(wanted.version, version=await self._versions.last() + 1)
        content = SourceContent(version, wanted.records, marked(start.marks, [(version.version, start.changes)]))
        keyframe = not start.chained or await self._needs_keyframe(version)
        payload = await asyncio.to_thread(_payload, wanted, content, chained=start.chained, keyframe=keyframe)
        return content, [version.source, lease.fence, version.version, version.digest, codec.pack(version), *payload]

    async def _since(self, version: Version) -> float:
        before = await self._versions.since(version.previous) if version.previous else None
        return valid_since(version, before.timestamp() if before else None)

    async def _live_start(self, wanted: Commit, since: float) -> _Start:
        """Return what a live version goes on from; a source's first one from the history imported before it."""
        source = wanted.version.source
        if wanted.version.previous:
            content = await self._contents.content(source)
            return _Start(content.marks if content else {}, wanted.changes, chained=True)
        number = await self._versions.valid(source, datetime.fromtimestamp(since, UTC))
        if number is None:
            return _Start({}, wanted.changes, chained=False)
        earlier = await self._contents.content_of(await self._versions.version(number))
        changes = await asyncio.to_thread(diff, earlier.endpoint_sets, wanted.records)
        return _Start(earlier.marks, changes, chained=False)

    async def _already(self, wanted: Version) -> Version | None:
        """Return the version of an earlier try of the very same commit, whose reply was lost; None if there is none."""
        numbers = await self._versions.line(wanted.source, None, 1)
        newest = await self._versions.version(numbers[0]) if numbers else None
        return newest if newest and replace(newest, version=0) == replace(wanted, version=0) else None

    async def _needs_keyframe(self, version: Version) -> bool:
        found = await self._ask("ZREVRANGE", keys.keyframed(version.source, imported=version.imported), 0, 0)
        if not found:
            return True
        line = keys.line(version.source, imported=version.imported)
        return int(await self._ask("ZCOUNT", line, f"({int(found[0])}", "+inf")) + 1 >= KEYFRAME_EVERY


class _Start(Struct, frozen=True):
    """What a version goes on from: the marks before it, and the changes since."""

    marks: Marks
    changes: Changeset
    chained: bool
    """The changes are stored; else the version begins a chain, with a keyframe."""


def _logged(made: Version, lease: Lease) -> None:
    """Log the one line of a commit."""
    counts, by = made.summary, made.accepted_by
    _log.info(
        "commit",
        version=made.version,
        source=made.source,
        endpoint_sets=made.counts.endpoint_sets,
        prefixes=f"+{counts.prefixes_added} -{counts.prefixes_removed}",
        fqdns=f"+{counts.fqdns_added} -{counts.fqdns_removed}",
        fence=lease.fence,
        **({"by": by} if by else {}),
    )


async def _answer(script: Script, source: str, keys_: list[str], arguments: list[Argument]) -> str:
    outcome = bytes((await script(keys=keys_, args=arguments))[0]).decode()
    if outcome == "FENCED":
        raise FencedError(f"another runner took over {source}", source=source)
    return outcome


def _told(entry: AuditEntry | None, made: Version) -> AuditEntry | None:
    return replace(entry, after=str(made.version)) if entry else None


def _payload(wanted: Commit, content: SourceContent, *, chained: bool, keyframe: bool) -> tuple[bytes, bytes, bytes]:
    """Return changeset, keyframe and marks as stored: a chain's first changeset is its keyframe."""
    changeset = codec.pack_changes(wanted.changes) if chained else b""
    if not keyframe:
        return changeset, b"", b""
    return changeset, codec.pack_records(wanted.records), codec.pack_marks(content.marks)


def _version_keys(source: str, *, imported: bool = False) -> list[str]:
    return [
        keys.LAST, keys.VERSIONS, keys.CHANGESETS, keys.KEYFRAMES, keys.MARKS, keys.line(source, imported=imported),
        keys.keyframed(source, imported=imported), keys.TIMELINE, keys.timeline(source), keys.SOURCES,
        keys.digests(source), keys.documents(source), keys.fetched(source), keys.FENCES, keys.HEAD,
    ]  # fmt: skip


def _commit_keys(source: str) -> list[str]:
    own = [keys.LINE, keys.LIVE, keys.EVENTS, keys.STATES, keys.HELD, keys.HELD_RECORDS, keys.AUDIT]
    return [*_version_keys(source), *own]
