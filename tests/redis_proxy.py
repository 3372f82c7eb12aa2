"""A proxy before a Redis that is slow, breaks off replies or answers itself, for the tests of faults."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

from catalog_service.tasks import stop

_CHUNK = 1 << 16


class Proxy:
    """What becomes of requests and replies; may be changed at any time."""

    def __init__(self, port: int) -> None:
        self._target, self.port = port, 0
        self.answer = b""
        """Answered to every request in Redis' place, unless it is empty."""
        self.delay_s = 0.0
        """How long each reply is held back."""
        self.cut_after: bytes = b""
        """The next request with this in it is passed on, and its connection reset in the middle of its reply."""
        self.came = asyncio.Event()
        """Set at every request."""
        self._serving: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    async def serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Pipe one connection, both ways, until either end is gone."""
        if task := asyncio.current_task():
            self._serving.add(task)
        try:
            await self._pipe(client, back)
        finally:
            back.transport.abort()

    async def _pipe(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        replies, redis = await asyncio.open_connection("127.0.0.1", self._target)
        cuts: list[bytes] = []
        one = asyncio.create_task(self._requests(client, redis, back, cuts))
        two = asyncio.create_task(self._replies(replies, back, cuts))
        try:
            await asyncio.wait({one, two}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            redis.transport.abort()
            await stop(one, two)

    async def close(self) -> None:
        """End all connections."""
        await stop(*self._serving)

    async def _requests(
        self, client: asyncio.StreamReader, redis: asyncio.StreamWriter, back: asyncio.StreamWriter, cuts: list[bytes]
    ) -> None:
        while data := await client.read(_CHUNK):
            self.came.set()
            if self.answer:
                back.write(self.answer)
                continue
            if self.cut_after and self.cut_after in data:
                cuts.append(self.cut_after)
                self.cut_after = b""
            redis.write(data)

    async def _replies(self, replies: asyncio.StreamReader, back: asyncio.StreamWriter, cuts: list[bytes]) -> None:
        while data := await replies.read(_CHUNK):
            await asyncio.sleep(self.delay_s)
            if cuts:
                back.write(data[: len(data) // 2])
                back.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
                return
            back.write(data)


@contextlib.asynccontextmanager
async def proxied(port: int) -> AsyncIterator[Proxy]:
    """Give a proxy before the Redis at ``port``."""
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
        await server.wait_closed()
