"""Is the process alive, is it of use, and what is here? For orchestrators, load balancers and the curious."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from catalog_service.api.negotiation import takes_html
from catalog_service.api.problems import RETRY_AFTER_S
from catalog_service.api.reads.asked import Sources
from catalog_service.api.reads.sources import missing_sources
from catalog_service.catalog.select import Filter
from catalog_service.reader import Reader


class Health:
    """The handlers, over one reader; ``home`` is the page that browsers get at ``/``."""

    def __init__(self, reader: Reader, sources: Sources, home: Callable[[Request], Awaitable[Response]]) -> None:
        self._reader = reader
        self._sources = sources
        self._home = home

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/", self.index), Route("/healthz", self.alive), Route("/readyz", self.ready)]

    async def index(self, request: Request) -> Response:
        """``GET /``: a page for a browser, the list of routes for a program."""
        if takes_html(request.headers.get("accept", "")):
            return await self._home(request)
        paths = sorted({path for route in request.app.routes if (path := _path(route))})
        return _json({"version": self._reader.current.version, "routes": paths}, headers={"Vary": "Accept"})

    async def alive(self, _request: Request) -> Response:
        """``GET /healthz``: 200 as long as the process answers at all."""
        return _json({"status": "alive"})

    async def ready(self, _request: Request) -> Response:
        """``GET /readyz``: 200 with a snapshot to serve, even while Redis is away; 503 and why otherwise.

        ``missing``: sources never published yet, whose endpoints no answer holds. ``troubles``: why what is
        served may be behind.
        ``age_s`` is how long ago the store last confirmed that there is nothing newer.
        """
        version, refreshed_at = self._reader.current.version, self._reader.refreshed_at
        if refreshed_at is None:
            return _not_ready("the store has not answered yet")
        if version == 0:
            return _not_ready("nothing has been published yet")
        age_s = round((datetime.now(UTC) - refreshed_at).total_seconds(), 3)
        missing = missing_sources(self._reader.current, self._sources, Filter())
        state = {"status": "ready", "version": version, "refreshed_at": refreshed_at, "age_s": age_s}
        return _json({**state, "missing": missing, "troubles": self._reader.troubles})


def _not_ready(*reasons: str) -> Response:
    return _json({"status": "not ready", "reasons": reasons}, 503, {"Retry-After": str(RETRY_AFTER_S)})


def _json(value: dict[str, object], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    headers = {"Cache-Control": "no-store", **(headers or {})}
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")


def _path(route: BaseRoute) -> str:
    return route.path if isinstance(route, Route) else ""
