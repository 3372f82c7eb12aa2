"""Lists of records in another order than by id.

In: the entries of a `View`, sorted by id, and a `Sort`. Out: the same entries, sorted. Used by `api.reads.records`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from operator import itemgetter

from msgspec import Struct

from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import Entry
from schema.endpoint_set import EndpointSet
from schema.words import Cloud

_CLOUDS = tuple(Cloud)
Value = str | int


class SortKey(StrEnum):
    """What records can be sorted by."""

    ID = "id"
    SERVICE = "service"
    TITLE = "title"
    SOURCE = "source"
    REGION = "region"
    CLOUD = "cloud"
    """The first of a record's clouds, in the order of `Cloud`."""
    LAST_CHANGED = "last_changed"
    """The version that changed it last."""


class Sort(Struct, frozen=True):
    """An order of records. Ties are sorted by id, and what has no value comes last, whichever way it goes."""

    key: SortKey = SortKey.ID
    descending: bool = False

    @property
    def text(self) -> str:
        """As a client writes it: ``-last_changed``."""
        return f"-{self.key}" if self.descending else str(self.key)


BY_ID = Sort()


def sorted_entries(snapshot: Snapshot, entries: tuple[Entry, ...], sort: Sort) -> tuple[Entry, ...]:
    """Return ``entries``, which are sorted by id, in the order of ``sort``."""
    if sort == BY_ID:
        return entries
    valued = [(_VALUES[sort.key](snapshot, entry.record), entry) for entry in entries]
    known = [(value, entry) for value, entry in valued if value is not None]
    known.sort(key=itemgetter(0), reverse=sort.descending)  # stable both ways: ties stay sorted by id
    return (*(entry for _, entry in known), *(entry for value, entry in valued if value is None))


def _cloud(_snapshot: Snapshot, record: EndpointSet) -> Value | None:
    return _CLOUDS.index(record.all_clouds[0]) if record.all_clouds else None


def _last_changed(snapshot: Snapshot, record: EndpointSet) -> Value | None:
    mark = snapshot.by_source[record.source].marks.get(record.id)
    return mark.last_changed if mark else None


_VALUES: dict[SortKey, Callable[[Snapshot, EndpointSet], Value | None]] = {
    SortKey.ID: lambda _, record: record.id,
    SortKey.SERVICE: lambda _, record: record.service,
    SortKey.TITLE: lambda _, record: record.title,
    SortKey.SOURCE: lambda _, record: record.source,
    SortKey.REGION: lambda _, record: record.region,
    SortKey.CLOUD: _cloud,
    SortKey.LAST_CHANGED: _last_changed,
}
