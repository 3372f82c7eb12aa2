"""Pages of records."""

from __future__ import annotations

from bisect import bisect_right

from catalog_service.api.cursors import check_content, decode_cursor, encode_cursor
from catalog_service.api.reads.asked import Sources, naming, with_missing
from catalog_service.api.reads.sources import missing_sources
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.sort import BY_ID, Sort, sorted_entries
from catalog_service.catalog.view import Entry, view
from catalog_service.reader import Reader
from catalog_service.views.records import RecordPage, entry_view
from schema.errors import BadParameterError


async def page_start(
    reader: Reader, wanted: Filter, at: str | None, cursor: str | None, sort: Sort = BY_ID
) -> tuple[Snapshot, str]:
    """Return the snapshot that a page is cut from, and the id it starts after.

    A cursor decides the version, whatever ``at`` says by now; a number that contradicts it is refused.

    Raises:
        BadParameterError, UnknownVersionError: as `Reader.resolve`; or the cursor is not one of this query.
    """
    if cursor is None:
        return await reader.at(at), ""
    start = decode_cursor(_kind(sort), cursor, wanted)
    with naming("cursor"):
        snapshot = await reader.snapshot(start.point)
    check_content(start, snapshot.identity)
    if at and at.isdecimal() and (at.lstrip("0") or "0") != str(snapshot.version):
        raise BadParameterError(f"this cursor belongs to version {snapshot.version}", parameter="cursor")
    return snapshot, start.after


def record_page(
    snapshot: Snapshot, sources: Sources, wanted: Filter, after: str, limit: int, sort: Sort = BY_ID
) -> RecordPage:
    """Return up to ``limit`` records past the one with the id ``after``. Raises BadParameterError."""
    found = with_missing(view(snapshot, wanted), missing_sources(snapshot, sources, wanted))
    entries = sorted_entries(snapshot, found.entries, sort)
    rest = entries[_position(entries, after, sort) :]
    more = _cursor(snapshot, rest[limit - 1].record.id, wanted, sort) if len(rest) > limit else None
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


def _position(entries: tuple[Entry, ...], after: str, sort: Sort) -> int:
    """Return where the page after ``after`` starts."""
    if not after or sort == BY_ID:
        return bisect_right(entries, after, key=_id)
    position = next((number for number, entry in enumerate(entries, start=1) if entry.record.id == after), None)
    if position is None:
        raise BadParameterError("this cursor belongs to another list: begin anew", parameter="cursor")
    return position


def _cursor(snapshot: Snapshot, after: str, wanted: Filter, sort: Sort) -> str:
    return encode_cursor(_kind(sort), snapshot.point, after, wanted, snapshot.identity if snapshot.as_of else "")


def _kind(sort: Sort) -> str:
    return "records" if sort == BY_ID else f"records {sort.text}"


def _id(entry: Entry) -> str:
    return entry.record.id
