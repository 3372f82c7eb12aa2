"""Streams that are open: how many there may be in this process, and how websockets end with a reason.

In: ASGI's receive and send of a websocket. Out: the same, watched. Called by `gate`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator

from starlette.types import Message, Receive, Scope, Send

from catalog_service import metrics

_GOING = (1012, "the service is stopping: come back")
_TRY_AGAIN = (1013, "too many streams are open here: come back later")
_TOO_OFTEN = (1008, "too many messages: see RateLimit-Policy")


class Streams:
    """Those that are open, SSE and websockets; ``most`` at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = 0
        self._sockets: set[Socket] = set()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def are_full(self) -> bool:
        """Tell whether there is room for no other."""
        return self._open >= self._most

    @contextlib.contextmanager
    def opened(self, kind: str) -> Iterator[None]:
        """Count one as open for a block; ``kind`` is sse or websocket."""
        self._open += 1
        try:
            with metrics.stream_open(kind):
                yield
        finally:
            self._open -= 1

    @contextlib.contextmanager
    def watched(self, socket: Socket) -> Iterator[None]:
        """Let `close` end ``socket`` during a block."""
        self._sockets.add(socket)
        try:
            with self.opened("websocket"):
                yield
        finally:
            self._sockets.discard(socket)

    def close(self) -> None:
        """End every websocket: the service goes, clients come back and go on."""
        for socket in self._sockets:
            task = asyncio.ensure_future(socket.close(*_GOING))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


class Socket:
    """A websocket that can be closed from outside; each message it sends has to be allowed by ``takes``."""

    def __init__(self, receive: Receive, send: Send, takes: Callable[[], bool]) -> None:
        self._receive = receive
        self._send = send
        self._takes = takes
        self._is_accepted = self._is_closed = False

    async def receive(self) -> Message:
        """Receive for the application; a client that sends too much is cut off."""
        message = await self._receive()
        if message["type"] != "websocket.receive" or self._takes():
            return message
        await self.close(*_TOO_OFTEN)
        return {"type": "websocket.disconnect", "code": _TOO_OFTEN[0]}

    async def send(self, message: Message) -> None:
        """Send for the application; what comes after the end goes nowhere."""
        if self._is_closed:
            return
        self._is_accepted = self._is_accepted or message["type"] == "websocket.accept"
        self._is_closed = message["type"] == "websocket.close"
        await self._send(message)

    async def close(self, code: int, reason: str) -> None:
        """Close it; before the handshake there is nobody to tell why."""
        if self._is_accepted:
            with contextlib.suppress(OSError):  # the client has gone
                await self.send({"type": "websocket.close", "code": code, "reason": reason})


async def turn_away(scope: Scope, receive: Receive, send: Send) -> None:
    """Take a websocket and close it with 1013: a refused handshake has no code that a client could go by."""
    await receive()
    await send({"type": "websocket.accept", "subprotocol": next(iter(scope.get("subprotocols", ())), None)})
    code, reason = _TRY_AGAIN
    await send({"type": "websocket.close", "code": code, "reason": reason})
