"""When something was listed: the answer to ``/v1/history``.

In: what `catalog.biography` found. Out: frozen Structs. All times are upstream's (docs/adr/0006), UTC. Called by
`api.reads.biographies`.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from catalog_service.catalog.biography import Deed, Subject
from catalog_service.catalog.lookup import Relation
from catalog_service.views.changes import ChangeView


class Event(Struct, frozen=True, omit_defaults=True):
    """One thing that happened to a member of a record, or to the record asked for."""

    at: datetime
    """Since when it was so upstream."""
    deed: Deed
    source: str
    id: str
    """The record's."""
    version: int | None = None
    """The version that says so; absent where upstream was closed."""
    member: str | None = None
    """The prefix or name; absent where a record was asked for."""
    relation: Relation | None = None
    """How the member relates to what was asked: it is that, or it covers it."""
    or_before: bool = False
    """Came, in the oldest content that is known: it may have been listed before."""
    change: ChangeView | None = None
    """Where a record was asked for: what changed in it."""


class Period(Struct, frozen=True, omit_defaults=True):
    """A time without a break in which something was listed."""

    from_: datetime = field(name="from")
    until: datetime | None = None
    """When it left; absent: nothing is known of an end."""
    or_before: bool = False
    """It begins with the oldest content that is known."""


class Life(Struct, frozen=True):
    """One member, or the record asked for: whoever listed it, and when."""

    name: str
    """The prefix, the name or the record's id."""
    relation: Relation
    listed: bool
    """In what is served now."""
    periods: tuple[Period, ...]
    """In order, never empty; of several records that list a member, their union."""
    sources: tuple[str, ...]
    """Those that ever listed it, sorted."""
    records: tuple[str, ...]
    """Ids of the records that ever held it, sorted."""


class Listing(Struct, frozen=True, omit_defaults=True):
    """A record that listed something at an instant."""

    source: str
    id: str
    version: int
    """The version of the source that was valid then."""
    member: str | None = None
    relation: Relation | None = None


class ThatDay(Struct, frozen=True, omit_defaults=True):
    """Whether it was listed at the instant asked for, and by which records."""

    at: datetime
    listed: bool
    by: tuple[Listing, ...]
    """By record and member; () when it was not listed."""
    unknown: tuple[str, ...] = ()
    """Sources of which nothing is known of that time, sorted: they may have listed it."""


class SeriesPoint(Struct, frozen=True, omit_defaults=True):
    """How many members a record had from an instant on; none at all when it was not listed."""

    at: datetime
    prefixes: int
    fqdns: int
    version: int | None = None
    """Absent where upstream was closed."""


class KnownSince(Struct, frozen=True):
    """The oldest content that is known of a source: what was before it, nobody can tell."""

    source: str
    since: datetime
    version: int


class Biography(Struct, frozen=True, omit_defaults=True):
    """``/v1/history``: everything known of when something was listed; no life and no event: it never was."""

    query: str
    subject: Subject
    """What the query was read as."""
    version: int
    """The newest version of the catalogue, for ``listed``."""
    listed: bool
    """In what is served now."""
    lives: tuple[Life, ...]
    """The most specific first: what was asked itself, then what covers it."""
    events: tuple[Event, ...]
    """Oldest first."""
    known: tuple[KnownSince, ...]
    """Every source that was searched, sorted."""
    looked_up: str | None = None
    """What was looked up, where that is not the query as it stands, such as the host of a URL."""
    first: Event | None = None
    """The first time it was listed."""
    on: ThatDay | None = None
    series: tuple[SeriesPoint, ...] = ()
    """Of a record: one point for each version that changed how many members it has."""
