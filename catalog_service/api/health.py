"""Is the process alive, is it of use, and how does it go? For orchestrators, load balancers and monitoring.

`Life` is the same on the main port and on the side port of every role; what being ready means is the role's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from catalog_service.api.negotiation import takes_html
from catalog_service.api.problems import RETRY_AFTER_S
from catalog_service.api.reads.asked import Sources
from catalog_service.api.reads.sources import missing_sources
from catalog_service.catalog.select import Filter
from catalog_service.freshness import Freshness
from catalog_service.reader import Reader
from catalog_service.scrape import Scrape
from schema.clock import Clock

_HEADERS = {"Cache-Control": "no-store"}


class Readiness(Struct, frozen=True, omit_defaults=True):
    """Whether a process is of use. What is None says nothing of this role."""

    status: str
    """``ready``, or ``not ready``, which is a 503."""
    reasons: tuple[str, ...] = ()
    """Why it is not."""
    version: int | None = None
    """The version it serves."""
    refreshed_at: datetime | None = None
    age_s: float | None = None
    """Seconds since the store confirmed that there is nothing newer."""
    missing: tuple[str, ...] | None = None
    """Sources never published yet, whose endpoints no answer holds."""
    stale: tuple[str, ...] | None = None
    """Sources whose content was not confirmed within their objective."""
    troubles: tuple[str, ...] | None = None
    """Why what is served may be behind."""


Ready = Callable[[], Awaitable[Readiness]]
READY = Readiness("ready")


def not_ready(*reasons: str) -> Readiness:
    """Return that a process is of no use now, and why."""
    return Readiness("not ready", reasons)


async def serving(reader: Reader, sources: Sources, freshness: Freshness, clock: Clock) -> Readiness:
    """Tell whether there is a snapshot to serve, even while Redis is away, and what is not well with it."""
    version, refreshed_at = reader.current.version, reader.refreshed_at
    if refreshed_at is None:
        return not_ready(*(reader.troubles or ("the store has not answered yet",)))
    if version == 0:
        return not_ready("nothing has been published yet")
    return Readiness(
        READY.status,
        version=version,
        refreshed_at=refreshed_at,
        age_s=round((clock() - refreshed_at).total_seconds(), 3),
        missing=missing_sources(reader.current, sources, Filter()),
        stale=freshness.stale,
        troubles=reader.troubles,
    )


class Life:
    """``/healthz``, ``/readyz`` and ``/metrics`` of one process."""

    def __init__(self, ready: Ready, scrape: Scrape) -> None:
        self._ready = ready
        self._scrape = scrape

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [Route("/healthz", self.alive), Route("/readyz", self.ready), Route("/metrics", self.metrics)]

    async def alive(self, _request: Request) -> Response:
        """``GET /healthz``: 200 as long as the process answers at all."""
        return _json({"status": "alive"})

    async def ready(self, _request: Request) -> Response:
        """``GET /readyz``: 200 while the process is of use; 503 and why otherwise."""
        told = await self._ready()
        if told.status == READY.status:
            return _json(told)
        return _json(told, 503, {"Retry-After": str(RETRY_AFTER_S)})

    async def metrics(self, request: Request) -> Response:
        """``GET /metrics``: in Prometheus's text or OpenMetrics, by ``Accept``."""
        body, media_type = await self._scrape.exposition(request.headers.get("accept", ""))
        return Response(body, headers={**_HEADERS, "Vary": "Accept", "Content-Type": media_type})


class Index:
    """``/``: a page for a browser, the list of routes for a program."""

    def __init__(self, reader: Reader, home: Callable[[Request], Awaitable[Response]]) -> None:
        self._reader = reader
        self._home = home

    def routes(self) -> list[BaseRoute]:
        """Return the route."""
        return [Route("/", self.index)]

    async def index(self, request: Request) -> Response:
        """``GET /``."""
        if takes_html(request.headers.get("accept", "")):
            return await self._home(request)
        paths = sorted({path for route in request.app.routes if (path := _path(route))})
        return _json({"version": self._reader.current.version, "routes": paths}, headers={"Vary": "Accept"})


def _json(value: Struct | dict[str, object], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), status, {**_HEADERS, **(headers or {})}, media_type="application/json")


def _path(route: BaseRoute) -> str:
    return route.path if isinstance(route, Route) else ""
