"""What changed since a mirror last asked: never a gap, the full set where in doubt.

A token (``42-1f0c...``) names a version and, by a digest, the very content it stood for and the filter: another
catalogue with the same numbers, an emptied store or another filter do not fit it, and lead to the full set.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from catalog_service.api.cursors import Cursor, decode_cursor, encode_cursor, is_of
from catalog_service.api.reads.asked import Sources
from catalog_service.api.reads.sources import missing_sources
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import view
from catalog_service.reader import Reader
from catalog_service.views.mirrors import MirrorPage, Tombstone
from catalog_service.views.records import record_view
from schema.change import Changeset
from schema.errors import BadParameterError, GoneError, UnknownVersionError
from schema.version import Point, Version
from schema.words import Disposition

_SINCE = re.compile(r"(\d{1,9})(?:-([0-9a-f]{12}))?", re.ASCII)


class Span(Struct, frozen=True):
    """A page of the changes from ``since`` (None: from nothing) to a snapshot, past the id ``after``."""

    asked: str
    """``since`` as the client wrote it; empty: not at all."""
    since: Point | None
    until: Snapshot
    after: str = ""


async def mirror_span(reader: Reader, wanted: Filter, since: str | None, cursor: str | None) -> Span:
    """Return what a page is cut from. A cursor decides both ends; where one of them is gone, it begins anew.

    Raises:
        BadParameterError: ``since`` is neither a number nor a token, or the cursor is none of this query.
    """
    asked = since or ""
    start = await _known(reader, asked, wanted) if asked else None
    if cursor is None:
        return Span(asked, start, reader.current)
    page = decode_cursor(_kind(asked), cursor, wanted)
    return await _continued(reader, page, asked, (start, None)) or restarted(reader, asked)


def restarted(reader: Reader, asked: str) -> Span:
    """Return the first page of the full set."""
    return Span(asked, None, reader.current)


async def mirror_page(reader: Reader, sources: Sources, wanted: Filter, span: Span, limit: int) -> MirrorPage:
    """Return up to ``limit`` changes of ``span``, by id.

    Raises:
        BadParameterError: nothing knows a region.
        GoneError, UnknownVersionError: where it begins is no longer known.
    """
    ahead = span.since is not None and span.since.version > span.until.version  # another process served it already
    found = await reader.difference(span.since, span.until.point) if span.since and not ahead else None
    page = await asyncio.to_thread(_page, span, wanted, found.changes if found else (), limit)
    token = None if page.next else span.asked if ahead else _token(span.until, wanted)
    return replace(page, next_since=token, missing=missing_sources(span.until, sources, wanted))


async def _known(reader: Reader, text: str, wanted: Filter) -> Point | None:
    """Return the live version that ``text`` names, None where it is not there or not as it was then."""
    if not (found := _SINCE.fullmatch(text)):
        message = "since is next_since of an answer before, or the number of a version"
        raise BadParameterError(message, parameter="since", value=text[:80])
    point, versions = Point(int(found[1])), reader.store.versions
    try:
        if point.version == 0 or (await versions.version(point.version)).imported:
            return None
        there = await versions.versions(tuple((await versions.numbers(point)).values()))
    except (GoneError, UnknownVersionError):
        return None
    return point if found[2] in (None, _digest(there, wanted)) else None


async def _continued(reader: Reader, page: Cursor, asked: str, starts: Iterable[Point | None]) -> Span | None:
    """Return the page that a cursor names; None where what it was cut from is not there any more."""
    try:
        until = await reader.snapshot(page.point)
    except (GoneError, UnknownVersionError):
        return None
    for start in starts:
        if is_of(page, _content(until, start)):
            return Span(asked, start, until, page.after)
    return None


def _page(span: Span, wanted: Filter, changes: Changeset, limit: int) -> MirrorPage:
    until = span.until
    kept = {entry.record.id: entry.record for entry in view(until, wanted).entries}
    if span.since:
        moved = {one.id for one in changes if one.id in kept or one.disposition is not Disposition.ADD}
        ids = sorted(moved | (_touched(until, span.since.version) & kept.keys()))
    else:
        ids = list(kept)
    rest = ids[bisect_right(ids, span.after) :]
    content = _content(until, span.since)
    more = (
        encode_cursor(_kind(span.asked), until.point, rest[limit - 1], wanted, content) if len(rest) > limit else None
    )
    return MirrorPage(
        version=until.version,
        since=span.since.version if span.since else None,
        reset=not (span.since or span.after),
        items=tuple(record_view(until, kept[one]) for one in rest[:limit] if one in kept),
        removed=tuple(_tombstone(until, one) for one in rest[:limit] if one not in kept),
        next=more,
        next_since=None,
    )


def _touched(until: Snapshot, since: int) -> set[str]:
    """Return the records that changed after ``since``, those among them that are as they were then again."""
    return {id_ for content in until.contents for id_, mark in content.marks.items() if mark.last_changed > since}


def _tombstone(until: Snapshot, id_: str) -> Tombstone:
    content = until.by_source.get(id_.partition(":")[0])
    return Tombstone(id_, content.version.version if content else until.version)


def _token(until: Snapshot, wanted: Filter) -> str:
    return f"{until.version}-{_digest((content.version for content in until.contents), wanted)}"


def _digest(versions: Iterable[Version], wanted: Filter) -> str:
    """Return what tells this state, through this filter, from any other with the same number."""
    made_by = sorted(f"{one.source} {one.version} {one.digest} {one.committed_at.timestamp()}" for one in versions)
    return hashlib.sha256("\n".join((*made_by, repr(wanted))).encode()).hexdigest()[:12]


def _content(until: Snapshot, start: Point | None) -> str:
    return f"{start.version if start else 'nothing'} {until.identity}"


def _kind(asked: str) -> str:
    return f"changes {asked}"
