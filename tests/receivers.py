"""The wire around the client of subscribers: a receiver on loopback, a name server, and sockets that are counted."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp import AddrInfoType, web
from aiohttp.abc import AbstractResolver, ResolveResult

from catalog_service.notify.client import Client
from catalog_service.notify.guard import open_socket
from catalog_service.subscriptions.targets import Policy
from schema.errors import DeliveryError

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Names(AbstractResolver):
    """A name server that plays its answers in order and then repeats the last one; without any, the name is unknown."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if not self._answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0) for address in answer
        ]

    async def close(self) -> None:
        """Nothing is open."""


class Door:
    """Makes the sockets that the guard let through and remembers where they were to go; loopback alone is reached."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    def __call__(self, address: AddrInfoType) -> socket.socket:
        host = str(address[4][0])
        self.opened.append(host)
        if host != "127.0.0.1":
            raise ConnectionRefusedError(errno.ECONNREFUSED, "this test reaches loopback alone")
        return open_socket(address)


@asynccontextmanager
async def receiver(handle: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve ``handle`` on 127.0.0.1; yields the port."""
    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.01)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def loopback(*ports: int) -> Policy:
    """Return a policy that lets these ports of 127.0.0.0/8 be told, over http too."""
    return Policy(http=True, ports=ports, networks=("127.0.0.0/8",))


async def failure(client: Client, url: str, headers: tuple[tuple[str, str], ...] = ()) -> str:
    """POST to ``url`` and return why it failed, which never says the ``s3cret`` of an address or header."""
    with pytest.raises(DeliveryError) as failed:
        await client.post(url, b"{}", headers, NOW)
    assert "s3cret" not in str(failed.value) + str(failed.value.facts)
    assert failed.value.__cause__ is None, "what aiohttp says would show the whole address in a log"
    return str(failed.value)
