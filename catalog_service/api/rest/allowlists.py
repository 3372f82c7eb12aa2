"""``/v1/allowlist``: the unique prefixes and names of the records a filter keeps, in many formats."""

from __future__ import annotations

import asyncio
import functools

from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body
from catalog_service.api.negotiation import preferred
from catalog_service.api.parameters import at_of, is_yes, one
from catalog_service.api.reads.allowlists import exported
from catalog_service.api.reads.asked import check_ready
from catalog_service.api.rest.context import Context, canonical, lasting, subject, told
from catalog_service.api.rest.operation import AT, FILTERS, Operation, Parameter
from catalog_service.export.formats import FORMATS, MEDIA_TYPES, Format, format_named, render

_FORMAT = Parameter("format", "The format; by default what Accept asks for, else text.", words=FORMATS)
_PARTIAL = Parameter(
    "partial", "Without the pages of a scenario that nothing was published of yet.", words=("yes", "no"), default="no"
)


async def allowlist(context: Context, request: Request) -> Response:
    """The unique prefixes and names of the endpoint sets a filter keeps; never empty."""
    given = request.query_params
    wanted, at, format_ = context.filter(given), at_of(given), _format(request, one(given, "format"))
    partial = is_yes(given, "partial")
    check_ready(context.reader, at)
    snapshot = await context.reader.at(at)

    async def rendered() -> Body:
        read = functools.partial(exported, context.reader, snapshot, context.sources, wanted, partial=partial)
        found = await asyncio.to_thread(read)
        content = await asyncio.to_thread(render, format_.name, snapshot, found, wanted.kinds)
        return Body(content, format_.media_type, told(found))

    varies = "Accept-Encoding" if "format" in given else "Accept, Accept-Encoding"
    asked = subject(snapshot, "allowlist", f"{canonical(wanted)}\n{format_.name}\n{partial}", varies)
    return await context.answers.versioned(request, asked, rendered, immutable=lasting(given, wanted))


def _format(request: Request, name: str | None) -> Format:
    if name is None:
        name = FORMATS[MEDIA_TYPES.index(preferred(request.headers.get("accept", ""), MEDIA_TYPES))]
    return format_named(name)


OPERATIONS = (Operation("/v1/allowlist", allowlist, MEDIA_TYPES, (*FILTERS, AT, _FORMAT, _PARTIAL), (404, 410, 503)),)
