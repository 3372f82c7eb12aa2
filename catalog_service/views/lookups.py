"""Answers to "which endpoint sets hold this?"."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from catalog_service.catalog.lookup import Match, Relation
from catalog_service.catalog.resolve import Unresolved
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import Note, Unpublished, Use, View
from schema.endpoint_set import EndpointSet
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


def lookup_view(query: str, snapshot: Snapshot, matches: Iterable[Match], found: View) -> Lookup:
    """Return the answer to ``query`` among the records ``found``, or among all where its entries are none."""
    uses = {entry.record.id: entry.scenarios for entry in found.entries}
    return Lookup(
        query,
        snapshot.version,
        tuple(_match_view(match, uses.get(match.record.id, ())) for match in matches),
        snapshot.as_of,
        found.clouds,
        found.unresolved,
        found.unpublished,
        found.notes,
        found.missing,
    )


def _match_view(match: Match, scenarios: tuple[Use, ...]) -> MatchView:
    shared = {name: getattr(match.record, name) for name in _SHARED}
    return MatchView(**shared, prefix=match.prefix, fqdn=match.fqdn, scenarios=scenarios)


_SHARED = tuple(name for name in MatchView.__struct_fields__ if name in EndpointSet.__struct_fields__)
