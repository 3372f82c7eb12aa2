"""An application behind the program's own listener, on a free port, for the tests of it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from starlette.applications import Starlette

from catalog_service.cli.connections import Patience
from catalog_service.cli.listen import Listening, serve_app

HASTY = Patience(head_s=0.4, body_s=0.4, unread_s=0.4, refused_s=0.4)


@contextlib.asynccontextmanager
async def listening(app: Starlette, patience: Patience = HASTY, connections_most: int = 2000) -> AsyncIterator[int]:
    """Serve ``app`` for a block, and give its port."""
    started = asyncio.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=600) as opened:
        port = opened.getsockname()[1]
        serving = asyncio.create_task(
            serve_app(app, Listening(opened, ""), started.set, 1.0, connections_most, patience)
        )
        await started.wait()
        try:
            yield port
        finally:
            serving.cancel()
            await asyncio.wait({serving})
