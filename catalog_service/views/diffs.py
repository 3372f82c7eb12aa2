"""Versions, what leads from one to another, and versions held back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby

from msgspec import Struct, field

from catalog_service.catalog.compare import Compared, Comparison
from catalog_service.catalog.moves import Move
from catalog_service.catalog.space import AddressSpace
from schema.change import AttributeChange, Change, Summary, summarize
from schema.version import HeldVersion, Point, Version
from schema.words import Cloud, Direction, Disposition, Impact, Significance

_HELD_OTHERWISE = ("patterns", "service_tags", "tcp_ports", "udp_ports")


class VersionPage(Struct, frozen=True):
    """``/v1/versions``: newest first."""

    items: tuple[Version, ...]
    next: str | None


class ChangeView(Struct, frozen=True):
    """One change by itself; every list is there, empty or not."""

    id: str
    disposition: Disposition
    prefixes_added: tuple[str, ...]
    prefixes_removed: tuple[str, ...]
    fqdns_added: tuple[str, ...]
    fqdns_removed: tuple[str, ...]
    attributes: tuple[AttributeChange, ...]
    """On an Add and a Remove: what the record holds besides prefixes and names."""


class DiffEntry(Struct, frozen=True, omit_defaults=True):
    """One change in a diff: of what, what it asks of a customer, and the change; every list is there, empty or not.

    Service to direction are the record's as it is now; of one removed, as it last was.
    """

    id: str
    disposition: Disposition
    source: str
    service: str
    title: str
    impact: Impact
    significance: Significance
    prefixes_added: tuple[str, ...]
    prefixes_removed: tuple[str, ...]
    fqdns_added: tuple[str, ...]
    fqdns_removed: tuple[str, ...]
    attributes: tuple[AttributeChange, ...]
    """On an Add and a Remove: what the record holds besides prefixes and names."""
    cloud: Cloud | None = None
    clouds: tuple[Cloud, ...] = ()
    region: str | None = None
    direction: Direction | None = None
    space: AddressSpace | None = None
    """The addresses this one record gained and lost, where they were asked for."""


class Diff(Struct, frozen=True, omit_defaults=True):
    """``/v1/diff``: what leads from one version to another."""

    from_: int = field(name="from")
    to: int
    summary: Summary
    """Counts of ``changes``."""
    changes: tuple[DiffEntry, ...]
    """Sorted by id."""
    moves: tuple[Move, ...] = ()
    """Members that left one record of a source and came into another; they are among the changes, too."""
    from_as_of: datetime | None = None
    """The instant ``from`` was asked for as, when it was: upstreams as they were then."""
    to_as_of: datetime | None = None
    missing: tuple[str, ...] = ()
    """Sources that have no part in it: of one of the two instants nothing is known of them."""
    space: AddressSpace | None = None
    """The addresses that all the records chosen gained and lost together, where they were asked for."""

    @property
    def since(self) -> str:
        """For people: where it leads from."""
        return _named(self.from_, self.from_as_of)

    @property
    def until(self) -> str:
        """For people: where it leads to."""
        return _named(self.to, self.to_as_of)


class ServiceChanges(Struct, frozen=True):
    """The changes of one service of one source."""

    source: str
    service: str
    summary: Summary
    changes: tuple[DiffEntry, ...]
    """Never empty, sorted by id."""


class HeldView(Struct, frozen=True):
    """A held version, and what accepting it would change now."""

    held: HeldVersion
    changes: tuple[DiffEntry, ...]


def change_view(change: Change) -> ChangeView:
    """Return ``change`` as published by itself."""
    return ChangeView(
        change.id,
        change.disposition,
        change.prefixes_added,
        change.prefixes_removed,
        change.fqdns_added,
        change.fqdns_removed,
        _attributes(change),
    )


def diff_entries(comparison: Comparison) -> tuple[DiffEntry, ...]:
    """Return the changes of ``comparison`` as published."""
    return tuple(map(_entry, comparison.entries))


def diff_view(since: Point, until: Point, found: Comparison, missing: tuple[str, ...] = ()) -> Diff:
    """Return what leads from ``since`` to ``until``; ``missing`` sources have no part in it."""
    return Diff(
        from_=since.version,
        to=until.version,
        summary=found.summary,
        changes=diff_entries(found),
        moves=found.moves,
        from_as_of=since.as_of,
        to_as_of=until.as_of,
        missing=missing,
        space=found.space,
    )


def by_service(changes: Iterable[DiffEntry]) -> tuple[ServiceChanges, ...]:
    """Return ``changes``, sorted by id, in groups of one service of one source, sorted by these."""
    ordered = sorted(changes, key=_service)
    groups = ((*key, tuple(several)) for key, several in groupby(ordered, key=_service))
    return tuple(ServiceChanges(source, service, summarize(several), several) for source, service, several in groups)


def _service(entry: DiffEntry) -> tuple[str, str]:
    return entry.source, entry.service


def _entry(compared: Compared) -> DiffEntry:
    change, record = compared.change, compared.record
    return DiffEntry(
        id=change.id,
        disposition=change.disposition,
        source=record.source,
        service=record.service,
        title=record.title,
        impact=compared.impact,
        significance=compared.significance,
        prefixes_added=change.prefixes_added,
        prefixes_removed=change.prefixes_removed,
        fqdns_added=change.fqdns_added,
        fqdns_removed=change.fqdns_removed,
        attributes=_attributes(change),
        cloud=record.cloud,
        clouds=record.clouds,
        region=record.region,
        direction=record.direction,
        space=compared.space,
    )


def _named(version: int, as_of: datetime | None) -> str:
    return f"as of {as_of:%Y-%m-%d %H:%MZ}" if as_of else f"version {version}"


def _attributes(change: Change) -> tuple[AttributeChange, ...]:
    return change.attributes or tuple(_held_otherwise(change))


def _held_otherwise(change: Change) -> Iterator[AttributeChange]:
    """Yield what a record added or removed holds besides prefixes and names: a row of tags is not an empty one."""
    for name in _HELD_OTHERWISE:
        if change.record and (value := getattr(change.record, name)):
            gone = change.disposition is Disposition.REMOVE
            yield AttributeChange(name, previous=value) if gone else AttributeChange(name, current=value)
