"""What is asked of a diff: which changes, what they gain and lose, and what is to be said of them.

In: the changes of a diff, as `judged`, and a `DiffFilter`. Out: a `Comparison`. Pure; called by `api.reads` and
`events`. Who asks many things of one diff has it judged once, and asks.

A filter over records keeps a change whose record passes before or after; of what is left, `trim` takes out members
that are not asked for. Impact and significance are those of the whole change, whatever part of it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from catalog_service.catalog.impact import Verdict
from catalog_service.catalog.judged import Judged, judged
from catalog_service.catalog.moves import Move
from catalog_service.catalog.select import Filter, select
from catalog_service.catalog.space import AddressSpace, Spans, address_space, shift
from catalog_service.catalog.trim import trimmed
from schema.change import Change, Changeset, Summary, summarize
from schema.endpoint_set import EndpointSet
from schema.errors import BadParameterError
from schema.words import Family, Impact, Kind, Only, Significance, at_least

LEAST = tuple(impact for impact in Impact if impact not in at_least(Impact.ADDED_IP)[1:])
"""One word for all that ask as much."""


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


def impacts_asked(impacts: tuple[Impact, ...], least: Impact | None) -> tuple[Impact, ...]:
    """Return those of ``impacts`` (none: of all) that ask as much as ``least``, or more; both None: ().

    Raises:
        BadParameterError: there is none.
    """
    if least is None:
        return impacts
    found = tuple(impact for impact in at_least(least) if not impacts or impact in impacts)
    if not found:
        message = f"none of the impacts {', '.join(impacts)} asks as much as {least}"
        raise BadParameterError(message, parameter="impact_at_least", value=least.value)
    return found


def least_of(impacts: tuple[Impact, ...]) -> Impact | None:
    """Return the one word that ``impacts`` are at least (`LEAST`), None where there is none."""
    return next((one for one in LEAST if set(at_least(one)) == {*impacts}), None)


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
    return asked(judged(_of_sources(changes, wanted.records.sources), after), wanted, space=space)


def asked(found: Judged, wanted: DiffFilter, *, space: bool = False) -> Comparison:
    """Return what ``wanted`` asks of ``found``; with ``space``, addresses gained and lost."""
    fields = replace(wanted.records, kinds=())  # kinds are those of the members shown
    passing = _passing(found, fields)
    verdicts = (found.verdict(pair) for pair in found.pairs if pair.change.id in passing.either)
    entries = tuple(one for verdict in verdicts if (one := _compared(verdict, wanted, space=space)))
    whole = _told(*_whole(found, passing, fields), wanted) if space else None
    return Comparison(summarize([one.change for one in entries]), entries, _shown(found, entries), whole)


def _of_sources(changes: Changeset, sources: tuple[str, ...]) -> Changeset:
    wanted = {source.casefold() for source in sources}
    return tuple(one for one in changes if one.id.partition(":")[0].casefold() in wanted) if wanted else changes


class _Passing(Struct, frozen=True):
    """Ids of the changed records that pass the filter as they were, as they are, and either way."""

    before: frozenset[str]
    after: frozenset[str]
    either: frozenset[str]


def _passing(found: Judged, fields: Filter) -> _Passing:
    def ids(records: Iterable[EndpointSet | None]) -> frozenset[str]:
        return frozenset(record.id for record in select(filter(None, records), fields))

    same = ids(pair.after for pair in found.pairs if pair.before is pair.after)
    before = same | ids(pair.before for pair in found.pairs if pair.before is not pair.after)
    after = same | ids(pair.after for pair in found.pairs if pair.before is not pair.after)
    return _Passing(before, after, before | after)


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


def _whole(found: Judged, passing: _Passing, fields: Filter) -> tuple[Spans, Spans]:
    """Return what the records that pass gained and lost together: a record that only passes now brings all it holds."""
    moved = {pair.change.id for pair in found.pairs}
    stays = select((record for record in found.after.values() if record.id not in moved), fields)
    kept = set(chain.from_iterable(record.prefixes for record in stays))
    added, removed = set[str](), set[str]()
    for pair in found.pairs:
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


def _shown(found: Judged, entries: tuple[Compared, ...]) -> tuple[Move, ...]:
    """Return the moves whose member an entry shows."""
    shown = set[int]()
    for one in entries:
        if places := found.moves_of(one.change.id):
            added = {*one.change.prefixes_added, *one.change.fqdns_added}
            removed = {*one.change.prefixes_removed, *one.change.fqdns_removed}
            shown.update(place for place in places if _shows(one.change.id, added, removed, found.moves[place]))
    return tuple(found.moves[place] for place in sorted(shown))


def _shows(id_: str, added: set[str], removed: set[str], move: Move) -> bool:
    return (move.member in added and id_ in move.to_ids) or (move.member in removed and id_ in move.from_ids)
