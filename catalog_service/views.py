"""The JSON contract: what REST and ``--json`` answer with, and what GraphQL's types are made from.

In: records, versions and matches. Out: frozen Structs that msgspec encodes as they are. A field is
absent when it does not apply; the lists of a change are always there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from catalog_service.catalog.lookup import Match
from catalog_service.catalog.resolve import Unresolved, Via
from catalog_service.catalog.scenarios import Scenario
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import Entry, Note, Unpublished, Use, View
from schema.change import AttributeChange, Change, Changeset, Summary, summarize
from schema.endpoint_set import Attributes, EndpointSet
from schema.fqdn import PatternType, is_mid_wildcard, pattern_type
from schema.source import SourceInfo
from schema.version import Counts, HeldVersion, Point, SourceState, Version
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
    first_seen: int | None = None
    """The first version that listed the record; absent where an older release wrote the data."""
    last_changed: int | None = None
    """The last version that changed it."""


class Pattern(Struct, frozen=True):
    """A name with a hole, or a non-name, that stands among the host names; no allowlist holds it."""

    text: str
    """As upstream writes it."""
    type: PatternType


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
    patterns: tuple[Pattern, ...] = ()
    mid_wildcards: tuple[str, ...] = ()
    """Those of ``fqdns`` whose wildcard is not at the beginning: most firewalls cannot express them."""
    scenarios: tuple[Use, ...] = ()
    """Which of the scenarios asked for want it, and in which direction."""
    via: tuple[Via, ...] = ()
    """The service tags that stand behind its prefixes, where references were resolved; sorted by id."""


class RecordPage(Struct, frozen=True, omit_defaults=True):
    """``/v1/endpoints``: records sorted by id; ``next`` is the cursor of the next page, null on the last.

    What is to be said of the whole answer stands on every page.
    """

    version: int
    items: tuple[Record, ...]
    next: str | None
    as_of: datetime | None = None
    """Set where a date or an imported version was asked for: upstreams as they were then."""
    clouds: tuple[Cloud, ...] = ()
    """Those that scenarios are answered for."""
    unresolved: tuple[Unresolved, ...] = ()
    """References to service tags that have no prefixes here, where they were to be resolved."""
    unpublished: tuple[Unpublished, ...] = ()
    """Scenarios without an answer for a cloud, and why."""
    notes: tuple[Note, ...] = ()
    """What has to be known of scenarios' answers."""
    missing: tuple[str, ...] = ()
    """Sources that the answer could draw from and the catalogue has nothing of."""


class NothingPublished(Struct, frozen=True):
    """A cloud for which Microsoft publishes nothing, and that as a sentence."""

    cloud: Cloud
    sentence: str


class ScenarioView(Struct, frozen=True):
    """A scenario: a question by name, for ``scenario=``."""

    name: str
    title: str
    question: str
    clouds: tuple[Cloud, ...]
    """Those it has an answer for."""
    nothing: tuple[NothingPublished, ...]


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


class Diff(Struct, frozen=True, omit_defaults=True):
    """``/v1/diff``: what leads from one version to another."""

    from_: int = field(name="from")
    to: int
    summary: Summary
    changes: tuple[ChangeView, ...]
    from_as_of: datetime | None = None
    """The instant ``from`` was asked for as, when it was: upstreams as they were then."""
    to_as_of: datetime | None = None


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
    scenarios: tuple[Use, ...] = ()
    """Which of the scenarios asked for want it, and in which direction."""


class Lookup(Struct, frozen=True, omit_defaults=True):
    """``/v1/lookup``: the most specific match first. What is to be said of it is as in `RecordPage`."""

    query: str
    version: int
    matches: tuple[MatchView, ...]
    as_of: datetime | None = None
    clouds: tuple[Cloud, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    unpublished: tuple[Unpublished, ...] = ()
    notes: tuple[Note, ...] = ()
    missing: tuple[str, ...] = ()


class HeldView(Struct, frozen=True):
    """A held version, and what accepting it would change now."""

    held: HeldVersion
    changes: tuple[ChangeView, ...]


class SourceView(Struct, frozen=True, omit_defaults=True):
    """A source and how it is.

    ``status``: ``ok``, ``never`` (not read yet), ``failing`` (the last run failed), ``held`` (a version
    waits for a person), ``rejected`` (upstream serves what a person turned down), ``stale`` (upstream serves
    superseded content), ``archive`` (upstream is closed). The last good version is served in every one of them.
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
    archive: bool = False
    """Upstream is closed: there is imported history, and nothing of it in the newest list."""
    degraded: bool = False
    """What is served may be behind upstream: failing, held, rejected or stale."""
    age_s: int | None = None
    """When degraded: seconds since what is served was known to be what upstream has."""


def entry_view(snapshot: Snapshot, entry: Entry) -> Record:
    """Return a record as published, with the scenarios that want it and the tags it was resolved by."""
    return replace(record_view(snapshot, entry.record), scenarios=entry.scenarios, via=entry.via)


def scenario_view(scenario: Scenario) -> ScenarioView:
    """Return ``scenario`` as published."""
    said = ((cloud, scenario.sentence(cloud)) for cloud in Cloud)
    return ScenarioView(
        name=scenario.name,
        title=scenario.title,
        question=scenario.question,
        clouds=tuple(cloud for cloud in Cloud if scenario.selections(cloud)),
        nothing=tuple(NothingPublished(cloud, sentence) for cloud, sentence in said if sentence),
    )


def record_view(snapshot: Snapshot, record: EndpointSet) -> Record:
    """Return ``record`` of ``snapshot`` as published."""
    content = snapshot.by_source[record.source]
    made_by, mark = content.version, content.marks.get(record.id)
    provenance = RecordProvenance(
        url=made_by.url,
        version=made_by.version,
        fetched_at=made_by.fetched_at,
        document=made_by.document,
        heading=record.heading,
        upstream_version=made_by.upstream_version,
        upstream_at=made_by.upstream_at,
        first_seen=mark.first_seen if mark else None,
        last_changed=mark.last_changed if mark else None,
    )
    fields = {name: getattr(record, name) for name in record.__struct_fields__ if name not in {"heading", "patterns"}}
    return Record(
        **fields,
        provenance=provenance,
        patterns=tuple(Pattern(text, pattern_type(text)) for text in record.patterns),
        mid_wildcards=tuple(filter(is_mid_wildcard, record.fqdns)),
    )


def change_views(changes: Changeset) -> tuple[ChangeView, ...]:
    """Return ``changes`` as published."""
    return tuple(_change_view(change) for change in changes)


def diff_view(since: Point, until: Point, changes: Changeset) -> Diff:
    """Return what leads from ``since`` to ``until``."""
    return Diff(since.version, until.version, summarize(changes), change_views(changes), since.as_of, until.as_of)


def lookup_view(query: str, snapshot: Snapshot, matches: Iterable[Match], found: View) -> Lookup:
    """Return the answer to ``query`` among the records ``found``, or among all where its entries are none."""
    uses = {entry.record.id: entry.scenarios for entry in found.entries}
    return Lookup(
        query,
        snapshot.version,
        tuple(_match_view(match, uses.get(match.record.id, ())) for match in matches),
        snapshot.as_of,
        found.clouds,
        found.unresolved,
        found.unpublished,
        found.notes,
        found.missing,
    )


def source_view(
    source: SourceInfo, snapshot: Snapshot, state: SourceState, held: HeldVersion | None, now: datetime
) -> SourceView:
    """Return ``source`` and how it is at ``now``."""
    content = snapshot.by_source.get(source.name)
    version = content.version if content else None
    known = {name: value for name, value in asdict(state).items() if name in SourceView.__struct_fields__}
    status = _status(version, state, held, archive=source.archive)
    degraded = status in _DEGRADED
    return SourceView(
        **{
            **known,
            **asdict(source),
            "status": status,
            "degraded": degraded,
            "age_s": int((now - state.ok_at).total_seconds()) if degraded and state.ok_at else None,
            "version": version.version if version else None,
            "upstream_version": version.upstream_version if version else None,
            "upstream_at": version.upstream_at if version else None,
            "counts": version.counts if version else None,
            "held": held.id if held else None,
        }
    )


_DEGRADED = frozenset({"failing", "held", "rejected", "stale"})


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


def _change_view(change: Change) -> ChangeView:
    return ChangeView(**{name: getattr(change, name) for name in ChangeView.__struct_fields__})


def _match_view(match: Match, scenarios: tuple[Use, ...]) -> MatchView:
    shared = {name: getattr(match.record, name) for name in _SHARED}
    return MatchView(**shared, prefix=match.prefix, fqdn=match.fqdn, scenarios=scenarios)


_SHARED = tuple(name for name in MatchView.__struct_fields__ if name in EndpointSet.__struct_fields__)
