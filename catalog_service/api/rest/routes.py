"""Every operation of REST, and the routes they become. Called by `app` and by the contract generator."""

from __future__ import annotations

from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog_service.api.context import Context
from catalog_service.api.front import MAY_KEEP
from catalog_service.api.rest import (
    allowlists,
    audit,
    biographies,
    calendar,
    changes,
    conflicts,
    deliveries,
    diffs,
    documents,
    events,
    feeds,
    held,
    labels,
    lookups,
    records,
    saved_filters,
    signing_keys,
    sources,
    subscription_orders,
    subscriptions,
    tokens,
    versions,
)
from catalog_service.api.rest.acting import let_in
from catalog_service.api.rest.operation import Operation

OPERATIONS: tuple[Operation, ...] = (
    *sources.OPERATIONS,
    *versions.OPERATIONS,
    *labels.OPERATIONS,
    *changes.OPERATIONS,
    *records.OPERATIONS,
    *diffs.OPERATIONS,
    *lookups.OPERATIONS,
    *biographies.OPERATIONS,
    *allowlists.OPERATIONS,
    *conflicts.OPERATIONS,
    *documents.OPERATIONS,
    *held.OPERATIONS,
    *events.OPERATIONS,
    *feeds.OPERATIONS,
    *calendar.OPERATIONS,
    *subscriptions.OPERATIONS,
    *subscription_orders.OPERATIONS,
    *deliveries.OPERATIONS,
    *saved_filters.OPERATIONS,
    *signing_keys.OPERATIONS,
    *tokens.OPERATIONS,
    *audit.OPERATIONS,
)
"""Those of one address stand together."""
_OF_THE_SNAPSHOT = frozenset(
    {
        "/v1/allowlist",
        "/v1/conflicts",
        "/v1/endpoints",
        "/v1/endpoints/{id}",
        "/v1/lookup",
        "/v1/regions",
        "/v1/scenarios",
    }
)
"""Addresses whose answers, while a snapshot is the current one, depend on the request alone: nothing in the store."""


def routes(context: Context) -> list[Route]:
    """Return the route of each address; Starlette lets HEAD in wherever GET is."""
    return [_route(context, path, tuple(several)) for path, several in groupby(OPERATIONS, key=lambda one: one.path)]


def _route(context: Context, path: str, several: tuple[Operation, ...]) -> Route:
    by_method = {one.method: one for one in several}

    async def endpoint(request: Request) -> Response:
        operation = by_method["GET" if request.method == "HEAD" else request.method]
        await let_in(context, request, operation)
        operation.check_known(request.query_params)
        request.scope[MAY_KEEP] = path in _OF_THE_SNAPSHOT
        return await operation.handle(context, request)

    return Route(path, endpoint, methods=list(by_method))
