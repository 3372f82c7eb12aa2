"""``/v1/tokens`` and ``/v1/whoami``: who may do what through the API, and who asks."""

from __future__ import annotations

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.access.identity import identity_of
from catalog_service.access.issuing import IssuedToken, NewToken
from catalog_service.api.context import Context
from catalog_service.api.reads.whoami import WhoAmI
from catalog_service.api.reads.whoami import whoami as who
from catalog_service.api.rest.acting import BY, OF_A_BODY, acting_for, answered, asked_by, body_of, done
from catalog_service.api.rest.operation import Operation, in_path
from schema.access import ApiToken, Scope

_ID = in_path("id", "Of a token.", "tok_mfrggzdfmztw")


class TokenList(Struct, frozen=True):
    """``/v1/tokens``, oldest first."""

    items: tuple[ApiToken, ...]


async def api_tokens(context: Context, request: Request) -> Response:
    """Every token, oldest first: its name, scopes, expiry and last use, never its secret."""
    return answered(TokenList(await acting_for(context, request).actions.tokens.all()))


async def create_api_token(context: Context, request: Request) -> Response:
    """Make a token; the answer shows its secret once and never again.

    What is kept of it is its SHA-256: a secret that was lost cannot be had again, only another token.
    """
    acting = acting_for(context, request)
    wanted = await body_of(request, NewToken)
    issued = await acting.actions.tokens.create(wanted, asked_by(request), acting.token)
    return answered(issued, 201, location=f"tokens/{issued.token.id}")


async def revoke_api_token(context: Context, request: Request) -> Response:
    """Revoke a token for good: at once for what changes something, within 5 seconds for reads."""
    acting = acting_for(context, request)
    await acting.actions.tokens.revoke(request.path_params["id"], asked_by(request), acting.token)
    return done()


async def whoami(_: Context, request: Request) -> Response:
    """Who asks, what they may, and until when."""
    return answered(who(identity_of(request.scope)))


_NEW = NewToken("deploy pipeline", (Scope.READ, Scope.OPERATE))

OPERATIONS = (
    Operation("/v1/tokens", api_tokens, TokenList, problems=(503,)),
    Operation(
        "/v1/tokens",
        create_api_token,
        IssuedToken,
        (BY,),
        (*OF_A_BODY, 503),
        method="POST",
        body=_NEW,
        status=201,
    ),
    Operation("/v1/tokens/{id}", revoke_api_token, (), (_ID, BY), (404, 503), method="DELETE", status=204),
    Operation("/v1/whoami", whoami, WhoAmI, problems=(401, 503)),
)
