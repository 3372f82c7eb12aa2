"""The application: routes, errors and the reader's life, wired together and nothing else.

In: a `Reader` and what to say of the sources. Out: a Starlette application for any ASGI server.
Called by the composition root, once a process.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import structlog
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from catalog_service.access.doorkeeper import Doorkeeper
from catalog_service.api.actions import Actions
from catalog_service.api.answers import Answers
from catalog_service.api.context import Context
from catalog_service.api.docs import docs_routes
from catalog_service.api.edge import Edge
from catalog_service.api.front import Front
from catalog_service.api.gate.gate import Gate
from catalog_service.api.gate.rates import Rates
from catalog_service.api.gate.rules import GateRules
from catalog_service.api.graphiql import asset_routes, graphiql_page
from catalog_service.api.graphql.view import GraphQLView
from catalog_service.api.health import Index, Life, serving
from catalog_service.api.hub import Hub
from catalog_service.api.pages.errors import refused, unrouted
from catalog_service.api.pages.page import Pages, pages_of
from catalog_service.api.pages.routes import home_page, page_routes
from catalog_service.api.problems import on_error
from catalog_service.api.reads.feeds import Feeds
from catalog_service.api.reads.past import Past
from catalog_service.api.rest.routes import routes
from catalog_service.api.staleness import Staleness
from catalog_service.events.bodies import Bodies
from catalog_service.events.judgements import Judgements
from catalog_service.events.links import Origin
from catalog_service.freshness import Freshness
from catalog_service.reader import Reader
from catalog_service.scrape import Scrape
from catalog_service.tasks import stop
from schema.clock import Clock
from schema.errors import CatalogError
from schema.source import SourceInfo

_BASE_URL = "http://127.0.0.1:8080"
_now = functools.partial(datetime.now, UTC)
_RULES = GateRules()
_log = structlog.get_logger()


def create_app(
    reader: Reader,
    sources: tuple[SourceInfo, ...],
    *,
    demo: bool = False,
    actions: Actions | None = None,
    base_url: str = _BASE_URL,
    clock: Clock = _now,
    rules: GateRules = _RULES,
) -> Starlette:
    """Return the application; its ``state.close`` ends what streams, for a server that is asked to stop.

    ``state.life`` is what the side port serves too, ``state.freshness`` what answers say of their age.
    ``demo`` marks every answer and GraphiQL as made from demo data; without ``actions`` nothing can be changed.
    ``base_url`` is where users reach the service: what is read elsewhere, such as feeds, links there. ``rules`` is
    what the gate goes by, ``state.rates`` what it counts.
    """
    # A demo's versions have the numbers that real ones at the same address will have: nobody may keep them.
    context = _context(reader, Origin(base_url.rstrip("/"), sources), Answers(immutable=not demo), actions)
    pages, freshness = pages_of(context, demo=demo, rules=rules), Freshness(reader, sources, clock)
    ready = functools.partial(serving, reader, sources, freshness, clock)
    life = Life(ready, Scrape(reader.store, sources, clock, reader))
    rates = Rates(rules.rate_limit, reader.store.rates, lambda: clock().timestamp()) if rules.rate_limit else None
    ide = graphiql_page(demo=demo) if rules.graphiql else None
    graphql = GraphQLView(reader, sources, context.hub, ide, actions)
    nowhere = functools.partial(unrouted, pages)
    app = Starlette(
        routes=_routes(pages, life, graphql, rules),
        middleware=[Middleware(Edge, demo=demo)],
        exception_handlers={HTTPException: nowhere, CatalogError: on_error, RedisError: on_error},
        lifespan=lambda _: _following(reader, context.hub, freshness, *([rates] if rates else ())),
    )
    app.router.redirect_slashes = False  # to an address made of the Host header
    front = Front(app.build_middleware_stack(), reader)  # outermost but for what is never kept
    app.middleware_stack = gate = _gate(Staleness(front, reader, freshness), pages, rules, rates, clock)
    app.state.close = functools.partial(_close, context.hub, graphql, gate)
    app.state.life, app.state.freshness = life, freshness
    app.state.front, app.state.rates = front, rates
    return app


def _routes(pages: Pages, life: Life, graphql: GraphQLView, rules: GateRules) -> list[BaseRoute]:
    context = pages.context
    return [
        *Index(context.reader, home_page(pages)).routes(),
        *life.routes(),
        *page_routes(pages),
        *routes(context),
        *docs_routes(context.answers, demo=pages.demo, page=rules.docs),
        *graphql.routes(),
        *(asset_routes() if rules.graphiql else ()),
    ]


def _gate(app: ASGIApp, pages: Pages, rules: GateRules, rates: Rates | None, clock: Clock) -> Gate:
    """Return what stands before ``app``; where nothing can be changed nobody has a token."""
    context, edge = pages.context, functools.partial(Edge, demo=pages.demo)
    keeper = context.actions.doorkeeper if context.actions else Doorkeeper(None, "", anonymous_read=True, clock=clock)
    return Gate(app, rules, keeper.identify, edge, rates, context.base_url, functools.partial(refused, pages))


def _context(reader: Reader, origin: Origin, answers: Answers, actions: Actions | None) -> Context:
    hub, past, bodies = Hub(reader), Past(reader), Bodies(Judgements(reader), origin)
    return Context(reader, origin.sources, answers, hub, bodies, past, Feeds(hub, past, origin), origin, actions)


def _close(hub: Hub, graphql: GraphQLView, gate: Gate) -> None:
    hub.close()
    graphql.close()
    gate.close()


@contextlib.asynccontextmanager
async def _following(reader: Reader, hub: Hub, *others: Freshness | Rates) -> AsyncIterator[None]:
    """Load the newest version and follow the changeset stream for as long as the application lives."""
    try:
        await reader.refresh()
        await hub.refresh()
    except (RedisError, OSError, CatalogError) as error:  # `follow` goes on trying, /readyz says so meanwhile
        _log.warning("cannot load the catalogue yet", error=str(error))
    following = [asyncio.create_task(one.follow()) for one in (reader, hub, *others)]
    try:
        yield
    finally:
        await stop(*following)
