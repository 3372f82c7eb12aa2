"""When something was listed: the answer to ``/v1/history``.

In: what `catalog.biography` found. Out: frozen Structs. All times are upstream's (docs/adr/0006), UTC. Called by
`api.reads.biographies`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from catalog_service.catalog.biography import Deed, Period, SeriesPoint, Stay, Subject, periods
from catalog_service.catalog.chronicle import Chronicle
from catalog_service.catalog.lookup import Relation
from catalog_service.views.diffs import ChangeView, change_view
from schema.words import Disposition


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
    """It may have happened before: what was right before is not known, or was pruned."""
    change: ChangeView | None = None
    """Where a record was asked for: what changed in it."""


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
    listed_by: tuple[str, ...]
    """Those of them that list it in what is served now."""
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
    """In what is served now, itself or by what covers it."""
    lives: tuple[Life, ...]
    """The most specific first: what was asked itself, then what covers it."""
    events: tuple[Event, ...]
    """Oldest first."""
    known: tuple[KnownSince, ...]
    """Every source that was searched, sorted."""
    missing: tuple[str, ...] = ()
    """Sources that were to be searched and of which nothing is known at all."""
    looked_up: str | None = None
    """What was looked up, where that is not the query as it stands, such as the host of a URL."""
    first: Event | None = None
    """The first time it was listed."""
    on: ThatDay | None = None
    series: tuple[SeriesPoint, ...] = ()
    """Of a record: one point for each version that changed how many members it has."""


def life(name: str, relation: Relation, stays: tuple[Stay, ...]) -> Life:
    """Return the life of a member or record out of all its ``stays``, at least one."""
    return Life(
        name,
        relation,
        any(stay.served for stay in stays),
        periods(stays),
        tuple(sorted({stay.source for stay in stays})),
        tuple(sorted({stay.source for stay in stays if stay.served})),
        tuple(sorted({stay.record for stay in stays})),
    )


def member_events(member: str, relation: Relation, stays: Iterable[Stay]) -> Iterator[Event]:
    """Yield what happened to ``member`` in each record: it came, left, returned."""
    met: set[str] = set()
    for stay in stays:
        deed = Deed.RETURNED if stay.record in met else Deed.CAME
        met.add(stay.record)
        about = (stay.source, stay.record)
        yield Event(stay.came.at, deed, *about, stay.came.version, member, relation, stay.or_before)
        if stay.left:
            vague = stay.left.gap_from is not None
            yield Event(stay.left.at, Deed.LEFT, *about, stay.left.version or None, member, relation, vague)


def record_events(chronicle: Chronicle, id_: str) -> Iterator[Event]:
    """Yield every change of the record ``id_``, with what changed."""
    for place, turn in enumerate(chronicle.turns.get(id_, ())):
        moment, view = chronicle.moments[turn.step], change_view(turn.change)
        yield Event(
            moment.at,
            Deed.RETURNED if place and view.disposition is Disposition.ADD else _DEEDS[view.disposition],
            chronicle.source,
            id_,
            moment.version or None,
            or_before=chronicle.is_vague(turn.step),
            change=view,
        )


_DEEDS = {Disposition.ADD: Deed.CAME, Disposition.CHANGE: Deed.CHANGED, Disposition.REMOVE: Deed.LEFT}
