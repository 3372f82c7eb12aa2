"""Errors as HTTP answers: one table, problem+json (RFC 9457).

A client's error tells all its facts; an operator's says what kind it is and nothing from inside: the
log has the rest. The same table gives GraphQL its codes (`told`).
"""

from __future__ import annotations

from http import HTTPStatus

import msgspec
import structlog
from msgspec import Struct
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.access.identity import BEARER_CHALLENGE
from catalog_service.api.actions import BusyError
from schema.errors import (
    BadParameterError,
    CatalogError,
    CorruptContentError,
    ForbiddenError,
    GoneError,
    NoMatchError,
    NotReadyError,
    OverLimitError,
    RefusedTargetError,
    RequestError,
    SealedError,
    StaleHeadError,
    StoreError,
    UnauthenticatedError,
    UnknownDocumentError,
    UnknownEndpointSetError,
    UnknownHeldError,
    UnknownSourceError,
    UnknownSubscriptionError,
    UnknownTokenError,
    UnknownVersionError,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
# The first line that fits an error decides.
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (BadParameterError, 400),
    (UnknownVersionError, 404),
    (GoneError, 410),
    (UnknownSourceError, 404),
    (UnknownEndpointSetError, 404),
    (UnknownDocumentError, 404),
    (UnknownHeldError, 404),
    (UnknownSubscriptionError, 404),
    (UnknownTokenError, 404),
    (NoMatchError, 404),
    (OverLimitError, 422),
    (RefusedTargetError, 422),
    (UnauthenticatedError, 401),
    (ForbiddenError, 403),
    (BusyError, 409),
    (RequestError, 400),
    (NotReadyError, 503),
    (SealedError, 503),
    (StaleHeadError, 409),
    (CorruptContentError, 500),
    (StoreError, 503),
    (RedisError, 503),
    (OSError, 503),
)
_OPERATORS = {
    SealedError.code: "this service lacks the encryption key that subscriptions need (CATALOG_ENCRYPTION_KEY)",
    StaleHeadError.code: "somebody else changed this at the same moment: ask again",
    StoreError.code: "the store does not answer at the moment",
    CorruptContentError.code: "stored content is damaged",
}
_HTTP_CODES = {
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "BODY_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    503: "BUSY",
}
_PHRASES = {413: "Content Too Large", 414: "URI Too Long", 422: "Unprocessable Content"}
_RESERVED = ("type", "title", "status", "detail", "code", "request_id")
_log = structlog.get_logger()


class Told(Struct, frozen=True):
    """What a client is told of an error."""

    status: int
    code: str
    detail: str
    facts: dict[str, object] = {}


def told(error: Exception) -> Told:
    """Return what a client is told of ``error``; what stays inside is logged."""
    status = next((status for type_, status in _STATUS if isinstance(error, type_)), 500)
    if isinstance(error, RequestError | NotReadyError):
        return Told(status, error.code, str(error), error.facts)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("request failed", exc_info=error)
    else:
        _log.warning("request failed", error=str(error))
    code = error.code if isinstance(error, CatalogError) else StoreError.code if status == 503 else "INTERNAL"
    return Told(status, code, _OPERATORS.get(code, "something went wrong here; the log has the details"))


async def on_error(_request: Request, error: Exception) -> Response:
    """Answer any error but Starlette's own."""
    return problem(told(error))


async def on_http_error(_request: Request, error: Exception) -> Response:
    """Answer Starlette's own: no such route, method not allowed, body too large."""
    status, detail, headers = 500, "", None
    if isinstance(error, HTTPException):
        status, detail, headers = error.status_code, error.detail, error.headers
        if headers and "Allow" in headers:
            detail = f"this address takes {headers['Allow']}"
    return problem(Told(status, _HTTP_CODES.get(status, "BAD_REQUEST"), detail), headers=dict(headers or {}))


def phrase(status: int) -> str:
    """Return a status in words, as RFC 9110 has them; Python names some by older ones before 3.13."""
    return _PHRASES.get(status) or HTTPStatus(status).phrase


def problem(what: Told, headers: dict[str, str] | None = None) -> Response:
    """Return ``what`` as problem+json."""
    facts = {name: value for name, value in what.facts.items() if name not in _RESERVED}
    title = phrase(what.status)
    body = {"type": "about:blank", "title": title, "status": what.status, "detail": what.detail, "code": what.code}
    if id_ := structlog.contextvars.get_contextvars().get("request_id"):  # bound by the gate: the log has it too
        body["request_id"] = id_
    extra = {"Cache-Control": "no-store", **(headers or {})}
    if what.status == HTTPStatus.SERVICE_UNAVAILABLE:
        extra["Retry-After"] = str(RETRY_AFTER_S)
    if what.status == HTTPStatus.UNAUTHORIZED:
        extra["WWW-Authenticate"] = BEARER_CHALLENGE
    return Response(msgspec.json.encode({**body, **facts}, enc_hook=str), what.status, extra, media_type=MEDIA_TYPE)
