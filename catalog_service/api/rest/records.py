"""``/v1/endpoints``: endpoint sets, as pages and one by one."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body
from catalog_service.api.parameters import at_of, is_number, limit_of, one
from catalog_service.api.reads.records import page_start, record_page
from catalog_service.api.rest.context import Context, canonical, encode, lasting, page, subject, told
from catalog_service.api.rest.operation import AT, CURSOR, FILTERS, Operation, in_path, limit
from catalog_service.views.records import Record, RecordPage, record_view

_DEFAULT, _MOST = 500, 5000


async def endpoints(context: Context, request: Request) -> Response:
    """The endpoint sets a filter keeps, by id, in pages."""
    given = request.query_params
    wanted, at = context.filter(given), at_of(given)
    limit = limit_of(given, default=_DEFAULT, most=_MOST)
    snapshot, after = await page_start(context.reader, wanted, at, one(given, "cursor"))

    async def rendered() -> Body:
        found = await asyncio.to_thread(record_page, snapshot, context.sources, wanted, after, limit)
        return page(request, found, told(found))

    asked = subject(snapshot, "endpoints", f"{canonical(wanted)}\n{limit}\n{after}")
    return await context.answers.versioned(request, asked, rendered, immutable=lasting(given, wanted))


async def endpoint(context: Context, request: Request) -> Response:
    """One endpoint set."""
    at = at_of(request.query_params)
    snapshot = await context.reader.at(at)
    record = snapshot.endpoint_set(request.path_params["id"])

    async def rendered() -> Body:
        return Body(encode(record_view(snapshot, record)))

    asked = subject(snapshot, "endpoint", record.id)
    return await context.answers.versioned(request, asked, rendered, immutable=is_number(at), keep=False)


OPERATIONS = (
    Operation("/v1/endpoints", endpoints, RecordPage, (*FILTERS, AT, limit(_DEFAULT, _MOST), CURSOR), (404, 410, 503)),
    Operation("/v1/endpoints/{id}", endpoint, Record, (in_path("id", "`source:key`."), AT), (404, 410, 503)),
)
