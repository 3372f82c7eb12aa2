"""``/v1/subscriptions/{id}/deliveries``: what one subscription was told, and how it went, for who may."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.context import Context, page
from catalog_service.api.parameters import limit_of, one
from catalog_service.api.reads.asked import naming
from catalog_service.api.rest.acting import answered, desk_for
from catalog_service.api.rest.operation import CURSOR, Operation, in_path, limit
from catalog_service.api.rest.subscriptions import ID
from catalog_service.subscriptions.shown import A_PAGE, MOST_A_PAGE
from catalog_service.views.subscriptions import DeliveryPage, DeliveryView


async def deliveries(context: Context, request: Request) -> Response:
    """The deliveries to a subscription and their attempts, newest first."""
    desk, given = desk_for(context, request), request.query_params
    limit = limit_of(given, default=A_PAGE, most=MOST_A_PAGE)
    with naming(CURSOR.name, instead_of="delivery"):
        found = await desk.deliveries(request.path_params["id"], limit, one(given, CURSOR.name))
    return answered(page(request, found))


async def delivery(context: Context, request: Request) -> Response:
    """One delivery and its attempts, for as long as the log has it."""
    desk = desk_for(context, request)
    return answered(await desk.delivery(request.path_params["id"], request.path_params["delivery"]))


OPERATIONS = (
    Operation(
        "/v1/subscriptions/{id}/deliveries",
        deliveries,
        DeliveryPage,
        (ID, limit(A_PAGE, MOST_A_PAGE), CURSOR),
        (404, 503),
    ),
    Operation(
        "/v1/subscriptions/{id}/deliveries/{delivery}",
        delivery,
        DeliveryView,
        (ID, in_path("delivery", "The `webhook-id`.", "msg_mfrggzdfmztwq2lknnwg23tp")),
        (404, 503),
    ),
)
