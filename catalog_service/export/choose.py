"""The records of an allowlist, or an error: never a list that is silently empty or short.

In: a snapshot and a `Filter`. Out: the records it keeps. Called by REST, GraphQL and the command line.
"""

from __future__ import annotations

from catalog_service.catalog.select import Filter, select
from catalog_service.catalog.snapshot import Snapshot
from schema.endpoint_set import EndpointSet
from schema.errors import NoMatchError


def chosen(snapshot: Snapshot, wanted: Filter) -> tuple[EndpointSet, ...]:
    """Return the records of ``snapshot`` that ``wanted`` keeps, sorted by id, never empty.

    Each value given must keep at least one record: one that keeps none beside others that do, misspelled
    or not published yet, would shorten the list without a sign.

    Raises:
        NoMatchError: nothing is kept, or one of those words keeps nothing.
    """
    records = select(snapshot.endpoint_sets, wanted)
    if not records:
        raise NoMatchError(f"no endpoint set of version {snapshot.version} passes the filter", version=snapshot.version)
    for parameter, alone in _words(wanted):
        for value, one in alone:
            if not select(records, one):
                message = f"{parameter} {value!r} adds no endpoint set at version {snapshot.version}"
                raise NoMatchError(message, parameter=parameter, value=value, version=snapshot.version)
    return records


def _words(wanted: Filter) -> tuple[tuple[str, tuple[tuple[str, Filter], ...]], ...]:
    """Return each value by itself as a filter, by parameter."""
    return (
        ("source", tuple((value, Filter(sources=(value,))) for value in wanted.sources)),
        ("service", tuple((value, Filter(services=(value,))) for value in wanted.services)),
        ("cloud", tuple((value.value, Filter(clouds=(value,))) for value in wanted.clouds)),
        ("region", tuple((value, Filter(regions=(value,))) for value in wanted.regions)),
        ("direction", tuple((value.value, Filter(directions=(value,))) for value in wanted.directions)),
        ("kind", tuple((value.value, Filter(kinds=(value,))) for value in wanted.kinds)),
    )
