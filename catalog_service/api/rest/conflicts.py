"""``/v1/conflicts``: where sources disagree, and names that need a second look."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body
from catalog_service.api.context import Context, encode, listed, subject
from catalog_service.api.parameters import at_of, many, words_of
from catalog_service.api.reads.asked import check_ready
from catalog_service.api.reads.conflicts import conflicts_at
from catalog_service.api.reads.sources import check_sources
from catalog_service.api.rest.operation import AT, SOURCE, Operation, words_parameter
from catalog_service.catalog.conflict import ConflictKind, Conflicts


async def conflicts(context: Context, request: Request) -> Response:
    """Where sources disagree on a name or a region's addresses, and names that need a second look."""
    given = request.query_params
    sources = check_sources(context.reader, context.sources, many(given, "source"))
    kinds, at = words_of(given, "kind", ConflictKind), at_of(given)
    check_ready(context.reader, at)
    snapshot = await context.reader.at(at)

    async def rendered() -> Body:
        found = await asyncio.to_thread(conflicts_at, snapshot, context.sources, sources, kinds)
        return Body(encode(found), headers=listed("Missing-Sources", found.missing))

    # Never for good: the crosswalk of regions has a part in it, and a release may know more of them.
    return await context.answers.versioned(request, subject(snapshot, "conflicts", f"{sources}\n{kinds}"), rendered)


_KIND = words_parameter("kind", ConflictKind, "What sources disagree on.")
OPERATIONS = (Operation("/v1/conflicts", conflicts, Conflicts, (SOURCE, _KIND, AT), (404, 410, 503)),)
