"""When something was listed, by whom, when it left and returned.

In: the chronicles of the sources, and what is asked about. Out: stays, periods and counts over time, pure values.
Called by `views.biographies` and `api.reads.biographies`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from socket import AF_INET, AF_INET6, inet_ntop

from msgspec import Struct, field

from catalog_service.catalog.chronicle import Chronicle, Moment
from catalog_service.catalog.lookup import Relation, specificity
from catalog_service.catalog.target import Target
from schema.prefix import Block
from schema.words import Disposition


class Subject(StrEnum):
    """What a biography is of."""

    ADDRESS = "address"
    PREFIX = "prefix"
    FQDN = "fqdn"
    RECORD = "record"


class Deed(StrEnum):
    """What happened to a member of a record, or to a record."""

    CAME = "came"
    LEFT = "left"
    RETURNED = "returned"
    CHANGED = "changed"
    """Of a record: it stayed, and something in it is different."""


class Stay(Struct, frozen=True):
    """A time in which a record held a member, or in which a record was listed."""

    source: str
    record: str
    came: Moment
    left: Moment | None
    """None: no end is known."""
    or_before: bool
    """It may have come before: what was right before is not known."""
    served: bool
    """It lasts in what is served now."""

    def lasted_at(self, at: datetime) -> bool:
        """Tell whether ``at`` lies in it."""
        return self.came.at <= at and (self.left is None or at < self.left.at)


class Period(Struct, frozen=True, omit_defaults=True):
    """A time without a break in which something was listed."""

    from_: datetime = field(name="from")
    until: datetime | None = None
    """When it left; absent: nothing is known of an end."""
    or_before: bool = False
    """It may begin before: with the oldest content that is known, or after versions that were pruned."""
    until_or_before: bool = False
    """It may end before ``until``: versions right before that were pruned."""


class SeriesPoint(Struct, frozen=True, omit_defaults=True):
    """How many members a record had from an instant on; none at all when it was not listed."""

    at: datetime
    prefixes: int
    fqdns: int
    version: int | None = None
    """Absent where upstream was closed."""


def members_of(chronicles: tuple[Chronicle, ...], target: Target) -> tuple[tuple[str, Relation], ...]:
    """Return every member ever listed that is ``target`` or covers it, the most specific first."""
    if target.block:
        itself, candidates = target.prefix, list(_around(target.block))
    else:
        itself, wildcards = target.text, {one for each in chronicles for one in each.wildcards.covering(target.text)}
        candidates = [itself, *sorted(wildcards, key=specificity, reverse=True)]
    listed = (one for one in candidates if any(one in chronicle.spans for chronicle in chronicles))
    return tuple((one, Relation.EXACT if one == itself else Relation.COVERS) for one in listed)


def member_stays(chronicle: Chronicle, member: str, served: int | None) -> tuple[Stay, ...]:
    """Return who held ``member`` when; ``served``: the step that is served now, None where nothing of the source is."""
    moments = chronicle.moments
    return tuple(
        Stay(
            chronicle.source,
            span.record,
            moments[span.came],
            None if span.left is None else moments[span.left],
            chronicle.is_vague(span.came),
            served is not None and span.covers(served),
        )
        for span in chronicle.spans.get(member, ())
    )


def record_stays(chronicle: Chronicle, id_: str, served: int | None) -> tuple[Stay, ...]:
    """Return when the record ``id_`` was listed; ``served`` as in `member_stays`."""
    turns = [turn for turn in chronicle.turns.get(id_, ()) if turn.change.disposition is not Disposition.CHANGE]
    ends: list[int | None] = [turn.step for turn in turns[1::2]]
    return tuple(
        Stay(
            chronicle.source,
            id_,
            chronicle.moments[turn.step],
            None if left is None else chronicle.moments[left],
            chronicle.is_vague(turn.step),
            served is not None and turn.step <= served and (left is None or served < left),
        )
        for turn, left in zip(turns[::2], [*ends, None], strict=False)
    )


def periods(stays: Iterable[Stay]) -> tuple[Period, ...]:
    """Return the times without a break in which any of ``stays`` lasted: who left as another came made no break."""
    joined: list[Period] = []
    for stay in sorted(stays, key=lambda one: (one.came.at, not one.or_before)):
        until, vague = (stay.left.at, stay.left.gap_from is not None) if stay.left else (None, False)
        period = Period(stay.came.at, until, stay.or_before, vague)
        if joined and (joined[-1].until is None or period.from_ <= joined[-1].until):
            last = joined.pop()
            longer = period if last.until and (until is None or until > last.until) else last
            joined.append(Period(last.from_, longer.until, last.or_before, longer.until_or_before))
        else:
            joined.append(period)
    return tuple(joined)


def record_series(chronicle: Chronicle, id_: str) -> tuple[SeriesPoint, ...]:
    """Return how many prefixes and names the record ``id_`` had over time, a point for each change of these."""
    prefixes = fqdns = 0
    points: list[SeriesPoint] = []
    for turn in chronicle.turns.get(id_, ()):
        change, moment = turn.change, chronicle.moments[turn.step]
        prefixes += len(change.prefixes_added) - len(change.prefixes_removed)
        fqdns += len(change.fqdns_added) - len(change.fqdns_removed)
        if not points or (points[-1].prefixes, points[-1].fqdns) != (prefixes, fqdns):
            points.append(SeriesPoint(moment.at, prefixes, fqdns, moment.version or None))
    return tuple(points)


def _around(block: Block) -> Iterator[str]:
    """Yield every block that holds ``block``, itself first: a look-up for each is quicker than any tree is built."""
    family, bits = (AF_INET, 32) if block.family == 4 else (AF_INET6, 128)
    for length in range(block.length, -1, -1):
        first = block.first >> (bits - length) << (bits - length)
        yield f"{inet_ntop(family, first.to_bytes(bits // 8))}/{length}"
