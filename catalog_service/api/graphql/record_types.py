"""GraphQL's types of endpoint sets, and of answers made of them: the Structs of `views`, field by field."""

from __future__ import annotations

from datetime import datetime

import strawberry

from catalog_service.api.graphql import pages
from catalog_service.api.graphql.asked import Context
from catalog_service.api.graphql.history_types import Biography
from catalog_service.api.graphql.nodes import Node
from catalog_service.api.graphql.pages import PageInfo
from catalog_service.api.graphql.reason_types import Note, Origin, ScenarioUse, Unpublished, Unresolved, Via
from catalog_service.api.graphql.words import Cloud, Direction, PatternType, Relation
from catalog_service.api.reads.biographies import biography
from catalog_service.views import biographies
from catalog_service.views.records import Record


@strawberry.type(description="Where an endpoint set comes from, at the version asked for.")
class RecordProvenance:
    url: str
    version: int = strawberry.field(description="The version that made its source's content.")
    fetched_at: datetime
    document: str = strawberry.field(description="Digest of the fetched bytes.")
    heading: list[str] = strawberry.field(description="Heading path of its table or list in the document.")
    upstream_version: str | None
    upstream_at: datetime | None
    first_seen: int | None = strawberry.field(description="The first version that listed it.")
    last_changed: int | None = strawberry.field(description="The last version that changed it.")


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


async def _history(info: Context, parent: strawberry.Parent[Record], on: str | None = None) -> biographies.Biography:
    return await biography(info.context.reader, info.context.sources, parent.id, (), on)


@strawberry.type(description="One published group of destinations with the same attributes.")
class EndpointSet(Node):
    id: strawberry.ID = strawberry.field(description="`source:key`, the same in every version.")
    source: str
    service: str
    title: str
    provenance: RecordProvenance
    cloud: Cloud | None = strawberry.field(description="The one cloud it is published for.")
    clouds: list[Cloud] = strawberry.field(description="Two or more, where one row speaks for several clouds.")
    region: str | None = strawberry.field(description="Code of the region (see `regions`); null: not regional.")
    direction: Direction | None
    prefixes: list[str] = strawberry.field(description="Canonical CIDR: IPv4, then IPv6, sorted.")
    fqdns: list[str] = strawberry.field(description="Lower case, may hold `*`, sorted.")
    tcp_ports: list[str] = strawberry.field(description="A port, or a range such as 3478-3481.")
    udp_ports: list[str]
    protocols: list[str]
    category: str | None = strawberry.field(description="As Microsoft 365 uses it: Optimize, Allow or Default.")
    required: bool | None
    service_tags: list[str] = strawberry.field(description="Azure service tags that it refers to.")
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
    history: Biography | None = pages.answered(
        _history, Biography | None, "When it was listed, and every change of it."
    )

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Tell an endpoint set from other nodes."""
        return isinstance(value, Record)


@strawberry.type(description="An endpoint set, and where it stands in the list.")
class EndpointSetEdge:
    cursor: str = strawberry.field(resolver=pages.cursor)
    node: EndpointSet


@strawberry.type(description="Endpoint sets of one version, sorted by id.")
class EndpointSetConnection:
    edges: list[EndpointSetEdge] = pages.answered(pages.edges, list[EndpointSetEdge])
    nodes: list[EndpointSet]
    page_info: PageInfo
    total_count: int
    version: int
    as_of: datetime | None = strawberry.field(description="Set where `at` is a date: upstreams as they were then.")
    clouds: list[Cloud] = strawberry.field(description="Those that scenarios are answered for.")
    unresolved: list[Unresolved]
    unpublished: list[Unpublished]
    notes: list[Note]
    missing: list[str] = strawberry.field(description="Sources that the answer could draw from, not read yet.")


@strawberry.type(description="One endpoint set that covers what was looked up, and the member that does.")
class Match:
    id: strawberry.ID
    source: str
    service: str
    title: str
    relation: Relation
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
    looked_up: str | None = strawberry.field(description="Where that is not the query as it stands: a URL's host.")
    as_of: datetime | None
    clouds: list[Cloud] = strawberry.field(description="Those that scenarios are answered for.")
    unresolved: list[Unresolved]
    unpublished: list[Unpublished]
    notes: list[Note]
    missing: list[str] = strawberry.field(description="Sources that the answer could draw from, not read yet.")


@strawberry.type(description="One line of many: its matches, or why it could not be looked up.")
class LookupItem:
    query: str
    matches: list[Match] | None = strawberry.field(description="Empty: nothing holds it. Null beside an error.")
    looked_up: str | None
    error: str | None


@strawberry.type(description="An item for each line, in their order.")
class BulkLookup:
    version: int
    items: list[LookupItem]
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
