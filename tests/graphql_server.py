"""The application behind a real server on the loopback interface: for streams, websockets and breaks."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator

import uvicorn
from msgspec import Struct
from starlette.applications import Starlette

from catalog_service.api.actions import Actions
from catalog_service.api.app import create_app
from catalog_service.api.gate.rules import GateRules
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from tests.api_client import SOURCES

RULES = GateRules()


class Served(Struct, frozen=True):
    """A server under way."""

    url: str
    """Of ``/graphql``."""
    app: Starlette
    reader: Reader


@contextlib.asynccontextmanager
async def served(store: Store, actions: Actions | None = None, rules: GateRules = RULES) -> AsyncIterator[Served]:
    """Serve the catalogue in ``store``, following it; end as the service ends."""
    reader = Reader(store)
    app = create_app(reader, SOURCES, actions=actions, rules=rules)
    server = Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=5))
    serving = asyncio.create_task(server.serve())
    try:
        await server.listens.wait()
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Served(f"http://127.0.0.1:{port}/graphql", app, reader)
    finally:
        app.state.close()
        server.should_exit = True
        await serving


class Server(uvicorn.Server):
    """Uvicorn, that says when it listens and leaves signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
