"""``/v1/changes``: the catalogue for mirrors, a page of changes at a time."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body
from catalog_service.api.context import Context, canonical, listed, page, subject
from catalog_service.api.parameters import limit_of, one
from catalog_service.api.reads.asked import check_ready
from catalog_service.api.reads.mirrors import Span, mirror_page, mirror_span, restarted
from catalog_service.api.rest.operation import (
    CLOUD,
    CURSOR,
    DIRECTION,
    KIND,
    REGION,
    SERVICE,
    SOURCE,
    TAG,
    Operation,
    Parameter,
    limit,
)
from catalog_service.catalog.select import Filter
from catalog_service.views.mirrors import MirrorPage
from schema.errors import GoneError, UnknownVersionError

_DEFAULT, _MOST = 500, 5000
_SINCE = Parameter(
    "since",
    "`next_since` of the answer before, or the number of a version. Without it, and where it is not known here, the"
    " full set is the answer.",
    example="42",
)


async def changes(context: Context, request: Request) -> Response:
    """What a mirror has to do to have what is current.

    Fetch every page, then apply them in their order: put `items`, delete `removed`, begin from nothing where `reset` is
    set; next time ask for the last page's `next_since`. What `since` names may be
    pruned, of another catalogue or unknown: that leads to the full set, never to an error or a gap.
    """
    given = request.query_params
    wanted = context.filter(given)
    limit = limit_of(given, default=_DEFAULT, most=_MOST)
    check_ready(context.reader)
    span = await mirror_span(context.reader, wanted, one(given, "since"), one(given, "cursor"))
    try:
        return await _answer(context, request, wanted, span, limit)
    except (GoneError, UnknownVersionError):
        return await _answer(context, request, wanted, restarted(context.reader, span.asked), limit)


async def _answer(context: Context, request: Request, wanted: Filter, span: Span, limit: int) -> Response:
    async def rendered() -> Body:
        found = await mirror_page(context.reader, context.sources, wanted, span, limit)
        return page(request, found, listed("Missing-Sources", found.missing))

    start = span.since.version if span.since else ""
    asked = subject(span.until, "changes", f"{canonical(wanted)}\n{limit}\n{span.asked}\n{start}\n{span.after}")
    return await context.answers.versioned(request, asked, rendered)


OPERATIONS = (
    Operation(
        "/v1/changes",
        changes,
        MirrorPage,
        (_SINCE, SOURCE, SERVICE, TAG, CLOUD, REGION, DIRECTION, KIND, limit(_DEFAULT, _MOST), CURSOR),
        (404, 503),
    ),
)
