"""``/v1/held``: versions the guard refused, waiting for a person."""

from __future__ import annotations

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body
from catalog_service.api.context import Context, encode
from catalog_service.api.reads.held import held_view
from catalog_service.api.rest.operation import Operation, in_path
from catalog_service.views.diffs import HeldView
from schema.version import HeldVersion


class HeldList(Struct, frozen=True):
    """``/v1/held``, oldest first."""

    items: tuple[HeldVersion, ...]


async def held(context: Context, request: Request) -> Response:
    """The versions that wait for a person, oldest first."""
    found = HeldList(await context.reader.store.sources.held())
    return await context.answers.unversioned(request, Body(encode(found)))


async def held_version(context: Context, request: Request) -> Response:
    """One of them, and what accepting it would change now."""
    view = await held_view(context.reader, request.path_params["id"])
    return await context.answers.unversioned(request, Body(encode(view)))


OPERATIONS = (
    Operation("/v1/held", held, HeldList, problems=(503,)),
    Operation("/v1/held/{id}", held_version, HeldView, (in_path("id", "Of a held version."),), (404, 503)),
)
