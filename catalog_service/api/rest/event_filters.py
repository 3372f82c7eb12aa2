"""Which events are asked for: parameters of a query, or a filter that somebody saved. Called by streams and feeds."""

from __future__ import annotations

from msgspec.structs import replace
from starlette.datastructures import QueryParams

from catalog_service.api.context import Context
from catalog_service.api.parameters import many, one, words_of
from catalog_service.api.rest.operation import (
    CLOUD,
    DIRECTION,
    REGION,
    SERVICE,
    SOURCE,
    TAG,
    Parameter,
    words_parameter,
)
from schema.errors import BadParameterError
from schema.event import EventType
from schema.regions import known_region
from schema.subscription import EventFilter
from schema.words import Family, Impact, Kind, Only

TOLD = (EventType.COMMITTED, EventType.HELD, EventType.DEGRADED, EventType.RECOVERED)
"""What everybody may hear of; how subscriptions fare is their owners' business."""
_BY_DEFAULT = EventFilter().types
_TYPE = Parameter("type", "What happened.", words=TOLD, many=True, default=",".join(_BY_DEFAULT))
_CHANGES = (
    *(SOURCE, SERVICE, TAG, CLOUD, REGION, DIRECTION),
    words_parameter("kind", Kind, "Which members to tell of."),
    Parameter("family", "Of the prefixes to tell of.", words=tuple(Family), default="both"),
    Parameter("only", "Members added, or members removed.", words=tuple(Only)),
    words_parameter("impact", Impact, "Microsoft's words for what a change asks of a customer."),
    Parameter("impact_at_least", "As much to do as this, or more.", words=tuple(Impact)),
    Parameter("material", "Leave out counters, wording and prefixes that are only cut otherwise.", ("yes", "no")),
)
_SAVED = Parameter("filter", "A saved filter by its name, in place of the others.")
CHANGE_FILTERS = (*_CHANGES, _SAVED)
"""Of an address that tells of versions alone."""
EVENT_FILTERS = (_TYPE, *CHANGE_FILTERS)


async def event_filter(context: Context, given: QueryParams) -> EventFilter:
    """Return the filter that ``given`` asks for, of types that everybody may hear of, never none.

    Raises:
        BadParameterError: a value that is none; others beside a saved filter; one that keeps what nobody may hear of.
        UnknownSourceError, UnknownSubscriptionError: there is no such source, or saved filter.
    """
    name = one(given, "filter")
    if name is None:
        return _asked(context, given)
    if beside := next((each.name for each in EVENT_FILTERS if each is not _SAVED and each.name in given), None):
        raise BadParameterError("a saved filter stands alone: leave this out, or filter", parameter=beside)
    saved = (await context.reader.store.saved_filters.get(name)).filter
    types = tuple(type_ for type_ in TOLD if not saved.types or type_ in saved.types)
    if not types:
        raise BadParameterError("this filter keeps nothing but what subscriptions alone are told", parameter="filter")
    return replace(saved, types=types)


def _asked(context: Context, given: QueryParams) -> EventFilter:
    if region := next((each for each in many(given, "region") if known_region(each) is None), None):
        raise BadParameterError(f"no region is called {region[:80]!r}", parameter="region", value=region[:80])
    wanted, types = context.diff_filter(given), words_of(given, "type", EventType) or _BY_DEFAULT
    if refused := next((type_ for type_ in types if type_ not in TOLD), None):
        message = f"{refused} is told to its subscription alone; there are {', '.join(TOLD)}"
        raise BadParameterError(message, parameter="type", value=refused, known=TOLD)
    records = wanted.records
    return EventFilter(
        types=types,
        sources=records.sources,
        services=records.services,
        tags=records.tags,
        clouds=records.clouds,
        regions=records.regions,
        directions=records.directions,
        kinds=records.kinds,
        family=wanted.family,
        only=wanted.only,
        impacts=wanted.impacts,
        material=wanted.material,
    )
