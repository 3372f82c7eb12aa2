"""Orders of an operator as they come over HTTP: who gives them, what they say, and answers that nobody keeps.

In: a request. Out: the desk for who shows the token, the Struct of a body, a response. Called by the modules of this
package whose operations need the operator's token.
"""

from __future__ import annotations

from typing import TypeVar

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.actions import OPERATOR, check_operator
from catalog_service.api.answers import Body
from catalog_service.api.bounds import bounded_body
from catalog_service.api.context import Context, encode
from catalog_service.api.parameters import one
from catalog_service.api.rest.operation import JSON, Parameter
from catalog_service.subscriptions.desk import Desk
from catalog_service.subscriptions.wanted import read_wanted

MOST_BYTES = 64_000
OF_A_BODY = (413, 415)
"""Statuses of problem documents of an operation that takes a body."""
BY = Parameter("by", "Who asks: the audit tells.", default=OPERATOR)
_HEADERS = {"Cache-Control": "no-store"}

T = TypeVar("T", bound=Struct)


def desk_for(context: Context, request: Request) -> Desk:
    """Return the desk for a client that shows the operator's token. Raises ForbiddenError, UnauthenticatedError."""
    return check_operator(context.actions, request.headers.get("authorization", "")).desk


def asked_by(request: Request) -> str:
    """Return who asks, which the desk checks. Raises BadParameterError."""
    return one(request.query_params, BY.name) or OPERATOR


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
    """Return ``found`` as an answer that nobody keeps: it may hold a secret, and is the operator's alone."""
    body = found if isinstance(found, Body) else Body(encode(found))
    extra = {"Location": location} if location else {}
    return Response(body.data, status, {**_HEADERS, **dict(body.headers), **extra}, media_type=body.media_type)


def done() -> Response:
    """Return the answer of what has nothing to say."""
    return Response(status_code=204, headers=_HEADERS)
