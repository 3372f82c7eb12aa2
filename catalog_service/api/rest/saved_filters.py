"""``/v1/filters``: filters with names, that subscriptions, streams and feeds use.

Everybody may read them, as labels: a stream or a feed takes one by its name without any token, and who cannot see
what it keeps cannot know what is left out. An operator saves and deletes them.
"""

from __future__ import annotations

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body
from catalog_service.api.context import Context, encode
from catalog_service.api.rest.acting import BY, OF_A_BODY, answered, asked_by, body_of, desk_for, done
from catalog_service.api.rest.operation import Operation, in_path
from catalog_service.subscriptions.wanted import NewFilter, WantedFilter
from schema.subscription import SavedFilter
from schema.words import Cloud, Direction

_NAME = in_path("name", "Of a filter: as a label's.", "plant-firewall")


class SavedFilterList(Struct, frozen=True):
    """``/v1/filters``, sorted by name."""

    items: tuple[SavedFilter, ...]


async def filters(context: Context, request: Request) -> Response:
    """The filters that subscriptions, streams and feeds can name."""
    found = SavedFilterList(await context.reader.store.saved_filters.all())
    return await context.answers.unversioned(request, Body(encode(found)))


async def save_filter(context: Context, request: Request) -> Response:
    """Save a filter under a name, in place of the one before: what uses it is told by the new one from then on."""
    desk = desk_for(context, request)
    wanted = await body_of(request, NewFilter)
    return answered(await desk.save_filter(request.path_params["name"], wanted, asked_by(request)))


async def delete_filter(context: Context, request: Request) -> Response:
    """Delete a filter that no subscription uses."""
    desk = desk_for(context, request)
    await desk.delete_filter(request.path_params["name"], asked_by(request))
    return done()


_NEW = NewFilter(
    WantedFilter(clouds=(Cloud.PUBLIC,), regions=("westeurope",), directions=(Direction.OUTBOUND,), material=True),
    "What the firewall of the plant in Freiberg lets through",
)

OPERATIONS = (
    Operation("/v1/filters", filters, SavedFilterList, problems=(503,)),
    Operation(
        "/v1/filters/{name}",
        save_filter,
        SavedFilter,
        (_NAME, BY),
        (409, *OF_A_BODY, 503),
        method="PUT",
        body=_NEW,
    ),
    Operation(
        "/v1/filters/{name}",
        delete_filter,
        (),
        (_NAME, BY),
        (404, 409, 503),
        method="DELETE",
        status=204,
    ),
)
