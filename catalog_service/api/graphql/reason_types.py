"""GraphQL's types for why an answer holds what it holds, and what it lacks: the Structs of `catalog`, field by field.

Scenarios, references to service tags, conflicts. Used by `record_types` and `query`.
"""

from __future__ import annotations

from datetime import datetime

import strawberry

from catalog_service.api.graphql import pages
from catalog_service.api.graphql.pages import PageInfo
from catalog_service.api.graphql.words import Cloud, ConflictKind, Direction


@strawberry.type(description="A scenario that wants an endpoint set, and in which direction.")
class ScenarioUse:
    scenario: str
    direction: Direction


@strawberry.type(description="A service tag that stands behind prefixes, and the version and document it is of.")
class Via:
    tag: str
    id: str
    source: str
    version: int
    document: str = strawberry.field(description="Digest of the fetched file.")


@strawberry.type(description="A reference to a service tag that has no prefixes here.")
class Unresolved:
    by: str = strawberry.field(description="The endpoint set that refers to it, or `scenario:` and its name.")
    tag: str
    cloud: Cloud
    source: str
    unread: bool = strawberry.field(description="Whether its file was not read yet.")
    unasked: bool = strawberry.field(description="Whether `resolve: TAGS` was not asked for.")


@strawberry.type(description="A scenario without an answer for a cloud, and why.")
class Unpublished:
    scenario: str
    cloud: Cloud
    sentence: str


@strawberry.type(description="What has to be known of a scenario's answer for a cloud.")
class Note:
    scenario: str
    cloud: Cloud
    sentence: str


@strawberry.type(description="An endpoint set that members of an allowlist come from.")
class Origin:
    id: str
    source: str
    direction: Direction | None
    scenarios: list[ScenarioUse]
    via: list[Via]


@strawberry.type(description="A cloud for which Microsoft publishes nothing.")
class NothingPublished:
    cloud: Cloud
    sentence: str


@strawberry.type(description="A question by name, for the filter's `scenario`.")
class Scenario:
    name: str
    title: str
    question: str
    clouds: list[Cloud] = strawberry.field(description="Those it has an answer for.")
    nothing: list[NothingPublished]


@strawberry.type(description="One source, and what it says of a conflict's subject.")
class ConflictParty:
    source: str
    ids: list[str]
    says: list[str]
    only: list[str] = strawberry.field(description="What no other party says.")
    lacks: list[str] = strawberry.field(description="What others say and this one does not.")


@strawberry.type(description="One subject that sources disagree on, or that is flagged.")
class Conflict:
    kind: ConflictKind
    subject: str
    parties: list[ConflictParty]
    clouds: list[Cloud]
    region: str | None
    direction: Direction | None


@strawberry.type(description="A conflict, and where it stands in the list.")
class ConflictEdge:
    cursor: str = strawberry.field(resolver=pages.cursor)
    node: Conflict


@strawberry.type(description="Conflicts and flags, sorted by kind and subject.")
class ConflictConnection:
    edges: list[ConflictEdge] = pages.answered(pages.edges, list[ConflictEdge])
    nodes: list[Conflict]
    page_info: PageInfo
    total_count: int
    version: int
    missing: list[str] = strawberry.field(description="Sources without a part in it, as they were not read yet.")
    as_of: datetime | None
