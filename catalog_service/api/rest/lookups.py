"""``/v1/lookup``: which endpoint sets hold this? One query by GET, up to 10,000 lines by POST."""

from __future__ import annotations

import asyncio
import hashlib

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body
from catalog_service.api.bounds import bounded_body
from catalog_service.api.context import Context, canonical, encode, lasting, subject, told
from catalog_service.api.parameters import at_of, one
from catalog_service.api.reads.asked import check_ready
from catalog_service.api.reads.lookups import looked_up, looked_up_all, queries_of
from catalog_service.api.rest.operation import AT, FILTERS, JSON, Operation, Parameter
from catalog_service.views.lookups import BulkLookup, Lookup
from schema.errors import BadParameterError

MOST_BYTES = 1 << 20
TEXT = "text/plain"

_Q = Parameter(
    "q",
    "An address, a CIDR block, a host name, or a URL, whose host is looked up.",
    required=True,
    example="13.69.227.210",
)


async def lookup(context: Context, request: Request) -> Response:
    """The records that hold an address, a block or a name, the most specific first; for a block those inside it too."""
    given = request.query_params
    query, at = one(given, "q"), at_of(given)
    wanted = context.filter(given)
    if query is None:
        raise BadParameterError("q is needed: an address, a CIDR block, a host name or a URL", parameter="q")
    check_ready(context.reader, at)
    snapshot = await context.indexed(at)

    async def rendered() -> Body:
        found = await asyncio.to_thread(looked_up, snapshot, context.sources, query, wanted)
        return Body(encode(found), headers=told(found))

    asked = subject(snapshot, "lookup", f"{canonical(wanted)}\n{query}")
    return await context.answers.versioned(request, asked, rendered, immutable=lasting(given, wanted), keep=False)


async def bulk_lookup(context: Context, request: Request) -> Response:
    """The same for up to 10,000 lines, as plain text or as a JSON array of strings.

    In text, blank lines and those that begin with ``#`` are skipped. A line that cannot be looked up is an item with
    an error beside the others.
    """
    given = request.query_params
    wanted, at = context.filter(given), at_of(given)
    queries = _queries(request.headers.get("content-type", ""), await bounded_body(request, MOST_BYTES))
    check_ready(context.reader, at)
    snapshot = await context.indexed(at)

    async def rendered() -> Body:
        found = await asyncio.to_thread(looked_up_all, snapshot, context.sources, queries, wanted)
        return Body(await asyncio.to_thread(encode, found), headers=told(found))

    asked = subject(snapshot, "lookup", f"{canonical(wanted)}\n{hashlib.sha256(encode(queries)).hexdigest()}")
    return await context.answers.versioned(request, asked, rendered, keep=False)


def _queries(content_type: str, body: bytes) -> tuple[str, ...]:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in {TEXT, JSON}:
        raise HTTPException(415, f"lines are sent as {TEXT}, or as a JSON array of strings as {JSON}")
    try:
        return queries_of(body.decode()) if media_type == TEXT else msgspec.json.decode(body, type=tuple[str, ...])
    except (UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise BadParameterError(f"the body cannot be read: {error}", parameter="body") from None


OPERATIONS = (
    Operation("/v1/lookup", lookup, Lookup, (_Q, AT, *FILTERS), (404, 410, 503)),
    Operation(
        "/v1/lookup",
        bulk_lookup,
        BulkLookup,
        (AT, *FILTERS),
        (404, 410, 413, 415, 503),
        method="POST",
        takes=(TEXT, JSON),
    ),
)
