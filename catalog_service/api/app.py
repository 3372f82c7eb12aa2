"""The application: routes, errors and the reader's life, wired together and nothing else.

In: a `Reader` and what to say of the sources. Out: a Starlette application for any ASGI server.
Called by the composition root, once a process.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator

import structlog
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalog_service.api.actions import Actions
from catalog_service.api.answers import Answers
from catalog_service.api.bounds import refusal
from catalog_service.api.context import Context
from catalog_service.api.docs import docs_routes
from catalog_service.api.front import Front
from catalog_service.api.graphiql import asset_routes, graphiql_page
from catalog_service.api.graphql.view import GraphQLView
from catalog_service.api.health import Health
from catalog_service.api.hub import Hub
from catalog_service.api.pages.errors import unrouted
from catalog_service.api.pages.page import pages_of
from catalog_service.api.pages.routes import home_page, page_routes
from catalog_service.api.problems import on_error, problem, told
from catalog_service.api.reads.feeds import Feeds
from catalog_service.api.reads.past import Past
from catalog_service.api.rest.routes import routes
from catalog_service.events.bodies import Bodies
from catalog_service.events.judgements import Judgements
from catalog_service.events.links import Origin
from catalog_service.reader import Reader
from catalog_service.tasks import stop
from schema.errors import CatalogError
from schema.source import SourceInfo

_BASE_URL = "http://127.0.0.1:8080"
_log = structlog.get_logger()


def create_app(
    reader: Reader,
    sources: tuple[SourceInfo, ...],
    *,
    demo: bool = False,
    actions: Actions | None = None,
    base_url: str = _BASE_URL,
) -> Starlette:
    """Return the application; its ``state.close`` ends what streams, for a server that is asked to stop.

    ``demo`` marks every answer and GraphiQL as made from demo data; without ``actions`` nothing can be changed.
    ``base_url`` is where users reach the service: what is read elsewhere, such as feeds, links there.
    """
    # A demo's versions have the numbers that real ones at the same address will have: nobody may keep them.
    context = _context(reader, Origin(base_url.rstrip("/"), sources), Answers(immutable=not demo), actions)
    pages, hub = pages_of(context, demo=demo), context.hub
    graphql = GraphQLView(reader, sources, hub, graphiql_page(demo=demo), actions)
    fixed = {"X-Content-Type-Options": "nosniff", **({"X-Catalog-Demo": "true"} if demo else {})}
    app = Starlette(
        routes=[
            *Health(reader, sources, home_page(pages)).routes(),
            *page_routes(pages),
            *routes(context),
            *docs_routes(context.answers, demo=demo),
            *graphql.routes(),
            *asset_routes(),
        ],
        middleware=[Middleware(_Edge, headers=fixed)],
        exception_handlers={
            HTTPException: functools.partial(unrouted, pages),
            CatalogError: on_error,
            RedisError: on_error,
        },
        lifespan=lambda _: _following(reader, hub),
    )

    app.state.close = functools.partial(_close, hub, graphql)
    app.router.redirect_slashes = False  # to an address made of the Host header
    app.middleware_stack = Front(app.build_middleware_stack(), reader)  # outermost: a hit costs nothing else
    return app


def _context(reader: Reader, origin: Origin, answers: Answers, actions: Actions | None) -> Context:
    hub, past, bodies = Hub(reader), Past(reader), Bodies(Judgements(reader), origin)
    return Context(reader, origin.sources, answers, hub, bodies, past, Feeds(hub, past, origin), origin, actions)


def _close(hub: Hub, graphql: GraphQLView) -> None:
    hub.close()
    graphql.close()


@contextlib.asynccontextmanager
async def _following(reader: Reader, hub: Hub) -> AsyncIterator[None]:
    """Load the newest version and follow the changeset stream for as long as the application lives."""
    try:
        await reader.refresh()
        await hub.refresh()
    except (RedisError, OSError, CatalogError) as error:  # `follow` goes on trying, /readyz says so meanwhile
        _log.warning("cannot load the catalogue yet", error=str(error))
    following = asyncio.create_task(reader.follow()), asyncio.create_task(hub.follow())
    try:
        yield
    finally:
        await stop(*following)


class _Edge:
    """The same headers on every answer that is made, and an answer even where the program is at fault."""

    def __init__(self, app: ASGIApp, headers: dict[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        try:
            refused = refusal(scope)
            await (problem(refused) if refused else self._app)(scope, receive, with_headers)
        except Exception as error:
            if started:
                raise
            await problem(told(error))(scope, receive, with_headers)
