"""``/v1/events``: what happens, as server-sent events that a browser's EventSource resumes by itself."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.actions import may_still_read
from catalog_service.api.context import Context
from catalog_service.api.event_stream import MEDIA_TYPE, EventStream
from catalog_service.api.parameters import one, word_of
from catalog_service.api.rest.event_filters import EVENT_FILTERS, event_filter
from catalog_service.api.rest.operation import Operation, Parameter
from schema.errors import BadParameterError
from schema.event import Event, Place, place_of
from schema.subscription import Payload, parcel_of

_LAST_EVENT_ID = "Last-Event-ID"
_PARAMETERS = (
    *EVENT_FILTERS,
    Parameter("payload", "The changes themselves up to 20 kB, or counts alone.", tuple(Payload), default="full"),
    Parameter(
        "since",
        "Tell what happened after this: a version's number, or the id of an event. The header Last-Event-ID goes"
        " before it. Without either, what happens from now on.",
        example="42",
    ),
)


async def events(context: Context, request: Request) -> Response:
    """What happens, as it happens, as server-sent events.

    Each event has the `type` of its message as its name, the message as its data (`schema/published/events`), and as
    its id the place to go on from. The stream begins with the id it begins after; a client that comes back with the
    last id it read (`Last-Event-ID`) misses nothing and hears nothing twice. A comment comes every 15 s; a client that
    reads nothing for 30 s is sent away, to come back.
    """
    given = request.query_params
    wanted = await event_filter(context, given)
    payload = word_of(given, "payload", Payload) or Payload.FULL
    since = _resumed(request)
    start = context.hub.newest if since is None else await context.hub.check(since)

    async def tell(event: Event) -> bytes | None:
        if event.type not in wanted.types:
            return None
        found = await context.bodies.body(parcel_of(event), event.notice, wanted, payload)
        return found.body if found else None

    authorization = request.headers.get("authorization", "")
    return EventStream(context.hub, start, tell, lambda: may_still_read(context.actions, authorization))


def _resumed(request: Request) -> Place | None:
    """Return where to begin: a browser that comes back names the last event, and asks as it did at first."""
    since = one(request.query_params, "since")
    last = request.headers.get(_LAST_EVENT_ID, "").strip()
    name, text = (_LAST_EVENT_ID, last) if last else ("since", since)
    if text is None:
        return None
    if (place := place_of(text)) is None:
        message = f"{name} is the number of a version, or the id of an event, such as 42 or 42-1"
        raise BadParameterError(message, parameter=name, value=text[:80])
    return place


OPERATIONS = (Operation("/v1/events", events, (MEDIA_TYPE,), _PARAMETERS, (404, 503)),)
