"""What is ordered over HTTP: who gives the order, what it says, and answers that nobody keeps.

In: a request that `routes` has found permitted. Out: the desk, the Struct of a body, a response. Called by the modules
of this package whose operations need more than the scope ``read``.
"""

from __future__ import annotations

from typing import TypeVar

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.access.identity import IDENTITY, identity_of
from catalog_service.api.actions import Acting, demo_takes_no_orders, permitted
from catalog_service.api.answers import Body
from catalog_service.api.bounds import bounded_body
from catalog_service.api.context import Context, encode
from catalog_service.api.parameters import one
from catalog_service.api.rest.operation import JSON, Operation, Parameter
from catalog_service.subscriptions.desk import Desk
from catalog_service.subscriptions.wanted import read_wanted
from schema.access import Scope

MOST_BYTES = 64_000
OF_A_BODY = (413, 415)
"""Statuses of problem documents of an operation that takes a body."""
BY = Parameter("by", "On whose behalf, for the audit, which tells of the token besides; by default the token's name.")
_HEADERS = {"Cache-Control": "no-store"}

T = TypeVar("T", bound=Struct)


async def let_in(context: Context, request: Request, operation: Operation) -> None:
    """Go on where ``operation`` may be had by who asks, whom the scope tells from then on. Raises as `permitted`.

    Who may read was asked by the gate.
    """
    if operation.scope is not Scope.READ:
        acting = await permitted(context.actions, request.headers.get("authorization", ""), operation.scope)
        request.scope[IDENTITY] = acting.identity


def acting_for(context: Context, request: Request) -> Acting:
    """Return what may be done by who asks, after `let_in`. Raises ForbiddenError: this is a demo."""
    if context.actions is None:
        raise demo_takes_no_orders()
    return Acting(context.actions, identity_of(request.scope))


def desk_for(context: Context, request: Request) -> Desk:
    """Return the desk of subscriptions for who asks. Raises as `acting_for`."""
    return acting_for(context, request).desk


def asked_by(request: Request) -> str:
    """Return who asks, which the desk checks. Raises BadParameterError."""
    return one(request.query_params, BY.name) or identity_of(request.scope).name


async def body_of(request: Request, type_: type[T]) -> T:
    """Return what the JSON body says.

    Raises:
        BadParameterError: it is no ``type_``; names the field.
        HTTPException: 415 for another media type, 413 for more than 64 kB.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != JSON:
        raise HTTPException(415, f"the body is sent as {JSON}")
    return read_wanted(await bounded_body(request, MOST_BYTES), type_)


def answered(found: Struct | Body, status: int = 200, location: str | None = None) -> Response:
    """Return ``found`` as an answer that nobody keeps: it may hold a secret, and is not for everybody."""
    body = found if isinstance(found, Body) else Body(encode(found))
    extra = {"Location": location} if location else {}
    return Response(body.data, status, {**_HEADERS, **dict(body.headers), **extra}, media_type=body.media_type)


def done() -> Response:
    """Return the answer of what has nothing to say."""
    return Response(status_code=204, headers=_HEADERS)
