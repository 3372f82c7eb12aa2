"""The listener over real sockets: who is slow on purpose or without end is cut off, and hinders nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message
from uvicorn.server import ServerState

from catalog_service.api.app import create_app
from catalog_service.api.bounds import Arriving, bounded_body
from catalog_service.api.edge import Edge
from catalog_service.cli.connections import MOST_BODY_BYTES, MOST_HEAD_BYTES, Connection, Patience
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from tests.api_client import SOURCES, published
from tests.listening import listening

LONG = 40 << 20
"""More than the kernel keeps for a client that does not read."""
WAIT_S = 8.0
INIT = {"type": "connection_init"}
WS = ("graphql-transport-ws",)


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def plain() -> Starlette:
    """An application that reads a body of up to 1,000 bytes."""

    async def post(request: Request) -> Response:
        return Response(str(len(await bounded_body(request, 1000))))

    app = Starlette(routes=[Route("/", post, methods=["GET", "POST"])])
    app.middleware_stack = Edge(app.build_middleware_stack(), demo=False)
    app.state.close = lambda: None
    return app


async def drip(writer: asyncio.StreamWriter, byte: bytes, first: bytes = b"") -> None:
    """Send the bytes of ``first``, then ``byte`` for ever, ten a second until nobody takes them."""
    with contextlib.suppress(OSError):
        for one in itertools.chain((bytes([code]) for code in first), itertools.repeat(byte)):
            if writer.is_closing():
                return
            writer.write(one)
            await asyncio.sleep(0.1)


async def test_500_connections_that_drip_hinder_nobody_and_are_cut_off() -> None:
    """While 500 connections send a byte now and then, others are answered; each is told 408 and ended."""

    async def slow(port: int) -> bytes:
        async with connected(port) as (reader, writer):
            dripping = asyncio.create_task(drip(writer, b"x", b"GET / HTTP/1.1"))
            try:
                return await asyncio.wait_for(reader.read(), WAIT_S)
            finally:
                dripping.cancel()

    async with listening(plain()) as port, aiohttp.ClientSession() as session:
        slowly = [asyncio.create_task(slow(port)) for _ in range(500)]
        for _ in range(20):
            async with session.post(f"http://127.0.0.1:{port}/", data=b"abc") as answer:
                assert await asyncio.wait_for(answer.text(), 2) == "3"
        ends = await asyncio.gather(*slowly)
    assert {end.split(b"\r\n")[0] for end in ends} == {b"HTTP/1.1 408 Request Timeout"}


async def test_who_is_slow_is_cut_off() -> None:
    """Nothing at all, a head, a body, a chunk, empty lines between requests: nobody stays for ever with them."""
    cases = (
        ("", "", ""),
        ("GET / HTTP/1.1\r\nx: ", "x", "408"),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 900\r\n\r\n", "x", "408"),
        ("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n", "", "408"),
        ("GET / HTTP/1.1\r\nhost: a\r\n\r\n", "\r\n", "200"),
        ("GET / HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\nx: ", "x", "200"),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2000\r\n\r\n" + "x" * 1001, "x", "413"),
    )

    async def told(port: int, begun: str, byte: str) -> str:
        async with connected(port) as (reader, writer):
            writer.write(begun.encode())
            dripping = asyncio.create_task(drip(writer, byte.encode()))
            read = b""
            with contextlib.suppress(ConnectionResetError):
                while part := await asyncio.wait_for(reader.read(4096), WAIT_S):
                    read += part
            dripping.cancel()
            return read.decode().partition(" ")[2][:3]

    async with listening(plain()) as port:
        found = await asyncio.gather(*(told(port, begun, byte) for begun, byte, _ in cases))
    assert found == [expected for *_, expected in cases]


@pytest.mark.parametrize(
    ("begun", "limit", "expected"),
    [
        (b"GET / HTTP/1.1\r\nx: ", MOST_HEAD_BYTES, b"431"),
        (b"GET /", MOST_HEAD_BYTES, b"431"),
        (b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ", MOST_BODY_BYTES, b""),
    ],
    ids=["header", "address", "trailer"],
)
async def test_a_line_without_end_is_refused(begun: bytes, limit: int, expected: bytes) -> None:
    """A header, an address and a trailer that never end are refused before they fill the memory."""
    taken = 0
    async with listening(plain(), Patience()) as port, connected(port) as (reader, writer):
        answering = asyncio.create_task(reader.read())
        writer.write(begun)
        with contextlib.suppress(OSError):
            while not answering.done() and taken < 2 * limit + (8 << 20):
                writer.write(b"x" * 65536)
                await asyncio.wait_for(writer.drain(), WAIT_S)
                taken += 65536
        with contextlib.suppress(OSError):  # what was unread there may have reset it
            assert expected in await asyncio.wait_for(answering, WAIT_S)
    assert taken < 2 * limit + (8 << 20)


async def test_a_body_without_end_is_refused() -> None:
    """Who goes on sending after a 413 is cut off."""
    sent = 0
    async with listening(plain(), Patience()) as port, connected(port) as (_, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 999999999\r\n\r\n")
        with contextlib.suppress(OSError):
            while sent < 10 * MOST_BODY_BYTES:
                writer.write(b"x" * 65536)
                await asyncio.wait_for(writer.drain(), WAIT_S)
                sent += 65536
    assert sent < 10 * MOST_BODY_BYTES


async def test_large_bodies_have_so_much_memory_together() -> None:
    """Those that come slowly fill it up; then a large one is told 503 at once, a small one is read, and room returns."""
    arriving, held = Arriving(150_000), asyncio.Event()

    def request(*chunks: bytes, last: asyncio.Event | None = None) -> Request:
        left = list(chunks)

        async def receive() -> Message:
            if not left and last:
                await last.wait()
            return {"type": "http.request", "body": left.pop(0) if left else b"", "more_body": bool(left or last)}

        return Request({"type": "http", "headers": []}, receive)

    slow = asyncio.create_task(bounded_body(request(b"x" * 100_000, last=held), 1 << 20, arriving))
    while not arriving.bytes:
        await asyncio.sleep(0)
    with pytest.raises(HTTPException) as refused:
        await bounded_body(request(b"x" * 100_000), 1 << 20, arriving)
    assert (refused.value.status_code, arriving.bytes) == (503, 100_000)
    assert await bounded_body(request(b"x" * 60_000), 1 << 20, arriving)
    slow.cancel()
    await asyncio.wait({slow})
    assert len(await bounded_body(request(b"x" * 100_000), 1 << 20, arriving)) == 100_000
    assert arriving.bytes == 0


async def test_headers_of_70_kb_are_a_problem() -> None:
    """A head that comes whole and is too large has a problem document."""
    async with listening(plain()) as port, connected(port) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"x" * 70_000 + b"\r\nconnection: close\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), WAIT_S)
    assert answer.startswith(b"HTTP/1.1 431")
    assert b"HEADERS_TOO_LARGE" in answer


UPGRADE = (
    "Host: a\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
WEBSOCKET = f"{UPGRADE}Upgrade: websocket\r\n"


@pytest.mark.parametrize(
    "begun",
    [
        f"GET / HTTP/1.1\r\n{WEBSOCKET}Content-Length: 2\r\n\r\n{{}}",
        f"POST / HTTP/1.1\r\n{WEBSOCKET}Transfer-Encoding: chunked\r\n\r\n",
        f"GET / HTTP/1.1\r\n{WEBSOCKET}{'x: y' * 3000}\r\n\r\n",
        f"GET / HTTP/1.1\r\n{WEBSOCKET}{''.join(f'x{at}: y' + chr(13) + chr(10) for at in range(130))}\r\n",
        f"GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n{WEBSOCKET}\r\n",
    ],
)
async def test_a_handshake_that_cannot_be_read_is_refused(begun: str) -> None:
    """A websocket with a body, a head beyond its bounds, or behind a request under way, is told 400 and ended."""

    async def slow(_request: Request) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    app = plain()
    app.router.routes.append(Route("/slow", slow))
    async with listening(app, Patience()) as port, connected(port) as (reader, writer):
        writer.write(begun.encode())
        assert (await asyncio.wait_for(reader.read(), WAIT_S)).startswith(b"HTTP/1.1 400 Bad Request\r\n")


async def test_an_upgrade_to_what_is_not_spoken_here_is_passed_over() -> None:
    """Who would like h2c, as Java's clients would, is answered by HTTP/1.1, with the body and what comes behind."""
    asking = f"POST / HTTP/1.1\r\n{UPGRADE}Upgrade: h2c\r\nContent-Length: 3\r\n\r\n".encode()
    plainly = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nabcd"
    for parts in ((asking, b"abc"), (asking + b"abc",)):
        async with listening(plain(), Patience()) as port, connected(port) as (reader, writer):
            for part in parts:
                writer.write(part)
                await asyncio.sleep(0)
            head, _, body = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n3"), WAIT_S)).rpartition(b"\r\n\r\n")
            assert (head.split(b"\r\n")[0], body) == (b"HTTP/1.1 200 OK", b"3")
            writer.write((asking + b"abc") * 2000 + plainly)
            answers = (await asyncio.wait_for(reader.read(), WAIT_S)).split(b"HTTP/1.1 200 OK")
            assert [answer[-1:] for answer in answers] == [b"", *[b"3"] * 2000, b"4"]


class Wire(asyncio.Transport):
    """What a connection writes, and whether it was ended."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.is_over = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def pause_reading(self) -> None:
        """There is nothing to be held back."""

    def resume_reading(self) -> None:
        """As above."""

    def write_eof(self) -> None:
        self.is_over = True

    def abort(self) -> None:
        self.is_over = True

    close = abort

    def is_closing(self) -> bool:
        return self.is_over


async def test_many_requests_at_once_are_no_large_head() -> None:
    """What comes in one piece, more than a head may have, and ends in the middle of a head, is what it is."""
    config, wire = uvicorn.Config(plain(), lifespan="off", log_config=None), Wire()
    config.load()
    connection = Connection(config, ServerState(), {})
    connection.connection_made(wire)
    asking = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    count = MOST_HEAD_BYTES // len(asking) + 100
    connection.data_received(asking * count + asking[:20])
    async with asyncio.timeout(WAIT_S):
        while wire.written.count(b"HTTP/1.1 200 OK") < count and not wire.is_over:
            await asyncio.sleep(0)
    connection.data_received(asking[20:])
    async with asyncio.timeout(WAIT_S):
        while wire.written.count(b"HTTP/1.1 200 OK") <= count and not wire.is_over:
            await asyncio.sleep(0)
    assert not wire.is_over
    connection.data_received(b"GET / HTTP/1.1\r\nx: " + b"x" * MOST_HEAD_BYTES)
    assert wire.is_over
    assert wire.written.endswith(b"content-length: 0\r\n\r\n")
    connection.connection_lost(None)


async def test_who_does_not_read_is_cut_off() -> None:
    """An answer that its client leaves unread is not kept in memory for ever."""
    over = asyncio.Event()

    async def long(request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(LONG >> 16):
                yield b"x" * 65536

        async def ended() -> None:
            over.set()

        return StreamingResponse(parts(), background=BackgroundTask(ended))

    app = plain()
    app.router.routes.append(Route("/long", long))
    async with listening(app) as port:
        with socket.create_connection(("127.0.0.1", port)) as lazy:
            lazy.sendall(b"GET /long HTTP/1.1\r\nhost: a\r\n\r\n")
            await asyncio.wait_for(over.wait(), WAIT_S)


async def test_unfinished_messages_of_websockets_have_so_much_memory_together(store: Store) -> None:
    """Who sends most of a frame, or a message in parts without an end, is cut off once all of them hold too much."""
    await published(store)
    patience = Patience(unfinished_bytes=1_000_000)
    frame, part = b"\x81\xff" + (900_000).to_bytes(8) + bytes(4), b"\x01\xfe" + (600).to_bytes(2) + bytes(4 + 600)
    async with (
        listening(create_app(Reader(store), SOURCES), patience) as port,
        aiohttp.ClientSession() as session,
        contextlib.AsyncExitStack() as opened,
    ):
        honest = await opened.enter_async_context(session.ws_connect(f"http://127.0.0.1:{port}/graphql", protocols=WS))
        await honest.send_json(INIT)
        large, many = [await opened.enter_async_context(connected(port)) for _ in range(2)]
        for _, writer in (large, many):
            writer.write(f"GET /graphql HTTP/1.1\r\n{WEBSOCKET}Sec-WebSocket-Protocol: {WS[0]}\r\n\r\n".encode())
        large[1].write(frame + bytes(800_000))
        many[1].write(part + (b"\x00" + part[1:]) * 700)
        ends = [asyncio.create_task(reader.read()) for reader, _ in (large, many)]
        await asyncio.wait_for(asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED), WAIT_S)
        assert ends[0].done()
        assert (await honest.receive_json())["type"] == "connection_ack"
        ends[1].cancel()
        await asyncio.wait({ends[1]})


async def test_beyond_the_most_connections_none_is_taken() -> None:
    """Connections beyond the limit are ended at once, those before it go on."""
    async with listening(plain(), Patience(), connections_most=4) as port, contextlib.AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(connected(port)) for _ in range(3)]
        first_reader, first_writer = opened[0]
        first_writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        assert (await asyncio.wait_for(first_reader.readline(), WAIT_S)).startswith(b"HTTP/1.1 200")
        await stack.enter_async_context(connected(port))
        one_more, _ = await stack.enter_async_context(connected(port))
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(one_more.read(), WAIT_S) == b""
