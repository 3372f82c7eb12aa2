"""The region crosswalk as it is published, and the catalogue's spellings that it does not know.

In: a snapshot. Out: `Regions`. What nobody knows is kept as written and reported here. Called by REST,
GraphQL and the command line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec import UNSET, Struct

from catalog_service.catalog.snapshot import Snapshot
from schema.endpoint_set import EndpointSet
from schema.regions import GEOGRAPHIES, REGIONS, Geography, Region, known_region


class UnknownRegion(Struct, frozen=True):
    """One spelling that `schema.region_table` does not hold; ``endpoint_set_count`` records of ``source`` have it."""

    spelling: str
    source: str
    endpoint_set_count: int


class Regions(Struct, frozen=True):
    """``/v1/regions``: every region and geography, and what the catalogue at ``version`` names besides."""

    version: int
    regions: tuple[Region, ...]
    geographies: tuple[Geography, ...]
    unknown: tuple[UnknownRegion, ...]


def all_regions(snapshot: Snapshot) -> Regions:
    """Return the crosswalk and the spellings of ``snapshot`` outside it."""
    return Regions(snapshot.version, REGIONS, GEOGRAPHIES, unknown_regions(snapshot))


def unknown_regions(snapshot: Snapshot) -> tuple[UnknownRegion, ...]:
    """Return the spellings that no region or geography has, sorted by spelling and source; may be empty."""
    found = Counter(
        (spelling, record.source)
        for record in snapshot.endpoint_sets
        for spelling in _spellings(record)
        if not known_region(spelling)
    )
    return tuple(UnknownRegion(spelling, source, count) for (spelling, source), count in sorted(found.items()))


def _spellings(record: EndpointSet) -> Iterator[str]:
    if record.region:
        yield record.region
    if record.attributes is not None and record.attributes.gateway_regions is not UNSET:
        yield from record.attributes.gateway_regions
