"""GraphQL's types of versions, what changed between them, versions held back, labels and the audit."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from catalog_service.api.graphql import pages
from catalog_service.api.graphql.asked import Context
from catalog_service.api.graphql.nodes import Node
from catalog_service.api.graphql.pages import PageInfo
from catalog_service.api.graphql.words import Cloud, Direction, Disposition, Impact, Kind, Significance
from catalog_service.views import diffs as views
from catalog_service.views.diffs import ChangeView, change_view
from schema import version as words
from schema.version import Point

CHANGES_DEFAULT, CHANGES_MOST = 100, 5000
_CHANGES = f"Sorted by id: the first {CHANGES_DEFAULT} unless told otherwise, at most {CHANGES_MOST}."


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


@strawberry.type(description="One field or upstream attribute before and after.")
class AttributeChange:
    name: str
    previous: JSON | None
    current: JSON | None


@strawberry.type(description="One change by itself.")
class PlainChange:
    id: strawberry.ID
    disposition: Disposition
    prefixes_added: list[str]
    prefixes_removed: list[str]
    fqdns_added: list[str]
    fqdns_removed: list[str]
    attributes: list[AttributeChange]


@strawberry.type(description="A change by itself, and where it stands in the list.")
class PlainChangeEdge:
    cursor: str = strawberry.field(resolver=pages.cursor)
    node: PlainChange


@strawberry.type(description="Changes of one version, sorted by id.")
class PlainChangeConnection:
    edges: list[PlainChangeEdge] = pages.answered(pages.edges, list[PlainChangeEdge])
    nodes: list[PlainChange]
    page_info: PageInfo
    total_count: int


def change_page(
    kind: str, point: Point, changes: tuple[views.DiffEntry, ...] | tuple[ChangeView, ...], asked: pages.Slice
) -> pages.Page:
    """Return a page of ``changes``; its cursors fit this very list alone."""
    names = "\n".join(change.id for change in changes)
    return pages.numbered(f"{kind}\n{names}", point, changes, asked)


async def changes_of(
    info: Context,
    parent: strawberry.Parent[words.Version],
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> pages.Page:
    """Return a page of what a version changed in its source. Raises GoneError where that was pruned."""
    asked = pages.sliced(first, after, last, before, default=CHANGES_DEFAULT, most=CHANGES_MOST)
    found = await info.context.reader.store.contents.changes_of(parent)
    return change_page("version", Point(parent.version), tuple(map(change_view, found)), asked)


def _version_id(parent: strawberry.Parent[words.Version]) -> strawberry.ID:
    return strawberry.ID(str(parent.version))


@strawberry.type(description="One immutable version: the whole catalogue after one source's changes.")
class Version(Node):
    id: strawberry.ID = strawberry.field(resolver=_version_id, description="Its number.")
    version: int
    source: str = strawberry.field(description="The source that made it; all others are as they were.")
    fetched_at: datetime
    committed_at: datetime
    digest: str = strawberry.field(description="Of the source's content: equal content has an equal digest.")
    counts: Counts
    summary: Summary
    url: str
    document: str = strawberry.field(description="Digest of the fetched bytes.")
    previous: int | None = strawberry.field(description="The source's version before this one.")
    upstream_version: str | None
    upstream_at: datetime | None
    accepted_by: str | None
    rolled_back_to: int | None = strawberry.field(
        description="The earlier version whose content a person brought back with this one."
    )
    imported: bool = strawberry.field(description="History from a file: valid from `upstreamAt` on, never the newest.")
    changes: PlainChangeConnection | None = pages.answered(
        changes_of, PlainChangeConnection | None, f"What it changed in its source. {_CHANGES}", first=CHANGES_DEFAULT
    )

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Tell a version from other nodes."""
        return isinstance(value, words.Version)


@strawberry.type(description="A version, and where it stands in the list.")
class VersionEdge:
    cursor: str = strawberry.field(resolver=pages.cursor)
    node: Version


@strawberry.type(description="Versions, newest first.")
class VersionConnection:
    edges: list[VersionEdge] = pages.answered(pages.edges, list[VersionEdge])
    nodes: list[Version]
    page_info: PageInfo
    total_count: int


@strawberry.type(description="Some addresses: the fewest prefixes that cover them, and how many there are, as text.")
class Extent:
    prefixes: list[str]
    ipv4_addresses: str
    ipv6_addresses: str


@strawberry.type(description="What was covered by nothing before and is now, and the other way round.")
class AddressSpace:
    gained: Extent
    lost: Extent


@strawberry.type(description="One endpoint set between two versions, and what that asks of a customer.")
class Change:
    id: strawberry.ID
    disposition: Disposition
    source: str
    service: str
    title: str
    impact: Impact
    significance: Significance
    prefixes_added: list[str]
    prefixes_removed: list[str]
    fqdns_added: list[str]
    fqdns_removed: list[str]
    attributes: list[AttributeChange]
    cloud: Cloud | None
    clouds: list[Cloud]
    region: str | None
    direction: Direction | None
    space: AddressSpace | None = strawberry.field(description="Addresses that this record gained and lost.")


@strawberry.type(description="A change, and where it stands in the list.")
class ChangeEdge:
    cursor: str = strawberry.field(resolver=pages.cursor)
    node: Change


@strawberry.type(description="Changes, sorted by id.")
class ChangeConnection:
    edges: list[ChangeEdge] = pages.answered(pages.edges, list[ChangeEdge])
    nodes: list[Change]
    page_info: PageInfo
    total_count: int


def _changes(
    parent: strawberry.Parent[views.Diff | views.HeldView],
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> pages.Page:
    asked = pages.sliced(first, after, last, before, default=CHANGES_DEFAULT, most=CHANGES_MOST)
    if isinstance(parent, views.HeldView):
        return change_page(f"held {parent.held.id}", Point(0), parent.changes, asked)
    kind, until = f"diff {parent.from_} {parent.from_as_of}", Point(parent.to, parent.to_as_of)
    return change_page(kind, until, parent.changes, asked)


@strawberry.type(description="A prefix or name that left some records of a source and came into others.")
class Move:
    source: str
    kind: Kind
    member: str
    from_ids: list[str]
    to_ids: list[str]


@strawberry.type(description="What leads from one version to another.")
class Diff:
    from_: int = strawberry.field(name="from")
    to: int
    summary: Summary = strawberry.field(description="Counts of all the changes, whatever page of them is asked for.")
    changes: ChangeConnection = pages.answered(_changes, ChangeConnection, _CHANGES, first=CHANGES_DEFAULT)
    moves: list[Move] = strawberry.field(description="They are among the changes, too.")
    from_as_of: datetime | None
    to_as_of: datetime | None
    missing: list[str] = strawberry.field(description="Sources nothing is known of at one of the two instants.")
    space: AddressSpace | None = strawberry.field(description="What all of them gained and lost together.")


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
class HeldVersion(Node):
    id: strawberry.ID
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

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Tell a held version from other nodes."""
        return isinstance(value, words.HeldVersion)


@strawberry.type(description="A held version, and what accepting it would change now.")
class HeldView:
    held: HeldVersion
    changes: ChangeConnection = pages.answered(_changes, ChangeConnection, _CHANGES, first=CHANGES_DEFAULT)


@strawberry.type(description="A name that a person gave to a version; `at` takes it.")
class Label:
    name: str
    version: int
    set_at: datetime
    set_by: str


@strawberry.type(description="One thing that a person did to the catalogue.")
class AuditEntry:
    at: datetime
    who: str = strawberry.field(description="The token's name, or whom its bearer named with `by`.")
    action: str = strawberry.field(description="Such as label-set, accept, rollback, sync or token-create.")
    subject: str = strawberry.field(description="The source, the label's or filter's name, or an id.")
    before: str
    after: str
    token: str = strawberry.field(description="Id of the token shown; operator: that of the settings; cli: a command.")
