"""Sources and how they are."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import asdict

from catalog_service.catalog.fresh import is_degraded, is_fresh
from catalog_service.catalog.snapshot import Snapshot
from schema.source import SourceInfo
from schema.version import Counts, HeldVersion, SourceState, Version
from schema.words import Cloud


class SourceView(Struct, frozen=True, omit_defaults=True):
    """A source and how it is.

    ``status``: ``ok``, ``never`` (not read yet), ``failing`` (the last run failed), ``held`` (a version
    waits for a person), ``rejected`` (upstream serves what a person turned down), ``stale`` (upstream serves
    superseded content), ``archive`` (upstream is closed). The last good version is served in every one of them.

    ``fresh`` looks at the clock alone, whatever the reason: was what is served confirmed as upstream's within the
    objective, ``fresh_within_s``? False before it ever was; true of an archive. A source that is served and not fresh
    is named in the header ``X-Catalog-Stale`` of answers.
    """

    name: str
    title: str
    cloud: Cloud
    url: str
    interval_s: int
    status: str
    fresh: bool
    fresh_within_s: int
    version: int | None = None
    upstream_version: str | None = None
    upstream_at: datetime | None = None
    counts: Counts | None = None
    checked_at: datetime | None = None
    ok_at: datetime | None = None
    failures: int = 0
    error: str | None = None
    error_code: str | None = None
    reasons: tuple[str, ...] = ()
    """Why the last document could not be parsed."""
    stale_since: datetime | None = None
    held: str | None = None
    archive: bool = False
    """Upstream is closed: there is imported history, and nothing of it in the newest list."""
    degraded: bool = False
    """What is served may be behind upstream: failing, held, rejected or stale."""
    age_s: int | None = None
    """When degraded: seconds since what is served was known to be what upstream has."""


def source_view(
    source: SourceInfo, snapshot: Snapshot, state: SourceState, held: HeldVersion | None, now: datetime
) -> SourceView:
    """Return ``source`` and how it is at ``now``."""
    content = snapshot.by_source.get(source.name)
    version = content.version if content else None
    known = {name: value for name, value in asdict(state).items() if name in SourceView.__struct_fields__}
    status = _status(version, state, held, archive=source.archive)
    degraded = is_degraded(state, held)
    known |= {name: value for name, value in asdict(source).items() if name != "fresh_s"}
    return SourceView(
        **{
            **known,
            "status": status,
            "fresh": is_fresh(source, state, now),
            "fresh_within_s": source.fresh_within_s,
            "degraded": degraded,
            "age_s": int((now - state.ok_at).total_seconds()) if degraded and state.ok_at else None,
            "version": version.version if version else None,
            "upstream_version": version.upstream_version if version else None,
            "upstream_at": version.upstream_at if version else None,
            "counts": version.counts if version else None,
            "held": held.id if held else None,
        }
    )


def _status(version: Version | None, state: SourceState, held: HeldVersion | None, *, archive: bool) -> str:
    if state.failures:
        return "failing"
    if held:
        return "rejected" if held.rejected_at else "held"
    if state.stale_since:
        return "stale"
    if archive:
        return "archive"
    return "ok" if version else "never"
