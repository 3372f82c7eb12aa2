"""Which records hold an address, a block or a name."""

from __future__ import annotations

from catalog_service.api.reads.asked import Sources, with_missing
from catalog_service.api.reads.sources import missing_sources
from catalog_service.catalog.lookup import LookupIndex
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import View, view
from catalog_service.views.lookups import Lookup, lookup_view
from schema.errors import BadParameterError


def looked_up(snapshot: Snapshot, sources: Sources, query: str, wanted: Filter) -> Lookup:
    """Return the records that cover ``query``: all, or those that scenarios want. Raises BadParameterError."""
    found = view(snapshot, wanted) if wanted.scenarios else View()
    index = LookupIndex(found.records) if wanted.scenarios else snapshot.index
    told = with_missing(found, missing_sources(snapshot, sources, wanted))
    return lookup_view(query.strip(), snapshot, index.lookup(query), told)


def check_place(wanted: Filter) -> None:
    """Raise BadParameterError for a lookup that names a region or a cloud without a scenario to ask there."""
    if not wanted.scenarios and (wanted.regions or wanted.clouds):
        raise BadParameterError("region and cloud go with a scenario here", parameter="scenario")
