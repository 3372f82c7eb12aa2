"""The JSON contract: what REST and ``--json`` answer with, and what GraphQL's types are made from.

In: records, versions and matches. Out: frozen Structs that msgspec encodes as they are. A field is
absent when it does not apply; the lists of a change are always there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import asdict

from catalog_service.catalog.lookup import Match
from catalog_service.catalog.snapshot import Snapshot
from schema.change import AttributeChange, Change, Changeset, Summary, summarize
from schema.endpoint_set import Attributes, EndpointSet
from schema.source import SourceInfo
from schema.version import Counts, HeldVersion, SourceState, Version
from schema.words import Cloud, Direction, Disposition


class RecordProvenance(Struct, frozen=True, omit_defaults=True):
    """Where a record comes from, at the version asked for."""

    url: str
    version: int
    """The version that made its source's content."""
    fetched_at: datetime
    document: str
    """Digest of the fetched bytes."""
    heading: tuple[str, ...] = ()
    upstream_version: str | None = None
    upstream_at: datetime | None = None


class Record(Struct, frozen=True, omit_defaults=True):
    """An endpoint set as it is published; fields as in `EndpointSet`."""

    id: str
    source: str
    service: str
    title: str
    provenance: RecordProvenance
    cloud: Cloud | None = None
    clouds: tuple[Cloud, ...] = ()
    region: str | None = None
    direction: Direction | None = None
    prefixes: tuple[str, ...] = ()
    fqdns: tuple[str, ...] = ()
    tcp_ports: tuple[str, ...] = ()
    udp_ports: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    category: str | None = None
    required: bool | None = None
    service_tags: tuple[str, ...] = ()
    purpose: str | None = None
    attributes: Attributes | None = None


class RecordPage(Struct, frozen=True):
    """``/v1/endpoints``: records sorted by id; ``next`` is the cursor of the next page, null on the last."""

    version: int
    items: tuple[Record, ...]
    next: str | None


class VersionPage(Struct, frozen=True):
    """``/v1/versions``: newest first."""

    items: tuple[Version, ...]
    next: str | None


class ChangeView(Struct, frozen=True):
    """One change; every list is there, empty or not."""

    id: str
    disposition: Disposition
    prefixes_added: tuple[str, ...]
    prefixes_removed: tuple[str, ...]
    fqdns_added: tuple[str, ...]
    fqdns_removed: tuple[str, ...]
    attributes: tuple[AttributeChange, ...]


class Diff(Struct, frozen=True):
    """``/v1/diff``: what leads from one version to another."""

    from_: int = field(name="from")
    to: int
    summary: Summary
    changes: tuple[ChangeView, ...]


class MatchView(Struct, frozen=True, omit_defaults=True):
    """One record that covers what was looked up, and the member that does."""

    id: str
    source: str
    service: str
    title: str
    prefix: str | None = None
    fqdn: str | None = None
    cloud: Cloud | None = None
    clouds: tuple[Cloud, ...] = ()
    region: str | None = None
    direction: Direction | None = None
    category: str | None = None
    protocols: tuple[str, ...] = ()
    tcp_ports: tuple[str, ...] = ()
    udp_ports: tuple[str, ...] = ()


class Lookup(Struct, frozen=True):
    """``/v1/lookup``: the most specific match first."""

    query: str
    version: int
    matches: tuple[MatchView, ...]


class HeldView(Struct, frozen=True):
    """A held version, and what accepting it would change now."""

    held: HeldVersion
    changes: tuple[ChangeView, ...]


class SourceView(Struct, frozen=True, omit_defaults=True):
    """A source and how it is.

    ``status``: ``ok``, ``never`` (not read yet), ``failing`` (the last run failed), ``held`` (a version
    waits for a person), ``rejected`` (upstream serves what a person turned down), ``stale`` (upstream serves
    superseded content). The last good version is served in every one of them.
    """

    name: str
    title: str
    cloud: Cloud
    url: str
    interval_s: int
    status: str
    version: int | None = None
    upstream_version: str | None = None
    upstream_at: datetime | None = None
    counts: Counts | None = None
    checked_at: datetime | None = None
    ok_at: datetime | None = None
    failures: int = 0
    error: str | None = None
    error_code: str | None = None
    stale_since: datetime | None = None
    held: str | None = None


def record_view(snapshot: Snapshot, record: EndpointSet) -> Record:
    """Return ``record`` of ``snapshot`` as published."""
    made_by = snapshot.by_source[record.source].version
    provenance = RecordProvenance(
        url=made_by.url,
        version=made_by.version,
        fetched_at=made_by.fetched_at,
        document=made_by.document,
        heading=record.heading,
        upstream_version=made_by.upstream_version,
        upstream_at=made_by.upstream_at,
    )
    fields = {name: getattr(record, name) for name in record.__struct_fields__ if name != "heading"}
    return Record(**fields, provenance=provenance)


def change_views(changes: Changeset) -> tuple[ChangeView, ...]:
    """Return ``changes`` as published."""
    return tuple(_change_view(change) for change in changes)


def diff_view(since: int, until: int, changes: Changeset) -> Diff:
    """Return what leads from version ``since`` to ``until``."""
    return Diff(since, until, summarize(changes), change_views(changes))


def lookup_view(query: str, snapshot: Snapshot, matches: Iterable[Match]) -> Lookup:
    """Return the answer to ``query``."""
    return Lookup(query, snapshot.version, tuple(_match_view(match) for match in matches))


def source_view(source: SourceInfo, snapshot: Snapshot, state: SourceState, held: HeldVersion | None) -> SourceView:
    """Return ``source`` and how it is."""
    content = snapshot.by_source.get(source.name)
    version = content.version if content else None
    known = {name: value for name, value in asdict(state).items() if name in SourceView.__struct_fields__}
    return SourceView(
        **{
            **known,
            **asdict(source),
            "status": _status(version, state, held),
            "version": version.version if version else None,
            "upstream_version": version.upstream_version if version else None,
            "upstream_at": version.upstream_at if version else None,
            "counts": version.counts if version else None,
            "held": held.id if held else None,
        }
    )


def _status(version: Version | None, state: SourceState, held: HeldVersion | None) -> str:
    if state.failures:
        return "failing"
    if held:
        return "rejected" if held.rejected_at else "held"
    if state.stale_since:
        return "stale"
    return "ok" if version else "never"


def _change_view(change: Change) -> ChangeView:
    return ChangeView(**{name: getattr(change, name) for name in ChangeView.__struct_fields__})


def _match_view(match: Match) -> MatchView:
    shared = {name: getattr(match.record, name) for name in _SHARED}
    return MatchView(**shared, prefix=match.prefix, fqdn=match.fqdn)


_SHARED = tuple(name for name in MatchView.__struct_fields__ if name in EndpointSet.__struct_fields__)
