"""The HTTP server of this process: uvicorn on a socket bound here, ended by cancellation.

uvicorn would catch signals and raise them again when it has finished, and exit the process when its
port is taken. Here signals belong to `command`, and a taken port is an error like any other.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Generator, Iterator

import uvicorn
from msgspec import Struct
from starlette.applications import Starlette

from catalog_service.settings import Settings
from schema.errors import CatalogError

_GRACE_S = 5
_FRAME_BYTES = 1 << 20
"""The longest websocket message: as long as a request's body may be."""


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


async def serve_app(app: Starlette, listening: Listening, started: Callable[[], None]) -> None:
    """Serve ``app`` until cancelled, calling ``started`` once; requests under way are finished, for up to 5 s."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        ws_max_size=_FRAME_BYTES,
    )
    server = _Server(config, started)
    serving = asyncio.create_task(server.serve(sockets=[listening.socket]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        app.state.close()  # streams would be waited for till the end of the grace
        server.should_exit = True
        await serving
        raise


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tell_started()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
