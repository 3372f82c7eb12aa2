"""One stream of events by itself: heartbeats, clients that are slow or gone, events that cannot be made."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import uvicorn
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from catalog_service.api.event_stream import EventStream
from catalog_service.api.hub import Hub
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from catalog_service.tasks import stop
from schema.errors import CorruptContentError
from schema.event import Event, Place
from tests.api_client import DAY, START, TAGS, TAGS_1, TAGS_2, commit, published
from tests.graphql_server import Server


async def more(store: Store, first: int, last: int) -> None:
    """Commit the versions from ``first`` to ``last``."""
    for number in range(first, last + 1):
        await commit(store, TAGS, TAGS_2 if number % 2 else TAGS_1, START + number * DAY)


class Client:
    """One that an `EventStream` is sent to without a server between, so that it can be slow or leave."""

    def __init__(self) -> None:
        self.parts: asyncio.Queue[bytes] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self.left = asyncio.Event()
        self.ended = False
        self.trouble: list[Exception] = []
        """What goes wrong with the next events."""

    async def receive(self) -> Message:
        """Wait for the client to leave."""
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a part once the client reads."""
        await self.reads.wait()
        if message["type"] == "http.response.body":
            self.ended = not message["more_body"]
            self.parts.put_nowait(message["body"])

    def begin(self, hub: Hub, wanted: tuple[int, ...] = (), **limits: float) -> asyncio.Task[None]:
        """Have the versions ``wanted`` told to it, from now on."""

        async def tell(event: Event) -> bytes | None:
            if self.trouble:
                raise self.trouble.pop()
            return b"{}" if event.place.version in wanted else None

        stream = EventStream(hub, hub.newest, tell, always, **limits)
        scope: dict[str, Any] = {"type": "http", "method": "GET"}
        return asyncio.create_task(stream(scope, self.receive, self.send))

    async def part(self) -> bytes:
        """Return the next part."""
        return await asyncio.wait_for(self.parts.get(), 10)


async def always() -> bool:
    return True


@contextlib.asynccontextmanager
async def hub_of(store: Store) -> AsyncIterator[Hub]:
    """Give a hub that follows ``store`` for a block."""
    reader = Reader(store)
    await reader.refresh()
    hub = Hub(reader)
    tasks = asyncio.create_task(reader.follow()), asyncio.create_task(hub.follow())
    yield hub
    await stop(*tasks)


async def test_a_heartbeat_moves_the_place(store: Store) -> None:
    """What was not told moves the client's id, too: coming back, it is not gone through again."""
    await published(store)
    async with hub_of(store) as hub:
        client = Client()
        telling = client.begin(hub, wanted=(5,), heartbeat_s=0.05)
        assert await client.part() == b"retry: 3000\nid: 3\n\n"
        assert await client.part() == b":\n\n"
        await more(store, 4, 4)
        while (part := await client.part()) == b":\n\n":
            pass
        assert part == b"id: 4\n\n"
        await more(store, 5, 5)
        while (part := await client.part()) == b":\n\n":
            pass
        assert part == b"event: catalog.version.committed\ndata: {}\nid: 5\n\n"
        assert await client.part() == b":\n\n"
        client.left.set()
        await asyncio.wait_for(telling, 5)


async def test_a_client_that_does_not_read_is_sent_away(store: Store) -> None:
    """It costs one part that is not taken, and nobody else anything; what it read last is where it goes on."""
    await published(store)
    async with hub_of(store) as hub:
        slow, other = Client(), Client()
        telling = slow.begin(hub, (4, 5), heartbeat_s=0.05, patience_s=0.1), other.begin(hub, (4, 5))
        assert [await slow.part(), await other.part()] == [b"retry: 3000\nid: 3\n\n"] * 2
        slow.reads.clear()
        await more(store, 4, 5)
        assert [(await other.part())[-7:] for _ in range(2)] == [b"id: 4\n\n", b"id: 5\n\n"]
        await asyncio.wait_for(telling[0], 5)
        assert all(slow.parts.get_nowait() == b":\n\n" for _ in range(slow.parts.qsize()))
        assert not slow.ended
        assert not telling[1].done()
        hub.close()
        await asyncio.wait_for(telling[1], 5)
        assert other.ended


async def test_a_slow_client_finds_the_end_and_resumes(store: Store) -> None:
    """Over a real connection: what was sent is whole, then the stream ends; the last id leads on to the rest."""
    await published(store)
    async with hub_of(store) as hub:

        async def tell(event: Event) -> bytes | None:
            return b'{"x":"%b"}' % (b"x" * (8 << 20))  # more than the buffers of both sides hold

        async def endpoint(request: Request) -> Response:
            since = int(request.headers.get("last-event-id", "0"))
            return EventStream(hub, Place(since), tell, always, heartbeat_s=0.05, patience_s=30 if since else 0.1)

        ended = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await Starlette(routes=[Route("/", endpoint)])(scope, receive, send)
            ended.set()

        server = Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve())
        await server.listens.wait()
        url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
        async with aiohttp.ClientSession() as http:
            async with http.get(url) as response:
                await asyncio.wait_for(ended.wait(), 10)
                first = await read_slowly(response)
            async with http.get(url, headers={"Last-Event-ID": str(first[-1])}) as response:
                second = await read_slowly(response, until=3)
        hub.close()
        server.should_exit = True
        await serving
    assert first[0] == 1
    assert first[-1] < 3
    assert [*first, *second] == [1, 2, 3]


async def read_slowly(response: aiohttp.ClientResponse, until: int = 0) -> list[int]:
    """Return the ids of whole events, up to the end, or up to one."""
    found: list[int] = []
    rest = b""
    with contextlib.suppress(aiohttp.ClientPayloadError):  # it is cut off in the middle of nothing
        while chunk := await asyncio.wait_for(response.content.readany(), 10):
            rest += chunk
            *blocks, rest = rest.split(b"\n\n")
            found += [int(block.rpartition(b"id: ")[2]) for block in blocks if b"data: " in block]
            if until and found and found[-1] == until:
                break
    assert b"data: " not in rest or until
    return found


async def test_an_event_that_cannot_be_made_is_waited_for(store: Store) -> None:
    """The store is away, or damaged: heartbeats go on, and the event comes once it can, none left out."""
    await published(store)
    async with hub_of(store) as hub:
        client = Client()
        client.trouble = [RedisError("away"), CorruptContentError("damaged"), OSError("gone")]
        telling = client.begin(hub, (4, 5), heartbeat_s=0.02, retry_s=0.05)
        await more(store, 4, 5)
        parts = [await client.part() for _ in range(20)]
        told = [part for part in parts if part.startswith(b"event: ")]
        assert [part[-7:] for part in told] == [b"id: 4\n\n", b"id: 5\n\n"]
        assert parts.index(b":\n\n") < parts.index(told[0])
        assert not client.trouble
        client.left.set()
        await asyncio.wait_for(telling, 5)
