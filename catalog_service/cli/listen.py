"""The HTTP server of this process: uvicorn on a socket bound here, ended by cancellation.

uvicorn would catch signals and raise them again when it has finished, and exit the process when its
port is taken. Here signals belong to `command`, and a taken port is an error like any other.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
from collections.abc import Callable, Generator, Iterator

import uvicorn
from msgspec import Struct
from starlette.applications import Starlette

from catalog_service.cli.connections import Connection, Patience, Sweep, Websocket, raise_descriptors
from catalog_service.settings import Settings
from schema.errors import CatalogError

_FRAME_BYTES = 1 << 20
"""The longest websocket message: as long as a request's body may be."""
_KEEP_ALIVE_S = 75
"""Longer than proxies keep theirs (60 s mostly), so that none sends a request to a connection that ends here."""
_CONNECTIONS_LEAST, _CONNECTIONS_MOST = 64, 15_000
_DESCRIPTORS_BESIDE = 256
"""For Redis, files and what else a process opens."""
_PATIENCE = Patience()


class Listening(Struct, frozen=True):
    """A bound socket and its address."""

    socket: socket.socket
    url: str


@contextlib.contextmanager
def bound(settings: Settings) -> Iterator[Listening]:
    """Bind the address to serve on for a block; nobody can connect before `serve_app`.

    Raises:
        CatalogError: the address is not ours, or the port is taken.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((settings.host, settings.port))
        except OSError as error:
            message = f"cannot serve on {settings.host} port {settings.port}: {error.strerror or error}"
            raise CatalogError(message, host=settings.host, port=settings.port) from error
        port = opened.getsockname()[1]
        host = f"[{settings.host}]" if family is socket.AF_INET6 else settings.host
        yield Listening(opened, f"http://{host}:{port}")


async def serve_app(
    app: Starlette,
    listening: Listening,
    started: Callable[[], None],
    grace_s: float = 5.0,
    connections_most: int = _CONNECTIONS_MOST,
    patience: Patience = _PATIENCE,
) -> None:
    """Serve ``app`` until cancelled, calling ``started`` once; requests under way then have ``grace_s`` to end in.

    Of connections beyond ``connections_most``, or those that the process may open, no request is taken.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=math.ceil(grace_s),
        ws_max_size=_FRAME_BYTES,
        http=Connection,
        ws=Websocket,
        proxy_headers=False,  # the gate knows whom to trust
        timeout_keep_alive=_KEEP_ALIVE_S,
        limit_concurrency=min(connections_most, max(raise_descriptors() - _DESCRIPTORS_BESIDE, _CONNECTIONS_LEAST)),
    )
    server = _Server(config, started, Sweep(patience))
    serving = asyncio.create_task(server.serve(sockets=[listening.socket]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        app.state.close()  # streams would be waited for till the end of the grace
        server.should_exit = True
        await serving
        raise


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[], None], sweep: Sweep) -> None:
        super().__init__(config)
        self._tell_started = started
        self._sweep = sweep

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tell_started()

    async def on_tick(self, counter: int) -> bool:
        """Look at the connections once a second: it is called ten times in one."""
        if counter % 10 == 0:
            self._sweep.over(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
