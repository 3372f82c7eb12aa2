"""What is asked of a diff: which changes, how they are to be judged, what they gain and lose.

In: the changes that lead from one point to another, and every record afterwards, by id: what was before follows from
both, so the earlier point is never loaded. Out: a `Comparison`. Pure; called by `api.reads.diffs` and `api.reads.held`.

A filter over records keeps a change whose record passes before or after; of what is left, `trim` takes out members
that are not asked for. Impact and significance are those of the whole change, whatever part of it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from catalog_service.catalog.diff import FIELDS
from catalog_service.catalog.fold import changed
from catalog_service.catalog.impact import Verdict, judge
from catalog_service.catalog.moves import Move, Pair, moves
from catalog_service.catalog.select import Filter, select
from catalog_service.catalog.space import AddressSpace, Spans, address_space, shift
from catalog_service.catalog.trim import trimmed
from schema.change import AttributeChange, Change, Changeset, Summary, summarize
from schema.endpoint_set import EndpointSet
from schema.errors import CorruptContentError
from schema.words import Disposition, Family, Impact, Kind, Only, Significance

ADD, CHANGE, REMOVE = Disposition.ADD, Disposition.CHANGE, Disposition.REMOVE


class DiffFilter(Struct, frozen=True, omit_defaults=True):
    """What to keep of a diff. Empty keeps everything; several values of one field are alternatives."""

    records: Filter = Filter()
    """Which records; its kinds are those of the members shown, and it asks for no scenario."""
    family: Family = Family.BOTH
    """Of prefixes; names and references have none and stay."""
    only: Only | None = None
    impacts: tuple[Impact, ...] = ()
    material: bool = False
    """Leave out what is noise."""


def _fields_of(wanted: DiffFilter) -> Filter:
    """Return the filter over records: kinds have no part in it."""
    return replace(wanted.records, kinds=())


class Compared(Struct, frozen=True):
    """One change, as far as it was asked for."""

    change: Change
    record: EndpointSet
    """As it is now, or as it last was."""
    impact: Impact
    significance: Significance
    space: AddressSpace | None = None


class Comparison(Struct, frozen=True):
    """What was asked of a diff."""

    summary: Summary
    """Counts of the entries."""
    entries: tuple[Compared, ...]
    """Sorted by id."""
    moves: tuple[Move, ...]
    """Those with a part in an entry: the member is among what it shows."""
    space: AddressSpace | None = None
    """What all records that pass gained and lost together, of the families and the side asked for; neither impact nor
    significance has a say in it."""


def compare(
    changes: Changeset, after: Mapping[str, EndpointSet], wanted: DiffFilter, *, space: bool = False
) -> Comparison:
    """Return what ``wanted`` asks of ``changes``, which led to ``after``; with ``space``, addresses gained and lost.

    Raises:
        CorruptContentError: a change is of a record that ``after`` does not hold.
    """
    pairs = tuple(pair_of(change, after) for change in _of_sources(changes, wanted.records.sources))
    passing = _passing(pairs, wanted)
    met = moves(pairs)
    verdicts = _judged(pairs, met, after, passing.before | passing.after)
    entries = tuple(one for verdict in verdicts if (one := _compared(verdict, wanted, space=space)))
    whole = _told(*_whole(pairs, passing, after, wanted), wanted) if space else None
    return Comparison(summarize([one.change for one in entries]), entries, _shown(met, entries), whole)


class _Passing(Struct, frozen=True):
    """Ids of the changed records that pass the filter as they were, and as they are."""

    before: frozenset[str]
    after: frozenset[str]


def _of_sources(changes: Changeset, sources: tuple[str, ...]) -> Changeset:
    wanted = {source.casefold() for source in sources}
    return tuple(one for one in changes if one.id.partition(":")[0].casefold() in wanted) if wanted else changes


def pair_of(change: Change, after: Mapping[str, EndpointSet]) -> Pair:
    """Return ``change``, which led to ``after``, with its record at either end. Raises CorruptContentError."""
    if change.disposition is ADD:
        return Pair(change, None, change.record)
    if change.disposition is REMOVE:
        return Pair(change, change.record, None)
    record = after.get(change.id)
    if record is None:
        raise CorruptContentError(f"Change of {change.id}, which is not there", id=change.id)
    return Pair(change, _fields_before(record, change), record)


def _fields_before(record: EndpointSet, change: Change) -> EndpointSet:
    """Return ``record`` with its fields as they were; its members are left as they are."""
    own = tuple(AttributeChange(one.name, one.current, one.previous) for one in change.attributes if one.name in FIELDS)
    return changed(record, Change(change.id, CHANGE, attributes=own)) if own else record


def _passing(pairs: tuple[Pair, ...], wanted: DiffFilter) -> _Passing:
    def ids(records: Iterable[EndpointSet | None]) -> frozenset[str]:
        return frozenset(record.id for record in select(filter(None, records), _fields_of(wanted)))

    return _Passing(ids(pair.before for pair in pairs), ids(pair.after for pair in pairs))


def _judged(
    pairs: tuple[Pair, ...], met: tuple[Move, ...], after: Mapping[str, EndpointSet], chosen: frozenset[str]
) -> Iterator[Verdict]:
    """Yield the verdicts of the pairs ``chosen``; those of a source are judged together, chosen or not."""
    by_source: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_source.setdefault(pair.record.source, []).append(pair)
    asked = {source for source, several in by_source.items() if any(one.change.id in chosen for one in several)}
    listed: dict[str, list[EndpointSet]] = {source: [] for source in asked}
    for record in after.values():
        if record.source in listed:
            listed[record.source].append(record)
    for source in sorted(asked):
        own = [move for move in met if move.source == source]
        yield from judge(tuple(by_source[source]), own, tuple(listed[source]), chosen)


def _compared(verdict: Verdict, wanted: DiffFilter, *, space: bool) -> Compared | None:
    if wanted.impacts and verdict.impact not in wanted.impacts:
        return None
    if wanted.material and verdict.significance is not Significance.MATERIAL:
        return None
    change = trimmed(verdict.pair.change, wanted.records.kinds, wanted.family, wanted.only)
    if change is None:
        return None
    own = _told(verdict.gained, verdict.lost, wanted) if space else None
    return Compared(change, verdict.pair.record, verdict.impact, verdict.significance, own)


def _whole(
    pairs: tuple[Pair, ...], passing: _Passing, after: Mapping[str, EndpointSet], wanted: DiffFilter
) -> tuple[Spans, Spans]:
    """Return what the records that pass gained and lost together: a record that only passes now brings all it holds."""
    moved = {pair.change.id for pair in pairs}
    stays = select((record for record in after.values() if record.id not in moved), _fields_of(wanted))
    kept = set(chain.from_iterable(record.prefixes for record in stays))
    added, removed = set[str](), set[str]()
    for pair in pairs:
        change, id_ = pair.change, pair.change.id
        unmoved = set(pair.after.prefixes).difference(change.prefixes_added) if pair.after else set()
        if id_ in passing.before and id_ in passing.after:
            kept |= unmoved
        elif id_ in passing.before:
            removed |= unmoved
        elif id_ in passing.after:
            added |= unmoved
        added.update(change.prefixes_added if id_ in passing.after else ())
        removed.update(change.prefixes_removed if id_ in passing.before else ())
    return shift(added, removed, kept)


def _told(gained: Spans, lost: Spans, wanted: DiffFilter) -> AddressSpace:
    """Return the space as far as it was asked for: of the families and the side, nothing where no prefix is."""
    kinds = wanted.records.kinds
    families = wanted.family.numbers if not kinds or Kind.PREFIX in kinds else ()
    sides = ((gained, Only.REMOVED), (lost, Only.ADDED))
    told = [tuple(one for one in spans if one[0] in families and wanted.only is not other) for spans, other in sides]
    return address_space(*told)


def _shown(met: tuple[Move, ...], entries: tuple[Compared, ...]) -> tuple[Move, ...]:
    """Return the moves whose member an entry shows."""
    changes = {one.change.id: one.change for one in entries}
    came, left = {to for move in met for to in move.to_ids}, {id_ for move in met for id_ in move.from_ids}
    added = {id_: {*one.prefixes_added, *one.fqdns_added} for id_, one in changes.items() if id_ in came}
    removed = {id_: {*one.prefixes_removed, *one.fqdns_removed} for id_, one in changes.items() if id_ in left}
    return tuple(
        move
        for move in met
        if any(move.member in added.get(id_, ()) for id_ in move.to_ids)
        or any(move.member in removed.get(id_, ()) for id_ in move.from_ids)
    )
