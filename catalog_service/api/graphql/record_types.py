"""GraphQL's types of endpoint sets, and of answers made of them: the Structs of `views`, field by field."""

from __future__ import annotations

from datetime import datetime

import strawberry

from catalog_service.api.graphql.reason_types import Note, Origin, ScenarioUse, Unpublished, Unresolved, Via
from catalog_service.api.graphql.words import Cloud, Direction, PatternType


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
