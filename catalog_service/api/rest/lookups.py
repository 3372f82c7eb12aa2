"""``/v1/lookup``: which endpoint sets hold this?"""

from __future__ import annotations

import asyncio

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body
from catalog_service.api.parameters import at_of, one
from catalog_service.api.reads.asked import check_ready
from catalog_service.api.reads.lookups import check_place, looked_up
from catalog_service.api.rest.context import Context, canonical, encode, lasting, subject, told
from catalog_service.api.rest.operation import AT, CLOUD, REGION, SCENARIO, Operation, Parameter
from catalog_service.views.lookups import Lookup
from schema.errors import BadParameterError

_Q = Parameter("q", "An address, a CIDR block or a host name.", required=True, example="13.69.227.210")


async def lookup(context: Context, request: Request) -> Response:
    """The records that cover an address, a block or a name, of all or of scenarios."""
    given = request.query_params
    query, at = one(given, "q"), at_of(given)
    wanted = context.filter(given)
    check_place(wanted)
    if query is None:
        raise BadParameterError("q is needed: an address, a CIDR block or a host name", parameter="q")
    check_ready(context.reader, at)
    snapshot = await context.indexed(at)

    async def rendered() -> Body:
        found = await asyncio.to_thread(looked_up, snapshot, context.sources, query, wanted)
        return Body(encode(found), headers=told(found))

    asked = subject(snapshot, "lookup", f"{canonical(wanted)}\n{query}")
    return await context.answers.versioned(request, asked, rendered, immutable=lasting(given, wanted), keep=False)


OPERATIONS = (
    Operation(
        "/v1/lookup",
        lookup,
        Lookup,
        (
            _Q,
            AT,
            SCENARIO,
            replace(REGION, description="Of a scenario: regions or geographies."),
            replace(CLOUD, description="Of a scenario: clouds."),
        ),
        (404, 410, 503),
    ),
)
