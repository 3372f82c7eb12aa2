"""The spine. `sync_once` is the documentation of the program: read it top down."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from catalog_service.catalog.snapshot import SourceContent
from catalog_service.metrics import FETCHED_BYTES
from catalog_service.release import RELEASE
from catalog_service.store.connect import Store
from catalog_service.store.leases import Lease
from catalog_service.sync.candidate import Candidate, compared, insists, is_stale, reasons_to_hold
from catalog_service.sync.record import answered, hold, publish, refuse, served, settle
from catalog_service.sync.stage import stage
from schema.clock import Clock
from schema.errors import ParseError
from schema.version import AuditEntry, SourceState, Version
from scrapers.source import Source
from scrapers.upstream import Upstream


async def sync_once(
    source: Source, upstream: Upstream, store: Store, lease: Lease, clock: Clock, audit: AuditEntry | None
) -> Version | None:
    """Bring ``source`` up to date: the new version, None: nothing new to publish. ``audit``: a person asked for it.

    Raises:
        FetchError, ParseError: nothing is published; the last good version goes on being served.
        UnsafeChangesetError: the guard refused; the candidate is held for a person (``facts["held"]``).
        StaleHeadError, FencedError: another runner was first.
    """
    previous, state = await store.contents.content(source.name), await store.sources.state(source.name)
    with stage("fetch"):
        document = await source.read(upstream, _asked(state), clock())
    if document is None:
        await settle(store, lease, served(state, None, clock()))
        return None
    FETCHED_BYTES.labels(source.name).inc(len(document.body))
    try:
        candidate = await asyncio.to_thread(compared, source, document, previous)
    except ParseError:
        await refuse(store, lease, state, previous, document)
        raise
    if not candidate.changes:
        await settle(store, lease, served(state, candidate.provenance, clock()), previous, document)
        return None
    rejected = candidate.digest in state.rejected
    superseded = None if rejected else await _superseded(source, store, previous, candidate)
    published = await _published(store, previous)
    stale = is_stale(published, candidate, superseded) and not insists(candidate, published, state, clock())
    if stale and not rejected:
        await settle(store, lease, replace(answered(state, clock()), stale_since=state.stale_since or clock()))
        return None
    reasons = await asyncio.to_thread(reasons_to_hold, source, published, candidate, superseded)
    if reasons or rejected:
        held = await hold(store, lease, previous, candidate, answered(state, clock()), reasons, audit)
        if rejected:
            return None
        raise held
    with stage("commit"):
        return await publish(store, lease, previous, candidate, clock(), asked=audit)


async def _superseded(source: Source, store: Store, previous: SourceContent | None, candidate: Candidate) -> int | None:
    """Return the version whose content upstream went back to, None when it did not.

    The document that is served, read otherwise by another parser, is no step back.
    """
    if previous is None or candidate.provenance.digest == previous.version.document:
        return None
    return await store.versions.superseded(source.name, candidate.digest, previous.version.version)


async def _published(store: Store, previous: SourceContent | None) -> SourceContent | None:
    """Return what is served; after a rollback, under upstream's date of what was served before it.

    A person went back then, and not upstream: what it dates in between is no news.
    """
    if previous is None:
        return None
    version = previous.version
    while version.rolled_back_to and version.previous:
        version = await store.versions.version(version.previous)
    return replace(previous, version=replace(previous.version, upstream_at=version.upstream_at))


def _asked(state: SourceState) -> SourceState:
    """Return ``state`` without what an older parser's reading stood behind: the document is read again, whole."""
    if state.validated_by == RELEASE:
        return state
    return replace(state, etag=None, last_modified=None, validated_url=None, upstream_version=None)
