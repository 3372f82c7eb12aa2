"""``/v1/labels``: names that people gave to versions."""

from __future__ import annotations

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body
from catalog_service.api.context import Context, encode
from catalog_service.api.rest.operation import Operation
from schema.version import Label


class LabelList(Struct, frozen=True):
    """``/v1/labels``, sorted by name."""

    items: tuple[Label, ...]


async def labels(context: Context, request: Request) -> Response:
    """The names that `at` takes for versions; they are set and moved through GraphQL and on the command line."""
    found = LabelList(await context.reader.store.labels.all())
    return await context.answers.unversioned(request, Body(encode(found)))


OPERATIONS = (Operation("/v1/labels", labels, LabelList, problems=(503,)),)
