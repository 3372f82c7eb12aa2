"""The POST to a subscriber: what is sent, what is read of the answer, and what is said when there is none."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult

from catalog_service.notify.client import Client
from catalog_service.subscriptions.targets import Policy
from tests.receivers import NOW, Door, Names, failure, loopback, receiver

KILOBYTE = 1024
Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _peer(talk: Peer) -> AsyncIterator[int]:
    """Serve raw bytes on loopback after the request has been read; yields the port."""

    async def talked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n{}")
            await talk(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(talked, "127.0.0.1", 0, backlog=512)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_what_is_sent_is_what_was_given() -> None:
    """Path, query, headers and body arrive byte for byte; nothing compressed is asked for."""
    seen = []

    async def handle(request: web.BaseRequest) -> web.Response:
        seen.append((request.method, request.raw_path, await request.read(), request.headers))
        return web.Response(status=202, text="thanks")

    async with receiver(handle) as port, Client(loopback(port), user_agent="endpoint-catalog/1") as client:
        url = f"http://127.0.0.1:{port}/a%2Fb/%7Ec?sig=%2Bx%3D&b=1+2"
        sent = (("Content-Type", "application/json"), ("webhook-id", "msg_1"), ("X-Team", "net"))
        answer = await client.post(url, b'{"type":"x"}', sent, NOW)
    assert (answer.status, answer.body, answer.retry_after_s) == (202, b"thanks", None)
    ((method, path, body, headers),) = seen
    assert (method, path, body) == ("POST", "/a%2Fb/%7Ec?sig=%2Bx%3D&b=1+2", b'{"type":"x"}')
    assert headers["Content-Type"] == "application/json"
    assert headers["webhook-id"] == "msg_1"
    assert headers["X-Team"] == "net"
    assert headers["Accept-Encoding"] == "identity"
    assert headers["User-Agent"] == "endpoint-catalog/1"
    assert headers["Host"] == f"127.0.0.1:{port}"


async def test_an_endless_answer_is_cut_and_its_connection_closed() -> None:
    """Of an answer of 1 GB only the first 64 kB are kept, and the server cannot go on sending."""
    sent, gone = [0], asyncio.Event()

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        try:
            for _ in range(16 * KILOBYTE):
                writer.write(b"a" * 64 * KILOBYTE)
                sent[0] += 64 * KILOBYTE
                await writer.drain()
        except ConnectionError:
            gone.set()

    async with _peer(endless) as port, Client(loopback(port)) as client:
        answer = await client.post(f"http://127.0.0.1:{port}/", b"{}", (), NOW)
        await asyncio.wait_for(gone.wait(), 10)
    assert (answer.status, answer.body) == (200, b"a" * 64 * KILOBYTE)
    assert sent[0] < 64 * KILOBYTE * KILOBYTE


@pytest.mark.parametrize("size", [0, 1, 64 * KILOBYTE, 64 * KILOBYTE + 1])
async def test_an_answer_is_read_up_to_the_limit(size: int) -> None:
    """An answer of at most 64 kB is whole, one byte more is cut; either way the next POST succeeds."""

    async def handle(_: web.BaseRequest) -> web.Response:
        return web.Response(body=b"a" * size)

    async with receiver(handle) as port, Client(loopback(port)) as client:
        for _ in range(2):
            answer = await client.post(f"http://127.0.0.1:{port}/", b"{}", (), NOW)
            assert answer.body == b"a" * min(size, 64 * KILOBYTE)


async def test_a_gzip_bomb_is_not_unpacked() -> None:
    """An answer that says it is compressed is kept as it came."""
    bomb = gzip.compress(bytes(16 * KILOBYTE * KILOBYTE))

    async def handle(_: web.BaseRequest) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with receiver(handle) as port, Client(loopback(port)) as client:
        answer = await client.post(f"http://127.0.0.1:{port}/", b"{}", (), NOW)
    assert answer.body == bomb[: 64 * KILOBYTE]


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na"])
async def test_a_slow_answer_times_out(said: bytes) -> None:
    """Silence before, within or after the headers ends with the time allowed in all."""

    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await reader.read()  # until the client has gone

    async with _peer(stall) as port, Client(loopback(port), timeout_s=0.2) as client:
        assert "no whole answer within 0.2 s" in await failure(client, f"http://127.0.0.1:{port}/s3cret?s3cret")


async def test_a_name_server_that_hangs_times_out() -> None:
    """The time allowed counts from before the name is resolved."""

    class Silent(Names):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[ResolveResult]:
            await asyncio.Event().wait()
            return await super().resolve(host, port, family)

    async with Client(Policy(), resolve=Silent(), timeout_s=0.2) as client:
        assert "within 0.2 s" in await failure(client, "https://hooks.contoso.example/s3cret")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"", "broke"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na", "broke"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", "broke"),
        (b"220 mail.contoso.example ESMTP\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", "not HTTP"),
    ],
)
async def test_a_broken_answer_is_no_answer(said: bytes, told: str) -> None:
    """An answer that ends too early, is no HTTP or has headers without end is a failure."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()

    async with _peer(talk) as port, Client(loopback(port)) as client:
        assert told in await failure(client, f"http://127.0.0.1:{port}/s3cret?s3cret")


async def test_an_unknown_name_and_a_closed_port_are_said() -> None:
    """Why there is no connection is said in a few words, with host and port and nothing else of the address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    async with Client(loopback(port), resolve=Names()) as client:
        said = await failure(client, f"http://hooks.example:{port}/s3cret?s3cret")
        assert said == f"hooks.example:{port}: no connection: Name or service not known"
        said = await failure(client, f"http://127.0.0.1:{port}/s3cret?s3cret")
        assert said.startswith(f"127.0.0.1:{port}: no connection: ")
        assert "refused" in said.lower()
    async with Client(loopback(port), resolve=Names(())) as client:
        assert "the name has no address" in await failure(client, f"http://hooks.example:{port}/s3cret")


async def test_the_systems_resolver_is_used_by_default() -> None:
    """Without a resolver given, names are looked up as the system does."""

    async def handle(_: web.BaseRequest) -> web.Response:
        return web.Response(status=204)

    async with receiver(handle) as port:
        policy = Policy(http=True, ports=(port,), networks=("127.0.0.0/8", "::1/128"))
        async with Client(policy) as client:
            assert (await client.post(f"http://localhost:{port}/", b"{}", (), NOW)).status == 204


async def test_no_cookie_is_kept() -> None:
    """A cookie that a receiver sets is never sent back."""
    cookies = []

    async def handle(request: web.BaseRequest) -> web.Response:
        cookies.append(request.headers.get("Cookie"))
        return web.Response(headers={"Set-Cookie": "a=b; Path=/"})

    async with receiver(handle) as port, Client(loopback(port), resolve=Names(("127.0.0.1",))) as client:
        for _ in range(2):
            await client.post(f"http://hooks.example:{port}/", b"{}", (), NOW)
    assert cookies == [None, None]


@pytest.mark.parametrize(
    "header", [("X-A", "b\r\nHost: c"), ("X-A\r\nHost", "c"), ("X-A", "b\x00"), ("Host", "c"), ("Content-Length", "0")]
)
async def test_a_header_that_is_two_opens_no_socket(header: tuple[str, str]) -> None:
    """Header injection is refused before anything is connected to."""
    door = Door()
    async with Client(Policy(), resolve=Names(("8.8.8.8",)), opened=door) as client:
        assert "header" in await failure(client, "https://hooks.contoso.example/s3cret", (header,))
    assert not door.opened


@pytest.mark.parametrize(
    ("status", "said", "wait_s"),
    [
        (429, "120", 120.0),
        (503, "0", 0.0),
        (503, "Mon, 02 Nov 2026 12:05:00 GMT", 300.0),
        (429, "Mon, 02 Nov 2026 12:05:00 -0000", 300.0),
        (429, "Mon, 02 Nov 2026 11:00:00 GMT", 0.0),
        (429, "999999999", 86_400.0),
        (429, "9" * 400, 86_400.0),
        (429, "Fri, 01 Jan 2100 00:00:00 GMT", 86_400.0),
        (429, "soon", None),
        (429, "-5", None),
        (429, "1.5", None),
        (429, "Mon, 99 Nov 2026 12:05:00 GMT", None),
        (429, f"Mon, 02 Nov {'9' * 20} 12:05:00 GMT", None),
        (200, "120", None),
        (500, "120", None),
        (301, "120", None),
    ],
)
async def test_retry_after_is_read(status: int, said: str, wait_s: float | None) -> None:
    """Retry-After of a 429 or 503 is seconds or a date, at most a day; of other answers it means nothing."""

    async def handle(_: web.BaseRequest) -> web.Response:
        return web.Response(status=status, headers={"Retry-After": said})

    async with receiver(handle) as port, Client(loopback(port)) as client:
        answer = await client.post(f"http://127.0.0.1:{port}/", b"{}", (), NOW)
    assert (answer.status, answer.retry_after_s) == (status, wait_s)


async def test_many_posts_to_one_host_share_connections() -> None:
    """A thousand POSTs, fifty at a time, use no more connections than that."""
    connections = set()

    async def handle(request: web.BaseRequest) -> web.Response:
        connections.add(id(request.transport))
        return web.Response()

    door, left = Door(), iter(range(1000))
    async with receiver(handle) as port, Client(loopback(port), opened=door) as client:

        async def send() -> None:
            for number in left:
                await client.post(f"http://127.0.0.1:{port}/hook/{number}", b"{}", (), NOW)

        await asyncio.gather(*(send() for _ in range(50)))
    assert len(door.opened) <= 50


async def test_a_hanging_host_holds_up_no_other() -> None:
    """While a host hangs with as many connections as one may have, and more wait for it, others are told."""
    hanging = asyncio.Semaphore(0)

    async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        hanging.release()
        await reader.read()

    async def handle(_: web.BaseRequest) -> web.Response:
        return web.Response(status=204)

    async with _peer(hang) as dead, receiver(handle) as port, Client(loopback(dead, port), timeout_s=30) as client:
        hung = [asyncio.create_task(client.post(f"http://127.0.0.1:{dead}/", b"{}", (), NOW)) for _ in range(300)]
        for _ in range(256):
            await asyncio.wait_for(hanging.acquire(), 10)
        for _ in range(20):
            assert (await client.post(f"http://127.0.0.1:{port}/", b"{}", (), NOW)).status == 204
        assert not any(task.done() for task in hung)
        assert hanging.locked(), "the rest waits for a connection"
        for task in hung:
            task.cancel()
        await asyncio.gather(*hung, return_exceptions=True)
