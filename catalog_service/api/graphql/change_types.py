"""GraphQL's types of versions, what changed between them, and versions held back."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from catalog_service.api.graphql.words import Disposition
from catalog_service.views import changes as views
from schema.errors import BadParameterError


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
    missing: list[str] = strawberry.field(description="Sources nothing is known of at one of the two instants.")


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
