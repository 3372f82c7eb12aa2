"""What upstream offers, beside what is served: compared and judged, without I/O.

In: a document and the source's content. Out: a `Candidate`, whether it is a stale mirror's, and every
reason to hold it. Called by the spine.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from catalog_service.catalog.diff import diff
from catalog_service.catalog.guard import unsafe_reasons
from catalog_service.catalog.snapshot import SourceContent
from catalog_service.sync.stage import stage
from schema.change import Changeset
from schema.document import Document, Provenance
from schema.endpoint_set import EndpointSet, content_digest
from schema.version import SourceState
from scrapers.source import Source

STALE_FOR = timedelta(days=3)
"""How long superseded content is taken for a stale mirror before a person is asked (sources.md T2)."""


class Candidate(Struct, frozen=True):
    """A source's content as upstream has it now, beside what is served."""

    provenance: Provenance
    records: tuple[EndpointSet, ...]
    digest: str
    """Empty when nothing changed."""
    changes: Changeset
    document: Document | None = None
    """To be kept with what becomes of it; None where it is not at hand any more."""


def compared(source: Source, document: Document, previous: SourceContent | None) -> Candidate:
    """Read ``document`` and compare it with what is served. Raises ParseError."""
    with stage("parse"):
        reading = source.records(document)
    provenance = replace(
        document.provenance,
        upstream_version=reading.upstream_version or document.provenance.upstream_version,
        upstream_at=reading.upstream_at or document.provenance.upstream_at,
    )
    with stage("compare"):
        changes = diff(previous.endpoint_sets if previous else (), reading.endpoint_sets)
        digest = content_digest(reading.endpoint_sets) if changes else ""
    return Candidate(provenance, reading.endpoint_sets, digest, changes, Document(document.body, provenance))


def is_stale(previous: SourceContent | None, candidate: Candidate, superseded: int | None) -> bool:
    """Tell content that was here before, or is older by upstream's own date, from news (sources.md T2)."""
    return superseded is not None or (previous is not None and _upstream_order(previous, candidate) < 0)


def insists(candidate: Candidate, previous: SourceContent | None, state: SourceState, now: datetime) -> bool:
    """Tell an upstream that means it: it dates old content anew, or has served it for days. A person decides."""
    newer = previous is not None and _upstream_order(previous, candidate) > 0
    return newer or (state.stale_since is not None and now - state.stale_since >= STALE_FOR)


def _upstream_order(previous: SourceContent, candidate: Candidate) -> int:
    """Return 1, 0 or -1: the candidate's own date is newer, the same or unknown, or older."""
    served, offered = previous.version.upstream_at, candidate.provenance.upstream_at
    return 0 if served is None or offered is None else (offered > served) - (offered < served)


def reasons_to_hold(
    source: Source, previous: SourceContent | None, candidate: Candidate, superseded: int | None
) -> tuple[str, ...]:
    """Return every reason to ask a person before ``candidate`` is published."""
    before = previous.endpoint_sets if previous else ()
    reasons = unsafe_reasons(source.guard, before, candidate.records, candidate.changes)
    if superseded is not None:
        reasons = (f"upstream went back to the content of version {superseded}", *reasons)
    elif previous and _upstream_order(previous, candidate) < 0:
        reasons = ("upstream went back to an older date", *reasons)
    return reasons
