"""``/v1/history``: when was this listed, by whom, when did it leave and return?"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body
from catalog_service.api.context import Context, encode
from catalog_service.api.parameters import many, one
from catalog_service.api.reads.biographies import biography
from catalog_service.api.reads.sources import check_sources
from catalog_service.api.rest.operation import SOURCE, Operation, Parameter
from catalog_service.views.biographies import Biography
from schema.errors import BadParameterError

_Q = Parameter(
    "q",
    "An address, a CIDR block, a host name, a URL, whose host is meant, or the id of a record.",
    required=True,
    example="13.69.227.210",
)
_ON = Parameter("on", "Tell whether it was listed then: a date or a date-time (UTC).", example="2024-05-01")


async def history(context: Context, request: Request) -> Response:
    """When something was listed, by which sources and records, each change, and whether it was on a given day.

    Imported history and live versions in one order, by upstream's time.
    """
    given = request.query_params
    query, on = one(given, "q"), one(given, "on")
    names = check_sources(context.reader, context.sources, many(given, "source"))
    if query is None:
        message = "q is needed: an address, a CIDR block, a host name, a URL or the id of a record"
        raise BadParameterError(message, parameter="q")
    found = await biography(context.reader, context.sources, query, names, on)
    # An import moves it without a new live version: its own bytes are its name.
    return await context.answers.unversioned(request, Body(encode(found)))


OPERATIONS = (Operation("/v1/history", history, Biography, (_Q, _ON, SOURCE), (404, 410, 503)),)
