"""GraphQL's types of biographies: when a prefix, a name or a record was listed. Structs of `views.biographies`."""

from __future__ import annotations

from datetime import datetime

import strawberry

from catalog_service.api.graphql.change_types import PlainChange
from catalog_service.api.graphql.words import Deed, Relation, Subject


@strawberry.type(description="A time without a break in which something was listed, by upstream's clock.")
class Period:
    from_: datetime = strawberry.field(name="from")
    until: datetime | None = strawberry.field(description="When it left; null: nothing is known of an end.")
    or_before: bool = strawberry.field(description="It begins with the oldest content that is known.")
    until_or_before: bool = strawberry.field(description="It may have left before: versions right before were pruned.")


@strawberry.type(description="One thing that happened to a member of a record, or to the record asked for.")
class HistoryEvent:
    at: datetime = strawberry.field(description="Since when it was so upstream.")
    deed: Deed
    source: str
    id: strawberry.ID = strawberry.field(description="The record's.")
    version: int | None = strawberry.field(description="Null where upstream was closed.")
    member: str | None = strawberry.field(description="The prefix or name; null where a record was asked for.")
    relation: Relation | None
    or_before: bool = strawberry.field(description="In the oldest content known: it may have been listed before.")
    change: PlainChange | None


@strawberry.type(description="One member, or the record asked for: whoever listed it, and when.")
class Life:
    name: str
    relation: Relation
    listed: bool = strawberry.field(description="In what is served now.")
    periods: list[Period]
    sources: list[str] = strawberry.field(description="Those that ever listed it.")
    listed_by: list[str] = strawberry.field(description="Those that list it in what is served now.")
    records: list[str]


@strawberry.type(description="A record that listed something at an instant.")
class Listing:
    source: str
    id: strawberry.ID
    version: int
    member: str | None
    relation: Relation | None


@strawberry.type(description="Whether it was listed at the instant asked for, and by which records.")
class ThatDay:
    at: datetime
    listed: bool
    by: list[Listing]
    unknown: list[str] = strawberry.field(description="Sources nothing is known of at that time.")


@strawberry.type(description="The oldest content that is known of a source.")
class KnownSince:
    source: str
    since: datetime
    version: int


@strawberry.type(description="How many members a record had from an instant on.")
class SeriesPoint:
    at: datetime
    prefixes: int
    fqdns: int
    version: int | None


@strawberry.type(description="Everything known of when something was listed; no life and no event: it never was.")
class Biography:
    query: str
    subject: Subject = strawberry.field(description="What the query was read as.")
    version: int
    listed: bool = strawberry.field(description="In what is served now.")
    lives: list[Life] = strawberry.field(description="The most specific first.")
    events: list[HistoryEvent] = strawberry.field(description="Oldest first.")
    known: list[KnownSince]
    missing: list[str]
    looked_up: str | None
    first: HistoryEvent | None
    on: ThatDay | None
    series: list[SeriesPoint] = strawberry.field(description="Of a record: how its size went.")
