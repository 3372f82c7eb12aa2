"""Every page and the route it has. Called by `app`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog_service.api.answers import Body
from catalog_service.api.pages import diffs, endpoints, held, home, lookups, subscriptions, versions
from catalog_service.api.pages.errors import FAULTS, failed
from catalog_service.api.pages.page import Pages

_Handler = Callable[[Pages, Request], Awaitable[Response]]
_PAGES: tuple[tuple[str, str, _Handler], ...] = (
    ("GET", "/versions", versions.versions),
    ("GET", "/diff", diffs.compare_form),
    ("GET", "/diff/{span}", diffs.diff),
    ("GET", "/endpoints/{id}", endpoints.endpoint),
    ("GET", "/held/{id}", held.held),
    ("GET", "/lookup", lookups.lookup),
    ("POST", "/lookup", lookups.lookup_many),
    ("GET", "/history", lookups.history),
    ("GET", "/subscriptions", subscriptions.subscriptions),
    ("GET", "/subscriptions/{id}", subscriptions.subscription),
)
_STATIC = {"pages.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}


def page_routes(pages: Pages) -> list[Route]:
    """Return the route of every page but ``/``, and of what they are drawn with."""
    routes = [Route(path, handled(pages, handle), methods=[method]) for method, path, handle in _PAGES]
    bodies = {name: Body((files(__package__) / "static" / name).read_bytes(), type_) for name, type_ in _STATIC.items()}

    async def static(request: Request) -> Response:
        if (body := bodies.get(request.path_params["name"])) is None:
            raise HTTPException(404)
        return await pages.context.answers.unversioned(request, body)

    return [*routes, Route("/assets/pages/{name}", static)]


def home_page(pages: Pages) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers ``/`` for browsers."""
    return handled(pages, home.home)


def handled(pages: Pages, handle: _Handler) -> Callable[[Request], Awaitable[Response]]:
    """Return ``handle`` as a route's endpoint, with its errors as pages."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handle(pages, request)
        except FAULTS as error:
            return failed(pages, request, error)

    return endpoint
