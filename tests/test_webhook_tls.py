"""Https to a subscriber: certificates are verified, and nothing else will do."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from catalog_service.notify.client import Client
from tests.certificates import certified
from tests.receivers import NOW, Names, failure, loopback, receiver


async def test_https_is_verified(tmp_path: Path) -> None:
    """A certificate that is trusted and names the host is taken; unknown issuers and other names are refused."""

    async def handle(_: web.BaseRequest) -> web.Response:
        return web.Response(status=204)

    server, trusting = certified(tmp_path)
    async with receiver(handle, server) as port:
        url, names = f"https://hooks.example:{port}/s3cret", Names(("127.0.0.1",))
        async with Client(loopback(port), resolve=names, tls=trusting) as client:
            assert (await client.post(url, b"{}", (), NOW)).status == 204
            assert (await client.post(f"https://127.0.0.1:{port}/", b"{}", (), NOW)).status == 204
            other = await failure(client, f"https://other.example:{port}/s3cret")
            assert "its certificate is not valid: Hostname mismatch" in other
        async with Client(loopback(port), resolve=names) as client:
            assert "its certificate is not valid: self-signed" in await failure(client, url)


async def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    """A certificate past its date is not taken, though its issuer is trusted."""

    async def handle(_: web.BaseRequest) -> web.Response:
        return web.Response()

    server, trusting = certified(tmp_path, days=-1)
    async with receiver(handle, server) as port, Client(loopback(port), tls=trusting) as client:
        assert "certificate has expired" in await failure(client, f"https://127.0.0.1:{port}/s3cret")


async def test_a_plain_port_is_no_https() -> None:
    """A receiver that answers https in plain text is a failure, not a fallback."""

    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server, Client(loopback(port := server.sockets[0].getsockname()[1])) as client:
        assert "no TLS connection" in await failure(client, f"https://127.0.0.1:{port}/s3cret")
