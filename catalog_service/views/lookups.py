"""Answers to "which endpoint sets hold this?"."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from catalog_service.catalog.lookup import Match, Relation
from catalog_service.catalog.resolve import Unresolved
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.target import Target
from catalog_service.catalog.view import Note, Unpublished, Use, View
from schema.words import Cloud, Direction


class MatchView(Struct, frozen=True, omit_defaults=True):
    """One record that covers what was looked up (or lies inside it), and the member that does."""

    id: str
    source: str
    service: str
    title: str
    relation: Relation
    prefix: str | None = None
    fqdn: str | None = None
    cloud: Cloud | None = None
    clouds: tuple[Cloud, ...] = ()
    region: str | None = None
    direction: Direction | None = None
    category: str | None = None
    protocols: tuple[str, ...] = ()
    tcp_ports: tuple[str, ...] = ()
    udp_ports: tuple[str, ...] = ()
    scenarios: tuple[Use, ...] = ()
    """Which of the scenarios asked for want it, and in which direction."""


class Lookup(Struct, frozen=True, omit_defaults=True):
    """``/v1/lookup``: the most specific match first. What is to be said of it is as in `RecordPage`."""

    query: str
    version: int
    matches: tuple[MatchView, ...]
    looked_up: str | None = None
    """What was looked up, where that is not the query as it stands: a URL's host, the IPv4 in a mapped address."""
    as_of: datetime | None = None
    clouds: tuple[Cloud, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    unpublished: tuple[Unpublished, ...] = ()
    notes: tuple[Note, ...] = ()
    missing: tuple[str, ...] = ()


class LookupItem(Struct, frozen=True, omit_defaults=True):
    """One line of many: its matches, or why it could not be looked up."""

    query: str
    matches: tuple[MatchView, ...] | UnsetType = UNSET
    """The most specific first, () when nothing holds it; absent beside an error."""
    looked_up: str | None = None
    error: str | None = None


class BulkLookup(Struct, frozen=True, omit_defaults=True):
    """``POST /v1/lookup``: an item for each line, in their order; the rest as in `Lookup`."""

    version: int
    items: tuple[LookupItem, ...]
    as_of: datetime | None = None
    clouds: tuple[Cloud, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    unpublished: tuple[Unpublished, ...] = ()
    notes: tuple[Note, ...] = ()
    missing: tuple[str, ...] = ()


def lookup_view(query: str, target: Target, snapshot: Snapshot, matches: Iterable[Match], found: View) -> Lookup:
    """Return the answer to ``query``, read as ``target``; ``found`` says who wants the records and what lacks."""
    uses = _uses(found)
    return Lookup(
        query,
        snapshot.version,
        tuple(_match_view(match, uses) for match in matches),
        _rewritten(target),
        snapshot.as_of,
        found.clouds,
        found.unresolved,
        found.unpublished,
        found.notes,
        found.missing,
    )


def bulk_view(snapshot: Snapshot, items: Iterable[LookupItem], found: View) -> BulkLookup:
    """Return the answer to many queries."""
    return BulkLookup(
        snapshot.version,
        tuple(items),
        snapshot.as_of,
        found.clouds,
        found.unresolved,
        found.unpublished,
        found.notes,
        found.missing,
    )


class ItemViews:
    """Makes the items of one bulk answer. Lines of one network share their matches: each is made once."""

    def __init__(self, found: View) -> None:
        self._uses = _uses(found)
        self._known: dict[tuple[str, str | None, Relation], MatchView] = {}

    def item(self, query: str, target: Target, matches: Iterable[Match]) -> LookupItem:
        """Return the item of a line that could be looked up."""
        return LookupItem(query, tuple(map(self._view, matches)), _rewritten(target))

    def _view(self, match: Match) -> MatchView:
        key = (match.record.id, match.prefix or match.fqdn, match.relation)
        if (known := self._known.get(key)) is None:
            known = self._known[key] = _match_view(match, self._uses)
        return known


def _uses(found: View) -> dict[str, tuple[Use, ...]]:
    return {entry.record.id: entry.scenarios for entry in found.entries if entry.scenarios}


def _rewritten(target: Target) -> str | None:
    return target.text if target.rewritten else None


def _match_view(match: Match, uses: dict[str, tuple[Use, ...]]) -> MatchView:
    record = match.record
    return MatchView(
        record.id,
        record.source,
        record.service,
        record.title,
        match.relation,
        match.prefix,
        match.fqdn,
        record.cloud,
        record.clouds,
        record.region,
        record.direction,
        record.category,
        record.protocols,
        record.tcp_ports,
        record.udp_ports,
        uses.get(record.id, ()),
    )
