"""What a question sees of a snapshot: records, why each is there, and what is not.

In: a `Filter`. Out: a `View` of entries sorted by id. Without scenarios they are what `select` keeps; with
them what each scenario asks for, every cloud by itself, the regional tags of the regions asked for in place
of the whole tag (`resolve.tag_records`). References are resolved where the filter or a scenario says so.
Called by `export.choose` and `api.reads`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from catalog_service.catalog.resolve import (
    RegionCodes,
    Unresolved,
    Via,
    resolved,
    tag_records,
    tag_source,
    unresolved,
)
from catalog_service.catalog.scenarios import Scenario, Selection, scenario_named
from catalog_service.catalog.scope import Scope, clouds_of, scopes
from catalog_service.catalog.select import Filter, select
from catalog_service.catalog.snapshot import Snapshot
from schema.endpoint_set import EndpointSet
from schema.words import Cloud, Direction, Kind, ordered


class Use(Struct, frozen=True, order=True):
    """A scenario that wants a record, and in which direction."""

    scenario: str
    direction: Direction


class Entry(Struct, frozen=True):
    """A record, the tags its prefixes came from, and the scenarios that want it."""

    record: EndpointSet
    via: tuple[Via, ...] = ()
    scenarios: tuple[Use, ...] = ()


class Unpublished(Struct, frozen=True):
    """A scenario without an answer for a cloud, and why, as a sentence."""

    scenario: str
    cloud: Cloud
    sentence: str


class Note(Struct, frozen=True):
    """What has to be known of a scenario's answer for a cloud, as a sentence."""

    scenario: str
    cloud: Cloud
    sentence: str


class View(Struct, frozen=True):
    """Entries sorted by id, and everything that has to be said of an answer made of them."""

    entries: tuple[Entry, ...] = ()
    clouds: tuple[Cloud, ...] = ()
    """Those that scenarios have an entry for, asked for by name or not; () without scenarios."""
    unresolved: tuple[Unresolved, ...] = ()
    unpublished: tuple[Unpublished, ...] = ()
    notes: tuple[Note, ...] = ()
    missing: tuple[str, ...] = ()
    """Sources that the question needs and the snapshot has nothing of."""

    @property
    def records(self) -> tuple[EndpointSet, ...]:
        """The records of the entries."""
        return tuple(entry.record for entry in self.entries)


def view(snapshot: Snapshot, wanted: Filter) -> View:
    """Return what ``wanted`` sees of ``snapshot``; may be empty.

    Raises:
        BadParameterError: no scenario has such a name; nothing knows a region, or it is in none of the clouds.
    """
    if wanted.scenarios:
        return _of_scenarios(snapshot, wanted)
    for region in wanted.regions:
        clouds_of(snapshot, region)
    if not wanted.resolve:
        return View(tuple(map(Entry, select(snapshot.endpoint_sets, wanted))))
    kept = select(snapshot.endpoint_sets, replace(wanted, kinds=()))
    return replace(_resolved(snapshot, wanted, [_Wanted(record, wanted.clouds) for record in kept]), clouds=())


class _Wanted(Struct, frozen=True):
    """A record that is wanted: for which clouds (none: all of its own), in which regions, by which scenarios."""

    record: EndpointSet
    clouds: tuple[Cloud, ...]
    regions: RegionCodes = frozenset()
    uses: tuple[Use, ...] = ()


class _Answer(Struct, frozen=True):
    """What one scenario finds in one scope, and what is to be said of it."""

    hits: tuple[_Wanted, ...]
    unresolved: tuple[Unresolved, ...]
    unpublished: tuple[Unpublished, ...]
    notes: tuple[Note, ...]
    missing: tuple[str, ...]


def _of_scenarios(snapshot: Snapshot, wanted: Filter) -> View:
    asked = scopes(snapshot, wanted.clouds, wanted.regions)
    answers = [
        _answer(snapshot, scenario_named(name), scope, wanted.directions)
        for name in wanted.scenarios
        for scope in asked
    ]
    found = _resolved(snapshot, wanted, _merged(hit for answer in answers for hit in answer.hits))
    failed = [one for answer in answers for one in answer.unresolved if _keeps_tag(wanted, one)]
    missing = {source for answer in answers for source in answer.missing}
    return View(
        found.entries,
        found.clouds,
        (*found.unresolved, *failed),
        tuple(one for answer in answers for one in answer.unpublished),
        tuple(one for answer in answers for one in answer.notes),
        tuple(sorted({*found.missing, *(one for one in missing if not wanted.sources or one in wanted.sources)})),
    )


def _keeps_tag(wanted: Filter, lost: Unresolved) -> bool:
    """Tell whether the tag that a scenario asks for would have been kept."""
    services, tags = ({name.casefold() for name in names} for names in (wanted.services, wanted.tags))
    return (
        (not wanted.sources or lost.source in wanted.sources)
        and (not tags or lost.tag.casefold() in tags)
        and (not services or not services.isdisjoint((lost.tag.casefold(), lost.tag.partition(".")[0].casefold())))
        and wanted.kinds != (Kind.FQDN,)
    )


def _answer(snapshot: Snapshot, scenario: Scenario, scope: Scope, directions: tuple[Direction, ...]) -> _Answer:
    """Return the answer in ``directions`` (none: all); whether there is one at all is told of all of them."""
    selections = scenario.selections(scope.cloud)
    found = [(one, _hits(snapshot, scenario.name, one, scope)) for one in selections]
    meant = [(one, hits) for one, hits in found if not directions or one.direction in directions]
    answered = any(hits for _, hits in found)
    sentence = _sentence(snapshot, scenario, scope, _missing(snapshot, scope.cloud, selections))
    return _Answer(
        tuple(hit for _, hits in meant for hit in hits),
        tuple(lost for one, _ in meant for lost in _lost(snapshot, scenario.name, one, scope)),
        () if answered else (Unpublished(scenario.name, scope.cloud, sentence),),
        tuple(Note(scenario.name, scope.cloud, one) for one in scenario.notes(scope.cloud) if answered),
        _missing(snapshot, scope.cloud, (one for one, _ in meant)),
    )


def _hits(snapshot: Snapshot, name: str, selection: Selection, scope: Scope) -> list[_Wanted]:
    records = [
        *_selected(snapshot, selection, scope),
        *(one for _, found in _tags(snapshot, selection, scope) for one in found),
    ]
    uses = (Use(name, selection.direction),)
    return [_Wanted(record, (scope.cloud,), scope.azure, uses) for record in records]


def _lost(snapshot: Snapshot, name: str, selection: Selection, scope: Scope) -> Iterator[Unresolved]:
    """Yield the tags of a selection that have no prefixes."""
    for tag, records in _tags(snapshot, selection, scope):
        if not records:
            yield unresolved(snapshot, f"scenario:{name}", tag, scope.cloud)


def _tags(snapshot: Snapshot, selection: Selection, scope: Scope) -> Iterator[tuple[str, tuple[EndpointSet, ...]]]:
    for tag in selection.tags:
        yield tag, tag_records(snapshot, scope.cloud, tag, scope.azure)


def _missing(snapshot: Snapshot, cloud: Cloud, selections: Iterable[Selection]) -> tuple[str, ...]:
    """Return the sources of ``selections`` that ``snapshot`` has nothing of."""
    return tuple(sorted({one.source or tag_source(cloud) for one in selections} - snapshot.by_source.keys()))


def _sentence(snapshot: Snapshot, scenario: Scenario, scope: Scope, missing: tuple[str, ...]) -> str:
    """Return why a scenario has no answer: what the data file says, or what was not read or not found."""
    said = scenario.sentence(scope.cloud)
    if said:
        return said
    unread = f"; not read yet: {', '.join(missing)}" if missing else ""
    return f"No source lists anything for it in {scope.cloud} {snapshot.name}{unread}."


def _selected(snapshot: Snapshot, selection: Selection, scope: Scope) -> Iterator[EndpointSet]:
    """Yield the records of a selection's source that belong to ``scope``."""
    content = snapshot.by_source.get(selection.source or "")
    for record in (
        select(content.endpoint_sets, Filter(services=selection.services, kinds=selection.kinds)) if content else ()
    ):
        purpose = (record.purpose or "").casefold()
        if (
            scope.holds(record)
            and record.direction in (None, selection.direction)
            and (not selection.categories or record.category in selection.categories)
            and (not selection.words or any(word in purpose for word in selection.words))
        ):
            yield record


def _merged(hits: Iterable[_Wanted]) -> list[_Wanted]:
    """Return one wish a record, sorted by id; everywhere in one of them is everywhere."""
    by_id: dict[str, list[_Wanted]] = {}
    for hit in hits:
        by_id.setdefault(hit.record.id, []).append(hit)
    return [
        _Wanted(
            several[0].record,
            ordered(cloud for one in several for cloud in one.clouds),
            frozenset[str]().union(*(one.regions for one in several))
            if all(one.regions for one in several)
            else frozenset(),
            tuple(sorted({use for one in several for use in one.uses})),
        )
        for _, several in sorted(by_id.items())
    ]


def _resolved(snapshot: Snapshot, wanted: Filter, several: list[_Wanted]) -> View:
    """Return the entries of ``several`` with their references resolved, those that ``wanted`` still keeps.

    Which tags a record speaks of is asked of it as it is published: resolved, it names none.
    """
    kept = replace(wanted, tags=(), clouds=(), regions=(), directions=())
    entries: list[Entry] = []
    failed: list[Unresolved] = []
    clouds: set[Cloud] = set()
    tagged = {record.id for record in select((one.record for one in several), Filter(tags=wanted.tags))}
    for one in several:
        if one.record.id not in tagged:
            continue
        found = resolved(snapshot, one.record, one.clouds, one.regions)
        if select((found.record,), kept):
            entries.append(Entry(found.record, found.via, one.uses))
            clouds.update(one.clouds)
        if wanted.kinds != (Kind.FQDN,) and select((one.record,), replace(kept, kinds=())):
            failed += found.unresolved
    missing = {one.source for one in failed if one.unread}
    return View(tuple(entries), ordered(clouds), tuple(failed), missing=tuple(sorted(missing)))
