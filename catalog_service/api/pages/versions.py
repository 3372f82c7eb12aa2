"""``/versions``: every version, and two of them to compare."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.pages.page import Pages, given_of
from catalog_service.api.parameters import one
from catalog_service.api.reads.sources import check_source
from catalog_service.api.reads.versions import version_page

_ON_A_PAGE = 50


async def versions(pages: Pages, request: Request) -> Response:
    """Answer with a page of versions, newest first."""
    given, context = given_of(request, "source", "cursor"), pages.context
    source, cursor = one(given, "source"), one(given, "cursor")
    if source:
        source = check_source(context.reader, context.sources, source)
    found = await version_page(context.reader, source, _ON_A_PAGE, cursor)
    labels = await context.reader.store.labels.all()
    names = tuple(sorted({one.name for one in context.sources} | context.reader.current.by_source.keys()))

    # Labels, imports and pruning move it without a new version: its own bytes are its name.
    body = pages.body(
        request,
        "versions.html",
        versions=found.items,
        next=found.next,
        labels=labels,
        source=source,
        names=names,
        cursor=cursor,
    )
    return await context.answers.unversioned(request, body)
