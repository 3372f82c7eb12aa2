"""Streams over real sockets, SSE and websockets: they end with a reason, and there is room for so many."""

from __future__ import annotations

import asyncio

import aiohttp

from catalog_service.api.app import create_app
from catalog_service.api.gate.rules import GateRules
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from tests.api_client import SOURCES, published
from tests.listening import listening

WAIT_S = 8.0
INIT = {"type": "connection_init"}
WS = ("graphql-transport-ws",)


async def test_streams_end_with_a_reason(store: Store) -> None:
    """Asked to stop, the service tells SSE clients why and when to come back, and closes websockets with 1012."""
    await published(store)
    app = create_app(Reader(store), SOURCES)
    async with aiohttp.ClientSession() as session:
        async with listening(app) as port:
            url = f"http://127.0.0.1:{port}"
            events = await session.get(f"{url}/v1/events")
            query = {"query": "subscription { committed { version { version } } }"}
            sse = await session.get(f"{url}/graphql", params=query, headers={"Accept": "text/event-stream"})
            first = await sse.content.readline()
            websocket = await session.ws_connect(f"{url}/graphql", protocols=WS)
            await websocket.send_json(INIT)
            assert (await websocket.receive_json())["type"] == "connection_ack"
        said = (await events.text(), (first + await sse.content.read()).decode())
        ended = await websocket.receive()
    assert all(": the service is stopping" in one and "retry: 3000" in one for one in said), said
    assert (ended.data, ended.extra) == (1012, "the service is stopping: come back")


async def test_streams_beyond_the_most_are_told_to_wait(store: Store) -> None:
    """With no room for a stream, SSE is a 503 with Retry-After and a websocket is closed with 1013; one ends, one fits."""
    await published(store)
    app = create_app(Reader(store), SOURCES, rules=GateRules(streams_most=1))
    async with listening(app) as port, aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{port}"
        async with session.ws_connect(f"{url}/graphql", protocols=WS) as first:
            await first.send_json(INIT)
            await first.receive_json()
            async with session.get(f"{url}/v1/events") as refused:
                problem = await refused.json()
                told = (refused.status, problem["code"], refused.headers["Retry-After"])
            assert told == (503, "TOO_MANY_STREAMS", "5")
            async with session.ws_connect(f"{url}/graphql", protocols=WS) as second:
                assert (await second.receive()).data == 1013
        async with asyncio.timeout(WAIT_S):
            while not await streams_now(session, url):
                await asyncio.sleep(0.05)


async def streams_now(session: aiohttp.ClientSession, url: str) -> bool:
    """Tell whether a stream is taken."""
    async with session.get(f"{url}/v1/events") as events:
        return events.status == 200
