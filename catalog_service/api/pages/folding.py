"""How much of a diff a page shows: groups of records, cut where they would make the page too long to use.

In: the changes of a diff. Out: `SourceGroup`s that know what they leave out; nothing is left out silently. A page of
30,000 prefixes would be megabytes: the longer the diff, the less of each record and service is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from catalog_service.views.diffs import DiffEntry, ServiceChanges, by_service
from schema.change import Summary
from schema.words import Impact, Significance

_LINES = 9_000
"""About a megabyte of HTML."""
_LINES_OPEN = 900
_RECORD_LINES = 25
_ALL = 1 << 30
# (records of a service, members of a side): the first that fits is taken.
_CUTS = (
    *((_ALL, _ALL), (300, 2000), (300, 500), (200, 100), (100, 30), (50, 10), (20, 5)),
    *((10, 3), (3, 2), (1, 1), (0, 0)),
)


class Shown(Struct, frozen=True):
    """A change, and as much of either side as is shown."""

    entry: DiffEntry
    removed: tuple[str, ...]
    added: tuple[str, ...]
    removed_hidden: int
    added_hidden: int


class ServiceGroup(Struct, frozen=True):
    """The changes of a service: those that matter, and noise."""

    source: str
    service: str
    summary: Summary
    material: tuple[Shown, ...]
    noise: tuple[Shown, ...]
    noise_count: int
    hidden: int
    """Records that are not shown."""
    open: bool
    """It is among the first short ones, which fill a few screens."""


class SourceGroup(Struct, frozen=True):
    """The services of a source."""

    source: str
    summary: Summary
    services: tuple[ServiceGroup, ...]


class Folded(Struct, frozen=True):
    """A diff as a page shows it."""

    sources: tuple[SourceGroup, ...]
    impacts: tuple[tuple[Impact, int], ...]
    """How many changes have each impact; those that none has are left out."""
    noise_count: int
    whole: bool
    """Nothing is left out."""


def folded(changes: tuple[DiffEntry, ...]) -> Folded:
    """Return ``changes`` by source and service, as much of them as a page can show."""
    services = tuple(map(_material_first, by_service(changes)))
    cut = next((one for one in _CUTS if _lines(services, *one) <= _LINES), _CUTS[-1])
    groups, used = [], 0
    for one in services:
        lines = _lines((one,), *cut)
        is_open = used + lines <= _LINES_OPEN or len(services) == 1
        used += lines if is_open else 0
        groups.append(_service(one, *cut, is_open=is_open))
    impacts = Counter(one.impact for one in changes)
    return Folded(
        tuple(_source(name, tuple(several)) for name, several in groupby(groups, key=lambda one: one.source)),
        tuple((impact, impacts[impact]) for impact in Impact if impacts[impact]),
        sum(map(_is_noise, changes)),
        cut == _CUTS[0],
    )


def _material_first(service: ServiceChanges) -> ServiceChanges:
    return replace(service, changes=tuple(sorted(service.changes, key=_is_noise)))


def _lines(services: Iterable[ServiceChanges], records: int, members: int) -> int:
    return sum(
        _RECORD_LINES + sum(min(len(side), members) for side in _sides(entry))
        for service in services
        for entry in service.changes[:records]
    )


def _sides(entry: DiffEntry) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (*entry.prefixes_removed, *entry.fqdns_removed), (*entry.prefixes_added, *entry.fqdns_added)


def _service(changes: ServiceChanges, records: int, members: int, *, is_open: bool) -> ServiceGroup:
    shown = tuple(_shown(one, members) for one in changes.changes[:records])
    return ServiceGroup(
        changes.source,
        changes.service,
        changes.summary,
        tuple(one for one in shown if not _is_noise(one.entry)),
        tuple(one for one in shown if _is_noise(one.entry)),
        sum(map(_is_noise, changes.changes)),
        len(changes.changes) - len(shown),
        is_open,
    )


def _shown(entry: DiffEntry, members: int) -> Shown:
    removed, added = _sides(entry)
    return Shown(
        entry, removed[:members], added[:members], max(0, len(removed) - members), max(0, len(added) - members)
    )


def _source(name: str, services: tuple[ServiceGroup, ...]) -> SourceGroup:
    total = [sum(getattr(one.summary, field) for one in services) for field in Summary.__struct_fields__]
    return SourceGroup(name, Summary(*total), services)


def _is_noise(entry: DiffEntry) -> bool:
    return entry.significance is not Significance.MATERIAL
