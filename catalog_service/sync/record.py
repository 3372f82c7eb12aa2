"""What a run of a source leaves in the store: a version, a held version, or only its state."""

from __future__ import annotations

import hashlib
from datetime import datetime

from msgspec.structs import replace

from catalog_service.catalog.snapshot import SourceContent
from catalog_service.release import RELEASE
from catalog_service.store.commits import Commit
from catalog_service.store.connect import Store
from catalog_service.store.leases import Lease
from catalog_service.sync.candidate import Candidate
from schema.change import summarize
from schema.document import Document, Provenance
from schema.errors import UnsafeChangesetError
from schema.version import AuditEntry, HeldVersion, SourceState, Version, count


async def publish(
    store: Store,
    lease: Lease,
    previous: SourceContent | None,
    candidate: Candidate,
    now: datetime,
    accepted: AuditEntry | None = None,
    asked: AuditEntry | None = None,
) -> Version:
    """Commit ``candidate``; a held version of the source is taken down with it. Raises as `Commits.commit`.

    ``accepted`` tells of the person who released it, when the guard had held it, ``asked`` of one who had it synced.
    """
    provenance = candidate.provenance
    state = served(await store.sources.state(lease.source), provenance, now)
    rejected = tuple(digest for digest in state.rejected if digest != candidate.digest)
    state = replace(state, rejected=rejected, last_document=None)
    held = await store.sources.held_of(lease.source)
    held_id = held.id if held else ""
    version = replace(version_of(lease.source, candidate, previous, now), accepted_by=accepted and accepted.who)
    audit, document = accepted or asked, candidate.document
    wanted = Commit(version, candidate.changes, candidate.records, state, held_id, document=document, audit=audit)
    return await store.commits.commit(lease, wanted)


def version_of(source: str, candidate: Candidate, previous: SourceContent | None, now: datetime) -> Version:
    """Return the version that ``candidate`` makes after ``previous``, committed ``now``; its commit numbers it."""
    provenance = candidate.provenance
    return Version(
        version=0,
        source=source,
        fetched_at=provenance.fetched_at,
        committed_at=now,
        digest=candidate.digest,
        counts=count(candidate.records),
        summary=summarize(candidate.changes),
        url=provenance.url,
        document=provenance.digest,
        previous=previous.version.version if previous else None,
        upstream_version=provenance.upstream_version,
        upstream_at=provenance.upstream_at,
    )


async def hold(
    store: Store,
    lease: Lease,
    previous: SourceContent | None,
    candidate: Candidate,
    state: SourceState,
    reasons: tuple[str, ...],
    asked: AuditEntry | None = None,
) -> UnsafeChangesetError:
    """Put ``candidate`` up for a person, in place of an older one, and return the error that says so.

    Content that a person rejected before is put up as rejected: seen, and nobody is asked again. ``asked`` tells of a
    person who had it synced.
    """
    source, rejected = lease.source, candidate.digest in state.rejected
    older = await store.sources.held_of(source)
    id_ = held_id_of(source, candidate.digest)
    same = older if older and older.id == id_ else None
    held = _held_version(id_, source, candidate, previous, reasons, same, rejected=rejected)
    await store.sources.record(
        lease,
        replace(state, last_document=None),
        drop=older.id if older and not same else "",
        hold=(held, candidate.records),
        keep=candidate.document,
        served=_served_document(previous),
        audit=replace(asked, after=f"held {id_}") if asked and not rejected else None,
    )
    message = f"{source}: held for a person as {id_}: {'; '.join(reasons)}"
    return UnsafeChangesetError(message, reasons=reasons, held=id_, source=source)


def held_id_of(source: str, digest: str) -> str:
    """Return the id under which content ``digest`` of ``source`` is held."""
    return hashlib.sha256(f"{source}\n{digest}".encode()).hexdigest()[:12]


async def settle(
    store: Store,
    lease: Lease,
    state: SourceState,
    previous: SourceContent | None = None,
    document: Document | None = None,
) -> None:
    """Record a run that publishes nothing; upstream no longer shows what was held, so that is taken down.

    ``document`` is one that said nothing new beside ``previous``: it is kept as the last one.
    """
    held = await store.sources.held_of(lease.source)
    await _record_last(store, lease, state, previous, document, drop=held.id if held else "")


async def refuse(
    store: Store, lease: Lease, state: SourceState, previous: SourceContent | None, document: Document
) -> None:
    """Keep ``document``, which could not be parsed, as the last one."""
    await _record_last(store, lease, state, previous, document, drop="")


async def _record_last(
    store: Store,
    lease: Lease,
    state: SourceState,
    previous: SourceContent | None,
    document: Document | None,
    *,
    drop: str,
) -> None:
    """Write ``state``, with ``document`` in place of the last document of which no version was made."""
    served, older = _served_document(previous), state.last_document or ""
    if document is None:
        await store.sources.record(lease, state, drop=drop, served=served)
        return
    digest = document.provenance.digest if document.provenance.digest != served else ""
    await store.sources.record(
        lease,
        replace(state, last_document=digest or None),
        drop=drop,
        keep=document if digest else None,
        served=served,
        drop_document=older if older != digest else "",
    )


def _served_document(previous: SourceContent | None) -> str:
    return previous.version.document if previous else ""


def answered(state: SourceState, now: datetime) -> SourceState:
    """Return the state after upstream gave a document that could be read, whatever becomes of it."""
    return replace(state, checked_at=now, failures=0, error=None, error_code=None, reasons=())


def served(state: SourceState, provenance: Provenance | None, now: datetime) -> SourceState:
    """Return the state after upstream was seen to have what is served."""
    settled = replace(answered(state, now), ok_at=now, stale_since=None)
    if provenance is None:
        return settled
    return replace(
        settled,
        read_at=provenance.fetched_at,
        etag=provenance.etag,
        last_modified=provenance.last_modified,
        validated_url=provenance.url,
        validated_by=RELEASE,
        upstream_version=provenance.upstream_version,
    )


def _held_version(
    id_: str,
    source: str,
    candidate: Candidate,
    previous: SourceContent | None,
    reasons: tuple[str, ...],
    same: HeldVersion | None,
    *,
    rejected: bool,
) -> HeldVersion:
    """Return ``candidate`` as it is put up; ``same`` is the same content that was put up before."""
    provenance = candidate.provenance
    return HeldVersion(
        id=id_,
        source=source,
        held_at=same.held_at if same else provenance.fetched_at,
        rejected_at=(same and same.rejected_at) or provenance.fetched_at if rejected else None,
        rejected_by=same.rejected_by if same else None,
        reasons=reasons or ("a person turned this content down",),
        digest=candidate.digest,
        counts=count(candidate.records),
        summary=summarize(candidate.changes),
        provenance=provenance,
        base=previous.version.version if previous else None,
    )
