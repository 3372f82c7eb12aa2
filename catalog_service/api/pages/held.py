"""``/held/{id}``: a version that waits for a person, and what accepting it would change now."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.pages.folding import folded
from catalog_service.api.pages.page import Pages, given_of
from catalog_service.api.reads.held import held_view


async def held(pages: Pages, request: Request) -> Response:
    """Answer with a held version."""
    given_of(request)
    view = await held_view(pages.context.reader, request.path_params["id"])
    shown = await asyncio.to_thread(folded, view.changes)
    whole = f"v1/held/{view.held.id}"
    body = await asyncio.to_thread(
        pages.body, request, "held.html", held=view.held, shown=shown, since=None, whole=whole
    )
    return await pages.context.answers.unversioned(request, body)
