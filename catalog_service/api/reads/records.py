"""Pages of records."""

from __future__ import annotations

from bisect import bisect_right

from catalog_service.api.cursors import check_content, decode_cursor, encode_cursor
from catalog_service.api.reads.asked import Sources, naming, with_missing
from catalog_service.api.reads.sources import missing_sources
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import Entry, view
from catalog_service.reader import Reader
from catalog_service.views.records import RecordPage, entry_view
from schema.errors import BadParameterError


async def page_start(reader: Reader, wanted: Filter, at: str | None, cursor: str | None) -> tuple[Snapshot, str]:
    """Return the snapshot that a page is cut from, and the id it starts after.

    A cursor decides the version, whatever ``at`` says by now; a number that contradicts it is refused.

    Raises:
        BadParameterError, UnknownVersionError: as `Reader.resolve`; or the cursor is not one of this query.
    """
    if cursor is None:
        return await reader.at(at), ""
    start = decode_cursor("records", cursor, wanted)
    with naming("cursor"):
        snapshot = await reader.snapshot(start.point)
    check_content(start, snapshot.identity)
    if at and at.isdecimal() and (at.lstrip("0") or "0") != str(snapshot.version):
        raise BadParameterError(f"this cursor belongs to version {snapshot.version}", parameter="cursor")
    return snapshot, start.after


def record_page(snapshot: Snapshot, sources: Sources, wanted: Filter, after: str, limit: int) -> RecordPage:
    """Return up to ``limit`` records past the id ``after``, sorted by id. Raises BadParameterError."""
    found = with_missing(view(snapshot, wanted), missing_sources(snapshot, sources, wanted))
    rest = found.entries[bisect_right(found.entries, after, key=_id) :]
    more = _cursor(snapshot, rest[limit - 1].record.id, wanted) if len(rest) > limit else None
    items = tuple(entry_view(snapshot, entry) for entry in rest[:limit])
    return RecordPage(
        snapshot.version,
        items,
        more,
        snapshot.as_of,
        found.clouds,
        found.unresolved,
        found.unpublished,
        found.notes,
        found.missing,
    )


def _cursor(snapshot: Snapshot, after: str, wanted: Filter) -> str:
    return encode_cursor("records", snapshot.point, after, wanted, snapshot.identity if snapshot.as_of else "")


def _id(entry: Entry) -> str:
    return entry.record.id
