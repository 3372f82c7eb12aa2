"""Problems as pages, where a browser asks; problem+json as everywhere otherwise."""

from __future__ import annotations

from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from catalog_service.api.negotiation import takes_html
from catalog_service.api.pages.page import HEADERS, MEDIA_TYPE, Pages
from catalog_service.api.problems import Told, on_http_error, phrase, problem, told
from schema.errors import CatalogError

FAULTS = (CatalogError, RedisError, OSError)
_FOR_PROGRAMS = ("/v1/", "/graphql", "/assets/", "/healthz", "/readyz")


def failed(pages: Pages, request: Request, error: Exception) -> Response:
    """Answer ``error``, one of `FAULTS`, as the client reads it."""
    what = told(error)
    as_json = problem(what)
    if not takes_html(request.headers.get("accept", "")):
        as_json.headers["Vary"] = "Accept"
        return as_json
    return _page(pages, request, what, as_json)


async def unrouted(pages: Pages, request: Request, error: Exception) -> Response:
    """Answer Starlette's own errors: a page where a browser asks for one that is not there."""
    answer = await on_http_error(request, error)
    if not _is_for_people(request):
        return answer
    detail = error.detail if isinstance(error, HTTPException) else ""
    return _page(pages, request, Told(answer.status_code, "", detail), answer)


def refused(pages: Pages, scope: Scope, what: Told) -> Response:
    """Answer ``what``, for which the gate lets nobody in: a page where a browser asks for one."""
    request = Request(scope)
    return _page(pages, request, what, problem(what)) if _is_for_people(request) else problem(what)


def _is_for_people(request: Request) -> bool:
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    return not path.startswith(_FOR_PROGRAMS) and takes_html(request.headers.get("accept", ""))


def _page(pages: Pages, request: Request, what: Told, as_json: Response) -> Response:
    """Return ``what`` as a page, with the headers that the problem document has."""
    kept = {name: value for name, value in as_json.headers.items() if name not in {"content-type", "content-length"}}
    html = pages.html(request, "error.html", what=what, title=phrase(what.status))
    return Response(html, what.status, {**kept, **dict(HEADERS), "Vary": "Accept"}, media_type=MEDIA_TYPE)
