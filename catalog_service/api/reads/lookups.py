"""Which records hold an address, a block, a name or a URL's host; one query, or thousands of lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from msgspec import Struct

from catalog_service.api.reads.asked import Sources, with_missing
from catalog_service.api.reads.sources import missing_sources
from catalog_service.catalog.lookup import LookupIndex, Match
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.target import Target, read_target
from catalog_service.catalog.view import View, view
from catalog_service.views.lookups import BulkLookup, ItemViews, Lookup, LookupItem, bulk_view, lookup_view
from schema.errors import BadParameterError

MOST_LINES = 10_000
MOST_ALONE = 10_000
"""Matches of one query: ``0.0.0.0/0`` would have 71,000, and 16 MB."""
MOST_MATCHES = 100_000
"""In one bulk answer."""
_SHOWN = 300


def looked_up(snapshot: Snapshot, sources: Sources, query: str, wanted: Filter) -> Lookup:
    """Return the records that hold ``query``, of those that ``wanted`` keeps.

    Raises:
        BadParameterError: ``query`` or ``wanted`` cannot be understood, or there are more than `MOST_ALONE` matches.
    """
    target = read_target(query)
    among = _among(snapshot, sources, wanted)
    if (matches := among.find(target)) is None:
        raise BadParameterError(_too_wide(target), parameter="q", value=target.text, most=MOST_ALONE)
    return lookup_view(query.strip(), target, snapshot, matches, among.seen)


def looked_up_all(snapshot: Snapshot, sources: Sources, queries: Iterable[str], wanted: Filter) -> BulkLookup:
    """Return an item for each of ``queries``; one that cannot be looked up is an item that says why.

    Raises:
        BadParameterError: more than `MOST_LINES`; or ``wanted`` cannot be understood.
    """
    lines = tuple(query.strip() for query in queries)
    if len(lines) > MOST_LINES:
        message = f"{len(lines)} lines are more than {MOST_LINES}: ask in several requests"
        raise BadParameterError(message, parameter="body", most=MOST_LINES)
    among = _among(snapshot, sources, wanted)
    return bulk_view(snapshot, _items(lines, among), among.seen)


def queries_of(text: str) -> tuple[str, ...]:
    """Return the lines of ``text`` to look up: blank ones and those that begin with ``#`` are skipped."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


class _Among(Struct, frozen=True):
    """What a filter sees, and the index to find matches in."""

    seen: View
    index: LookupIndex
    kept: frozenset[str] | None = None
    """Ids of the records to find, None: all of the index."""

    def find(self, target: Target) -> tuple[Match, ...] | None:
        """Return the matches of ``target``, None where they are more than `MOST_ALONE`."""
        if self.kept is None and self.index.is_past(target, MOST_ALONE):
            return None
        found = self.index.find(target)
        if self.kept is not None:
            found = tuple(match for match in found if match.record.id in self.kept)
        return found if len(found) <= MOST_ALONE else None


def _among(snapshot: Snapshot, sources: Sources, wanted: Filter) -> _Among:
    missing = missing_sources(snapshot, sources, wanted)
    if wanted == Filter():
        return _Among(with_missing(View(), missing), snapshot.index)
    found = with_missing(view(snapshot, wanted), missing)
    if wanted.scenarios or wanted.resolve:  # prefixes of tags stand in records that do not hold them by themselves
        return _Among(found, LookupIndex(found.records))
    return _Among(found, snapshot.index, frozenset(record.id for record in found.records))


def _items(lines: Iterable[str], among: _Among) -> Iterator[LookupItem]:
    views, left = ItemViews(among.seen), MOST_MATCHES
    find = cache(among.find)  # a filter looks through whole blocks: once, however many lines repeat one
    for line in lines:
        try:
            target = read_target(line)
        except BadParameterError as error:
            yield LookupItem(line[:_SHOWN], error=str(error))
            continue
        matches = find(target)
        if matches is None:
            yield LookupItem(line, error=_too_wide(target))
        elif len(matches) > left:
            yield LookupItem(line, error=f"this answer would have more than {MOST_MATCHES} matches: ask for it alone")
        else:
            left -= len(matches)
            yield views.item(line, target, matches)


def _too_wide(target: Target) -> str:
    return f"{target.text} has more than {MOST_ALONE} matches: ask for narrower blocks, or filter"
