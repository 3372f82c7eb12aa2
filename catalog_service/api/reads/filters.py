"""Filters as everybody asks them: what they name is there, and is spelled as it spells itself."""

from __future__ import annotations

from msgspec.structs import replace

from catalog_service.api.reads.asked import Sources
from catalog_service.api.reads.scenarios import check_scenarios
from catalog_service.api.reads.sources import check_sources
from catalog_service.catalog.select import Filter
from catalog_service.reader import Reader


def check_filter(reader: Reader, sources: Sources, wanted: Filter) -> Filter:
    """Return ``wanted`` with its sources and scenarios in their own spelling.

    Raises:
        BadParameterError, UnknownSourceError: there is no such scenario or source.
    """
    names = check_sources(reader, sources, wanted.sources)
    return replace(wanted, sources=names, scenarios=check_scenarios(wanted.scenarios))
