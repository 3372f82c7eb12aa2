"""Streams over real sockets, SSE and websockets: they end with a reason, and there is room for so many."""

from __future__ import annotations

import asyncio
import logging

import aiohttp
import pytest
from prometheus_client import generate_latest

from catalog_service import metrics
from catalog_service.api.app import create_app
from catalog_service.api.gate.rules import GateRules
from catalog_service.cli.connections import Patience
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from tests.api_client import SOURCES, published
from tests.listening import listening
from tests.operators import operator_actions, shows
from tests.scrapes import series_of, value

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


async def test_a_refused_websocket_is_no_error(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """Who may not open one is told so, and the log does not call it a fault of the program."""
    await published(store)
    app = create_app(Reader(store), SOURCES, actions=operator_actions(store))
    async with listening(app) as port, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"http://127.0.0.1:{port}/graphql", protocols=WS, headers=shows("wrong"))
    assert refused.value.status == 401
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == []


async def test_a_body_that_is_not_there_in_time_is_told_to_come_back(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """At the end of the grace a request under way is a 503 problem with Retry-After, and counted as one."""
    await published(store)
    app = create_app(Reader(store), SOURCES)
    before = refused_count()
    async with listening(app, Patience()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = "POST /v1/lookup HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n"
        writer.write(head.encode())
        await asyncio.wait_for(reader.readuntil(b"100 Continue\r\n\r\n"), WAIT_S)
        writer.write(b"13.")
    answer = (await asyncio.wait_for(reader.read(), WAIT_S)).decode()
    writer.close()
    assert answer.startswith("HTTP/1.1 503 ")
    assert "retry-after: 5" in answer.lower()
    assert '"code":"STOPPING"' in answer
    assert refused_count() == before + 1
    assert not [one for one in caplog.records if one.exc_info]


def refused_count() -> float:
    """Return how many lookups were answered with 503."""
    series = series_of(generate_latest(metrics.REGISTRY).decode())
    return value(series, "catalog_http_requests_total", route="/v1/lookup", method="POST", status="503")
