"""``/v1/signing-keys``: what receivers verify signatures `v1a` with."""

from __future__ import annotations

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body
from catalog_service.api.context import Context, encode
from catalog_service.api.rest.operation import Operation
from catalog_service.views.subscriptions import SigningKeyView


class SigningKeyList(Struct, frozen=True):
    """``/v1/signing-keys``."""

    items: tuple[SigningKeyView, ...]


async def signing_keys(context: Context, request: Request) -> Response:
    """The public keys that signatures `v1a` of webhooks are verified with: a signature by any of them is good."""
    actions = context.actions  # a demo has none: it signs nothing
    found = SigningKeyList(await actions.desk.signing_keys() if actions else ())
    return await context.answers.unversioned(request, Body(encode(found)))


OPERATIONS = (Operation("/v1/signing-keys", signing_keys, SigningKeyList, problems=(503,)),)
