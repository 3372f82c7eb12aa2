"""GraphQL's types: the Structs of `views` and `schema`, field by field, in GraphQL's casing.

Resolvers return those Structs as they are; strawberry reads plain attributes off them, never methods
(limits-and-faults.md A4: methods on leaves cost three times as much). `plain` reads UNSET as null.
"""

from __future__ import annotations

from datetime import UTC, datetime

import strawberry
from msgspec import UNSET
from strawberry.scalars import JSON

from catalog_service import views
from catalog_service.api.graphql_reasons import Note, Origin, ScenarioUse, Unpublished, Unresolved, Via
from catalog_service.api.graphql_words import Cloud, Direction, Disposition, PatternType
from schema.errors import BadParameterError


def plain(value: object, name: str) -> object:
    """Return the attribute ``name``; None where the upstream does not say."""
    found = getattr(value, name)
    return None if found is UNSET else found


def utc_text(moment: datetime) -> str:
    """Return ``moment`` as REST writes it: ISO 8601, UTC, with a Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


DATE_TIME = strawberry.scalar(
    name="DateTime", description="ISO 8601, UTC, ending in Z.", serialize=utc_text, parse_value=datetime.fromisoformat
)


@strawberry.type(description="Size of a source's content. Prefixes and fqdns are (endpoint set, member) pairs.")
class Counts:
    endpoint_sets: int
    prefixes: int
    fqdns: int


@strawberry.type(description="Counts of changes. Prefixes and fqdns are (endpoint set, member) pairs.")
class Summary:
    endpoint_sets_added: int
    endpoint_sets_removed: int
    endpoint_sets_changed: int
    prefixes_added: int
    prefixes_removed: int
    fqdns_added: int
    fqdns_removed: int


@strawberry.type(description="What is read, and how it is: the last good version is served whatever the status.")
class Source:
    name: str
    title: str
    cloud: Cloud
    url: str
    interval_s: int
    archive: bool = strawberry.field(description="Upstream is closed: history only.")
    status: str = strawberry.field(description="ok, never, failing, held, rejected, stale or archive.")
    degraded: bool = strawberry.field(description="What is served may be behind upstream.")
    age_s: int | None = strawberry.field(
        description="When degraded: seconds since what is served was known to be what upstream has."
    )
    version: int | None
    upstream_version: str | None
    upstream_at: datetime | None
    counts: Counts | None
    checked_at: datetime | None
    ok_at: datetime | None
    failures: int
    error: str | None
    error_code: str | None
    stale_since: datetime | None
    held: str | None = strawberry.field(description="Id of the version that waits for a person.")


@strawberry.type(description="One immutable version: the whole catalogue after one source's changes.")
class Version:
    version: int
    source: str
    fetched_at: datetime
    committed_at: datetime
    digest: str
    counts: Counts
    summary: Summary
    url: str
    document: str = strawberry.field(description="Digest of the fetched bytes.")
    previous: int | None = strawberry.field(description="The source's version before this one.")
    upstream_version: str | None
    upstream_at: datetime | None
    accepted_by: str | None
    imported: bool = strawberry.field(description="History from a file: valid from `upstreamAt` on, never the newest.")


@strawberry.type(description="Versions, newest first.")
class VersionPage:
    items: list[Version]
    next: str | None = strawberry.field(description="Give it as `after` for the next page; null on the last.")


@strawberry.type(description="Where an endpoint set comes from, at the version asked for.")
class RecordProvenance:
    url: str
    version: int
    fetched_at: datetime
    document: str
    heading: list[str]
    upstream_version: str | None
    upstream_at: datetime | None
    first_seen: int | None
    last_changed: int | None


@strawberry.type(description="What an upstream says beyond the common fields, in its own words.")
class Attributes:
    change_number: int | None
    region_id: int | None
    platform: str | None
    system_service: str | None
    network_features: list[str] | None
    express_route: bool | None
    service_area: str | None
    service_area_display_name: str | None
    endpoint_type: str | None
    when: str | None
    upstream_region: str | None
    gateway_regions: list[str] | None


@strawberry.type(description="A name with a hole, or a non-name, among the host names; no allowlist holds it.")
class Pattern:
    text: str = strawberry.field(description="As upstream writes it.")
    type: PatternType


@strawberry.type(description="One published group of destinations with the same attributes.")
class EndpointSet:
    id: str
    source: str
    service: str
    title: str
    provenance: RecordProvenance
    cloud: Cloud | None
    clouds: list[Cloud] = strawberry.field(description="Two or more, where one row speaks for several clouds.")
    region: str | None
    direction: Direction | None
    prefixes: list[str]
    fqdns: list[str]
    tcp_ports: list[str]
    udp_ports: list[str]
    protocols: list[str]
    category: str | None
    required: bool | None
    service_tags: list[str]
    purpose: str | None
    attributes: Attributes | None
    patterns: list[Pattern]
    mid_wildcards: list[str] = strawberry.field(
        description="Those of fqdns whose wildcard is not at the beginning: most firewalls cannot express them."
    )
    scenarios: list[ScenarioUse] = strawberry.field(description="Which of the scenarios asked for want it.")
    via: list[Via] = strawberry.field(
        description="The service tags behind its prefixes, where references were resolved."
    )


@strawberry.type(description="Endpoint sets of one version, sorted by id.")
class EndpointSetPage:
    version: int
    items: list[EndpointSet]
    next: str | None = strawberry.field(description="Give it as `after` for the next page; null on the last.")
    as_of: datetime | None = strawberry.field(description="Set where `at` is a date: upstreams as they were then.")
    clouds: list[Cloud] = strawberry.field(description="Those that scenarios are answered for.")
    unresolved: list[Unresolved]
    unpublished: list[Unpublished]
    notes: list[Note]
    missing: list[str] = strawberry.field(description="Sources that the answer could draw from, not read yet.")


@strawberry.type(description="One field or upstream attribute before and after.")
class AttributeChange:
    name: str
    previous: JSON | None
    current: JSON | None


@strawberry.type(description="One endpoint set between two versions.")
class Change:
    id: str
    disposition: Disposition
    prefixes_added: list[str]
    prefixes_removed: list[str]
    fqdns_added: list[str]
    fqdns_removed: list[str]
    attributes: list[AttributeChange]


def _changes(
    parent: strawberry.Parent[views.Diff | views.HeldView], first: int | None = None
) -> tuple[views.ChangeView, ...]:
    if first is not None and first < 0:
        raise BadParameterError("first is 0 or more", parameter="first", value=first)
    return parent.changes[:first]


def _changes_field() -> list[Change]:
    """Make a field of the parent's changes, all of them or the first few: one version may change thousands."""
    return strawberry.field(resolver=_changes, graphql_type=list[Change], description="Sorted by id.")  # type: ignore[return-value]


@strawberry.type(description="What leads from one version to another.")
class Diff:
    from_: int = strawberry.field(name="from")
    to: int
    summary: Summary
    changes: list[Change] = _changes_field()
    from_as_of: datetime | None
    to_as_of: datetime | None


@strawberry.type(description="One endpoint set that covers what was looked up, and the member that does.")
class Match:
    id: str
    source: str
    service: str
    title: str
    prefix: str | None
    fqdn: str | None
    cloud: Cloud | None
    clouds: list[Cloud]
    region: str | None
    direction: Direction | None
    category: str | None
    protocols: list[str]
    tcp_ports: list[str]
    udp_ports: list[str]
    scenarios: list[ScenarioUse] = strawberry.field(description="Which of the scenarios asked for want it.")


@strawberry.type(description="What covers an address, a block or a name; the most specific match first.")
class Lookup:
    query: str
    version: int
    matches: list[Match]
    as_of: datetime | None
    clouds: list[Cloud] = strawberry.field(description="Those that scenarios are answered for.")
    unresolved: list[Unresolved]
    unpublished: list[Unpublished]
    notes: list[Note]
    missing: list[str] = strawberry.field(description="Sources that the answer could draw from, not read yet.")


@strawberry.type(description="Unique prefixes and names; never empty.")
class Allowlist:
    version: int
    prefixes: list[str]
    fqdns: list[str]
    origins: list[Origin] = strawberry.field(description="Only with scenarios or resolved references; sorted by id.")
    clouds: list[Cloud] = strawberry.field(description="Those that scenarios are answered for.")
    unresolved: list[Unresolved]
    unpublished: list[Unpublished]
    notes: list[Note]
    missing: list[str] = strawberry.field(description="Sources that the answer could draw from, not read yet.")
    as_of: datetime | None = strawberry.field(description="Set where `at` is a date: upstreams as they were then.")


@strawberry.type(description="The document a version was read from.")
class Provenance:
    url: str
    fetched_at: datetime
    digest: str
    media_type: str
    page_url: str | None
    upstream_version: str | None
    upstream_at: datetime | None


@strawberry.type(description="Changes the guard refused, waiting for a person; the last good version is served.")
class HeldVersion:
    id: str
    source: str
    held_at: datetime
    reasons: list[str]
    digest: str
    counts: Counts
    summary: Summary
    provenance: Provenance
    base: int | None
    rejected_at: datetime | None = strawberry.field(description="When a person turned it down; it can be accepted yet.")
    rejected_by: str | None


@strawberry.type(description="A held version, and what accepting it would change now.")
class HeldView:
    held: HeldVersion
    changes: list[Change] = _changes_field()


@strawberry.type(description="An Azure region. `code` is its ARM name, or the only name upstream gave it.")
class Region:
    code: str
    name: str
    clouds: list[Cloud]
    geography: str | None = strawberry.field(description="Code of the Power Platform geography at home there.")
    staging: bool = strawberry.field(description="Not for customers: a canary, a stage, or a region never opened.")
    spellings: list[str] = strawberry.field(description="Further spellings, besides code and name.")


@strawberry.type(description="A Power Platform geography.")
class Geography:
    code: str
    name: str
    clouds: list[Cloud]
    regions: list[str] = strawberry.field(description="Codes of its Azure regions; empty where none is documented.")
    spellings: list[str] = strawberry.field(description="Further spellings, besides code and name.")


@strawberry.type(description="A spelling of a source's records that the crosswalk does not know; kept as written.")
class UnknownRegion:
    spelling: str
    source: str
    endpoint_set_count: int


@strawberry.type(description="Every region and geography; case, white space, hyphens and dots do not count.")
class Regions:
    version: int
    regions: list[Region]
    geographies: list[Geography]
    unknown: list[UnknownRegion]
