"""Rollback: a person goes back to an earlier version of one source (docs/adr/0009).

That is a new version with the old content. What upstream serves now is turned down with it, as `held.reject`
does, so that the next sync does not publish it again; it can still be accepted. Called by the command line
and by the API.
"""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from catalog_service.catalog.diff import diff
from catalog_service.catalog.snapshot import SourceContent
from catalog_service.store.commits import Commit
from catalog_service.store.connect import Store
from catalog_service.sync.held import REJECTED_KEPT
from catalog_service.sync.record import held_id_of
from schema.change import Changeset, summarize
from schema.clock import Clock
from schema.document import Provenance
from schema.endpoint_set import EndpointSet
from schema.errors import BadParameterError, UnknownDocumentError, UnknownVersionError
from schema.version import AuditEntry, HeldVersion, SourceState, Version

_Held = tuple[HeldVersion, tuple[EndpointSet, ...]]


async def rollback(store: Store, source: str, number: int, who: str, clock: Clock, token: str = "") -> Version | None:
    """Publish the content of ``source``'s version ``number``, live or imported, once more, in ``who``'s name.

    ``token`` is what they showed, for the audit.

    Its provenance is that of the version gone back to. None when what is served is equal to it already.

    Raises:
        UnknownVersionError: the source has no such version, or nothing is served of it.
        GoneError: the version was pruned.
        BadParameterError: it lists nothing: an empty list is never published.
        LeaseTakenError: the source is being synced at this moment.
    """
    async with store.leases.hold_or_refuse(source) as lease:
        served, target = await _both(store, source, number)
        changes = await asyncio.to_thread(diff, served.endpoint_sets, target.endpoint_sets)
        if not changes:
            return None
        held = await store.sources.held_of(source)
        entry = AuditEntry(clock(), who, "rollback", source, str(served.version.version), "", token)
        turned_down = await _turned_down(store, served, target, held, entry)
        wanted = Commit(
            _made(target.version, served.version, changes, entry),
            changes,
            target.endpoint_sets,
            _state(await store.sources.state(source), served, target, held),
            held_id=held.id if held else "",
            hold=turned_down,
            audit=entry,
        )
        return await store.commits.commit(lease, wanted)


async def _both(store: Store, source: str, number: int) -> tuple[SourceContent, SourceContent]:
    """Return what is served of ``source``, and what it goes back to."""
    served = await store.contents.content(source)
    if served is None:
        message = f"nothing of {source} is served: there is nothing to go back from"
        raise UnknownVersionError(message, parameter="source", value=source)
    version = await store.versions.version(number)
    if version.source != source:
        message = f"version {number} is one of {version.source}, not of {source}"
        raise UnknownVersionError(message, parameter="at", value=number)
    target = await store.contents.content_of(version)
    if not target.endpoint_sets:
        raise BadParameterError(f"version {number} of {source} lists nothing", parameter="at", value=number)
    return served, target


def _made(target: Version, served: Version, changes: Changeset, entry: AuditEntry) -> Version:
    return replace(
        target,
        version=0,
        committed_at=entry.at,
        summary=summarize(changes),
        previous=served.version,
        accepted_by=entry.who,
        rolled_back_to=target.version,
        imported=False,
    )


def _state(state: SourceState, served: SourceContent, target: SourceContent, held: HeldVersion | None) -> SourceState:
    """Return the state after: what is served and what is held are turned down, and upstream is read anew, whole."""
    turned_down = dict.fromkeys((served.version.digest, *((held.digest,) if held else ())))
    known = (digest for digest in state.rejected if digest not in turned_down)
    rejected = [digest for digest in (*known, *turned_down) if digest != target.version.digest]
    return replace(
        state,
        ok_at=None,
        stale_since=None,
        rejected=tuple(rejected[-REJECTED_KEPT:]),
        read_at=None,
        etag=None,
        last_modified=None,
        validated_url=None,
        validated_by=None,
        upstream_version=None,
    )


async def _turned_down(
    store: Store, served: SourceContent, target: SourceContent, held: HeldVersion | None, entry: AuditEntry
) -> _Held | None:
    """Return what upstream serves now, as far as is known, as rejected; None where that is what is gone back to."""
    if held is None:
        found = await _as_held(store, served, target, entry)
        return found, served.endpoint_sets
    if held.digest == target.version.digest:
        return None
    rejected = replace(held, rejected_at=held.rejected_at or entry.at, rejected_by=held.rejected_by or entry.who)
    return rejected, await store.sources.held_records(held.id)


async def _as_held(store: Store, served: SourceContent, target: SourceContent, entry: AuditEntry) -> HeldVersion:
    """Return the served content as a version that was turned down in favor of ``target``."""
    version = served.version
    back = await asyncio.to_thread(diff, target.endpoint_sets, served.endpoint_sets)
    return HeldVersion(
        id=held_id_of(version.source, version.digest),
        source=version.source,
        held_at=entry.at,
        reasons=(f"{entry.who} rolled back from it to version {target.version.version}",),
        digest=version.digest,
        counts=version.counts,
        summary=summarize(back),
        provenance=await _provenance(store, version),
        rejected_at=entry.at,
        rejected_by=entry.who,
    )


async def _provenance(store: Store, version: Version) -> Provenance:
    """Return where ``version`` came from, in full where its document is still kept."""
    try:
        kept = (await store.documents.get(version.document)).document.provenance
    except UnknownDocumentError:
        kept = Provenance(version.url, version.fetched_at, version.document)
    return replace(
        kept,
        fetched_at=version.fetched_at,
        etag=None,
        last_modified=None,
        upstream_version=version.upstream_version,
        upstream_at=version.upstream_at,
    )
