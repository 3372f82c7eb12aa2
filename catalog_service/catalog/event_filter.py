"""Which events somebody wants, and which of a version's changes.

In: an `EventFilter`, as a subscription, a stream or a feed has it. Out: whether an event is one of those wanted, and
the `DiffFilter` that `compare` asks of its changes. Pure; called by notify, by subscriptions and by the API.
"""

from __future__ import annotations

from catalog_service.catalog.compare import DiffFilter, impacts_asked
from catalog_service.catalog.select import Filter
from schema.event import Event, EventType
from schema.subscription import EventFilter


def passes(event: Event, wanted: EventFilter) -> bool:
    """Tell whether ``event`` is of a type and of a source that ``wanted`` keeps; names are compared without case.

    A notice of a source (held, degraded, recovered) is about all of it: the filters over records have no say in it, and
    it passes whatever they are. One that a subscription was disabled is of no source: ``sources`` has no say in it
    either. Whether a version has a change that is wanted is not told here: `compare` finds that.
    """
    if wanted.types and event.type not in wanted.types:
        return False
    if event.type is EventType.DISABLED or not wanted.sources:
        return True
    return event.source.casefold() in {source.casefold() for source in wanted.sources}


def diff_filter(wanted: EventFilter) -> DiffFilter:
    """Return which changes of a version ``wanted`` keeps.

    Raises:
        BadParameterError: none of its impacts asks as much as its ``impact_at_least``.
    """
    records = Filter(
        sources=wanted.sources,
        services=wanted.services,
        tags=wanted.tags,
        clouds=wanted.clouds,
        regions=wanted.regions,
        directions=wanted.directions,
        kinds=wanted.kinds,
    )
    impacts = impacts_asked(wanted.impacts, wanted.impact_at_least)
    return DiffFilter(records, wanted.family, wanted.only, impacts, wanted.material)
