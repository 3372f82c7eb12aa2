"""Pages of records, and what makes them quick: views and records of a snapshot are made once.

In: a snapshot and a filter. Out: an `EndpointPage` of `views.records.Record`s, whose fields are plain attributes.
What is kept goes with its snapshot.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from operator import attrgetter
from weakref import WeakKeyDictionary

from msgspec import Struct

from catalog_service.api.cursors import encode_cursor
from catalog_service.api.graphql.pages import Page, Slice, Standing, page
from catalog_service.api.reads.asked import Sources, with_missing
from catalog_service.api.reads.sources import missing_sources
from catalog_service.catalog.resolve import Unresolved
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import Entry, Note, Unpublished, View, view
from catalog_service.views.records import Record, entry_view, record_view
from schema.words import Cloud

ENDPOINTS_DEFAULT, ENDPOINTS_MOST = 50, 5000
_VIEWS = 16
_id = attrgetter("record.id")


class EndpointPage(Struct, frozen=True):
    """A `Page` of records, and what is to be said of the whole answer as in `views.records.RecordPage`."""

    nodes: tuple[Record, ...]
    places: tuple[str, ...]
    cursor: Callable[[str], str]
    page_info: Standing
    total_count: int
    version: int
    as_of: datetime | None
    clouds: tuple[Cloud, ...]
    unresolved: tuple[Unresolved, ...]
    unpublished: tuple[Unpublished, ...]
    notes: tuple[Note, ...]
    missing: tuple[str, ...]


def endpoint_page(
    snapshot: Snapshot, sources: Sources, wanted: Filter, asked: Slice, after: str, before: str
) -> EndpointPage:
    """Return the part ``asked`` for of the records between the ids ``after`` and ``before``, empty for no bound.

    Raises:
        BadParameterError: as `view`.
    """
    shelf = _SHELVES.setdefault(snapshot, _Shelf())
    kept = shelf.view(snapshot, wanted)
    entries = kept.entries
    low = bisect_right(entries, after, key=_id) if after else 0
    high = bisect_left(entries, before, key=_id) if before else len(entries)
    start, stop = asked.of(low, high)
    nodes = tuple(shelf.record(snapshot, entry) for entry in entries[start:stop])
    content = snapshot.identity if snapshot.as_of else ""
    cut: Page = page(
        nodes,
        tuple(node.id for node in nodes),
        lambda id_: encode_cursor("records", snapshot.point, id_, wanted, content),
        len(entries),
        before=start > 0,
        after=stop < len(entries),
    )
    said = with_missing(kept, missing_sources(snapshot, sources, wanted))
    return EndpointPage(
        nodes,
        cut.places,
        cut.cursor,
        cut.page_info,
        cut.total_count,
        snapshot.version,
        snapshot.as_of,
        said.clouds,
        said.unresolved,
        said.unpublished,
        said.notes,
        said.missing,
    )


class _Shelf:
    """What was made of one snapshot."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._views: OrderedDict[Filter, View] = OrderedDict()

    def view(self, snapshot: Snapshot, wanted: Filter) -> View:
        """Return `view`, made once for the last few filters."""
        found = self._views.get(wanted)
        if found is None:
            found = self._views[wanted] = view(snapshot, wanted)
            if len(self._views) > _VIEWS:
                self._views.popitem(last=False)
        return found

    def record(self, snapshot: Snapshot, entry: Entry) -> Record:
        """Return `entry_view`, made once for a record that is as the source has it."""
        if entry.via or entry.scenarios:
            return entry_view(snapshot, entry)
        found = self._records.get(entry.record.id)
        if found is None:
            found = self._records[entry.record.id] = record_view(snapshot, entry.record)
        return found


_SHELVES: WeakKeyDictionary[Snapshot, _Shelf] = WeakKeyDictionary()
