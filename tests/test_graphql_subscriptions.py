"""Subscriptions over websockets and SSE: every version once, in order, whatever breaks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from catalog_service.api.graphql.view import MAX_SUBSCRIPTIONS
from catalog_service.store.connect import Store
from tests.api_client import DAY, PAGE, START, TAGS, TAGS_1, TAGS_2, commit, published
from tests.graphql_server import served

EVENTS = {"Accept": "text/event-stream"}
COMMITTED = "subscription ($since: Int, $source: [String!]) { committed(since: $since, source: $source) "
FIELDS = "{ version { version source } summary { prefixesAdded } changes(first: 1) { totalCount nodes { id } } } }"


async def more(store: Store, count: int, first: int = 4) -> None:
    """Commit versions, beginning with the fourth."""
    for number in range(first, first + count):
        await commit(store, TAGS, TAGS_2 if number % 2 else TAGS_1, START + number * DAY)


class Stream:
    """One connection of SSE, read as a browser would."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._lines = response.content
        self.last_id = ""

    async def event(self) -> tuple[str, Any]:
        """Return the next event that has data, and remember ids as an EventSource does."""
        name, data = "message", ""
        while True:
            line = (await asyncio.wait_for(self._lines.readline(), 5)).decode()
            if not line:
                return "end", None
            field, _, value = line.rstrip("\r\n").partition(": ")
            if field == "id":
                self.last_id = value
            elif field == "event":
                name = value
            elif field.startswith("data"):
                data = value
            elif not field and name != "message":
                return name, json.loads(data) if data else None

    async def versions(self, count: int) -> list[int]:
        """Return the numbers of the next events."""
        return [(await self.event())[1]["data"]["committed"]["version"]["version"] for _ in range(count)]


def address(url: str, since: int | None = None) -> str:
    """Return the address that an EventSource would open."""
    variables = {} if since is None else {"since": since}
    return f"{url}?query={quote(COMMITTED + FIELDS)}&variables={quote(json.dumps(variables))}"


async def test_sse_resumes_by_the_id_alone(store: Store) -> None:
    """A browser that asks again as at first, and names the last event, gets what came since: none lost, none twice."""
    await published(store)
    async with served(store) as server, aiohttp.ClientSession(headers=EVENTS) as http:
        async with http.get(address(server.url, since=1)) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            stream = Stream(response)
            assert await stream.versions(2) == [2, 3]
            await more(store, 1)
            assert await stream.versions(1) == [4]
            last = stream.last_id
        await more(store, 3, first=5)
        async with http.get(address(server.url, since=1), headers={"Last-Event-ID": last}) as response:
            assert (last, await Stream(response).versions(3)) == ("4", [5, 6, 7])


async def test_sse_says_where_it_begins(store: Store) -> None:
    """A stream that breaks before its first event can be resumed: its place is the first thing it says."""
    await published(store)
    async with served(store) as server, aiohttp.ClientSession(headers=EVENTS) as http:
        async with http.post(server.url, json={"query": COMMITTED + FIELDS}) as response:
            assert await response.content.readline() == b"id: 3\r\n"
        await more(store, 1)
        async with http.get(address(server.url), headers={"Last-Event-ID": "3"}) as response:
            assert await Stream(response).versions(1) == [4]


async def test_an_event_says_what_changed(store: Store) -> None:
    """The version, its counts, and a page of its changes; and where to go on, in the answer's extensions."""
    await published(store)
    async with (
        served(store) as server,
        aiohttp.ClientSession(headers=EVENTS) as http,
        http.get(address(server.url, since=2)) as response,
    ):
        name, answer = await Stream(response).event()
    assert name == "next"
    assert answer == {
        "data": {
            "committed": {
                "version": {"version": 3, "source": TAGS},
                "summary": {"prefixesAdded": 2},
                "changes": {"totalCount": 3, "nodes": [{"id": f"{TAGS}:AzureConnectors"}]},
            }
        },
        "extensions": {"since": 3},
    }


@pytest.mark.parametrize(
    ("since", "last_id", "code"),
    [(4, None, "UNKNOWN_VERSION"), (-1, None, "UNKNOWN_VERSION"), (1, "x", "BAD_PARAMETER")],
)
async def test_a_place_that_is_none(store: Store, since: int, last_id: str | None, code: str) -> None:
    """What was never served cannot be gone on from: an error, and the end."""
    await published(store)
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with (
        served(store) as server,
        aiohttp.ClientSession(headers=EVENTS) as http,
        http.get(address(server.url, since=since), headers=headers) as response,
    ):
        stream = Stream(response)
        _, answer = await stream.event()
        assert answer["errors"][0]["extensions"]["code"] == code
        assert [(await stream.event())[0], (await stream.event())[0]] == ["complete", "end"]


async def test_a_closing_server_ends_streams_without_completing_them(store: Store) -> None:
    """A stream that is not complete is one that a browser takes up again."""
    await published(store)
    async with (
        served(store) as server,
        aiohttp.ClientSession(headers=EVENTS) as http,
        http.get(address(server.url)) as response,
    ):
        assert await response.content.readline() == b"id: 3\r\n"
        server.app.state.close()
        assert (await Stream(response).event())[0] == "end"


class Socket:
    """One websocket, speaking graphql-transport-ws."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def begin(self) -> None:
        """Shake hands."""
        await self._socket.send_json({"type": "connection_init"})
        assert await self.message() == {"type": "connection_ack"}

    async def subscribe(self, name: str, query: str, **variables: object) -> None:
        """Ask for something under ``name``."""
        payload = {"query": query, "variables": variables}
        await self._socket.send_json({"id": name, "type": "subscribe", "payload": payload})

    async def message(self) -> dict[str, Any]:
        """Return the next message, which is text."""
        received = await asyncio.wait_for(self._socket.receive(), 5)
        assert received.type is aiohttp.WSMsgType.TEXT, received
        message: dict[str, Any] = json.loads(received.data)
        return message

    async def versions(self, count: int) -> list[int]:
        """Return the numbers of the next events."""
        return [(await self.message())["payload"]["data"]["committed"]["version"]["version"] for _ in range(count)]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client."""
    async with aiohttp.ClientSession() as opened:
        yield opened


async def test_a_websocket_goes_on_after_a_break(store: Store, http: aiohttp.ClientSession) -> None:
    """With the last answer's `since`, nothing is lost and nothing told twice."""
    await published(store)
    async with served(store) as server:
        async with http.ws_connect(server.url, protocols=["graphql-transport-ws"]) as opened:
            socket = Socket(opened)
            await socket.begin()
            await socket.subscribe("a", COMMITTED + FIELDS, since=0)
            assert await socket.versions(3) == [1, 2, 3]
            await more(store, 1)
            since = (await socket.message())["payload"]["extensions"]["since"]
        await more(store, 2, first=5)
        async with http.ws_connect(server.url, protocols=["graphql-transport-ws"]) as opened:
            socket = Socket(opened)
            await socket.begin()
            await socket.subscribe("a", COMMITTED + FIELDS, since=since)
            assert (since, await socket.versions(2)) == (4, [5, 6])


async def test_a_source_by_itself(store: Store, http: aiohttp.ClientSession) -> None:
    """Of the sources named alone; a name that is none is an error before anything is subscribed."""
    await published(store)
    async with served(store) as server, http.ws_connect(server.url, protocols=["graphql-transport-ws"]) as opened:
        socket = Socket(opened)
        await socket.begin()
        await socket.subscribe("page", COMMITTED + FIELDS, since=0, source=[PAGE])
        assert await socket.versions(1) == [2]
        await socket.subscribe("none", COMMITTED + FIELDS, source=["nobody"])
        message = await socket.message()
    assert (message["id"], message["type"]) == ("none", "error")
    assert message["payload"][0]["extensions"]["code"] == "UNKNOWN_SOURCE"


async def test_a_query_on_a_websocket_sees_the_newest_version(store: Store, http: aiohttp.ClientSession) -> None:
    """A websocket outlives versions: each operation has its own view, and the limits of any other."""
    await published(store)
    async with served(store) as server, http.ws_connect(server.url, protocols=["graphql-transport-ws"]) as opened:
        socket = Socket(opened)
        await socket.begin()
        for name, newest in (("a", 3), ("b", 4)):
            if newest == 4:
                await more(store, 1)
                await server.reader.wait_past(3)
            await socket.subscribe(name, "{ catalogVersion }")
            assert (await socket.message())["payload"] == {"data": {"catalogVersion": newest}}
            assert (await socket.message())["type"] == "complete"
        await socket.subscribe("c", "{ " + " ".join(f"a{n}: catalogVersion" for n in range(99)) + " }")
        assert (await socket.message())["payload"][0]["extensions"] == {"code": "BAD_QUERY"}


async def test_subscriptions_on_one_websocket_are_bounded(store: Store, http: aiohttp.ClientSession) -> None:
    """One more than ten is refused, the ten go on."""
    await published(store)
    async with served(store) as server, http.ws_connect(server.url, protocols=["graphql-transport-ws"]) as opened:
        socket = Socket(opened)
        await socket.begin()
        for number in range(MAX_SUBSCRIPTIONS + 1):
            await socket.subscribe(str(number), COMMITTED + FIELDS)
        refused = await socket.message()
        assert (refused["id"], refused["type"]) == (str(MAX_SUBSCRIPTIONS), "error")
        await more(store, 1)
        assert {(await socket.message())["id"] for _ in range(MAX_SUBSCRIPTIONS)} == {
            str(number) for number in range(MAX_SUBSCRIPTIONS)
        }


async def test_a_stream_has_no_head(store: Store, http: aiohttp.ClientSession) -> None:
    """HEAD of a stream is refused rather than held open; of a query it is answered."""
    await published(store)
    async with served(store) as server:
        async with http.head(address(server.url), headers=EVENTS) as stream:
            assert stream.status == 405
        async with http.head(f"{server.url}?query={{catalogVersion}}") as query:
            assert query.status == 200


async def test_a_subscription_needs_a_stream(store: Store, http: aiohttp.ClientSession) -> None:
    """Asked over plain HTTP it is refused, with what it needs."""
    await published(store)
    async with served(store) as server, http.post(server.url, json={"query": COMMITTED + FIELDS}) as response:
        answer = await response.json()
    assert answer["errors"][0]["extensions"]["code"] == "BAD_QUERY"
    assert "text/event-stream" in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    "message",
    [
        "[]",
        "1",
        "null",
        "{",
        '{"type": 1}',
        '{"type": "nothing"}',
        '{"type": "subscribe", "id": [], "payload": {}}',
        '{"type": "subscribe", "id": "a", "payload": {"query": 1}}',
        '{"type": "ping", "payload": "' + "x" * (1 << 20),
    ],
    ids=lambda message: message[:60],
)
async def test_a_message_that_is_none_closes_the_websocket(
    store: Store, http: aiohttp.ClientSession, message: str
) -> None:
    """The protocol's own code for it, and nothing of ours in the log."""
    await published(store)
    async with served(store) as server, http.ws_connect(server.url, protocols=["graphql-transport-ws"]) as opened:
        await Socket(opened).begin()
        await opened.send_str(message)
        received = await asyncio.wait_for(opened.receive(), 5)
    assert (received.type, received.data) == (aiohttp.WSMsgType.CLOSE, 4400)


@pytest.mark.parametrize("query", ["{ a ]", "{ a(b: " + "y" * 300 + " ]", "y" * 300, "mutation" * 90])
async def test_a_document_that_cannot_be_read_ends_itself_alone(
    store: Store, http: aiohttp.ClientSession, query: str
) -> None:
    """Its error is said under its own name; what else runs on the websocket goes on."""
    await published(store)
    async with served(store) as server, http.ws_connect(server.url, protocols=["graphql-transport-ws"]) as opened:
        socket = Socket(opened)
        await socket.begin()
        await socket.subscribe("good", COMMITTED + FIELDS)
        await socket.subscribe("bad", query)
        message = await socket.message()
        assert (message["type"], message["id"]) == ("error", "bad")
        assert message["payload"][0]["extensions"] == {"code": "BAD_QUERY"}
        await more(store, 1)
        assert await socket.versions(1) == [4]


async def test_a_name_that_is_taken_closes_the_websocket_however_long_it_is(
    store: Store, http: aiohttp.ClientSession
) -> None:
    """A reason to close has room for 123 bytes: it is cut, not a fault of ours."""
    await published(store)
    async with served(store) as server, http.ws_connect(server.url, protocols=["graphql-transport-ws"]) as opened:
        socket = Socket(opened)
        await socket.begin()
        for _ in range(2):
            await socket.subscribe("é" * 200, COMMITTED + FIELDS)
        received = await asyncio.wait_for(opened.receive(), 5)
    assert (received.type, received.data) == (aiohttp.WSMsgType.CLOSE, 4409)


async def test_another_origin_may_not_open_a_websocket(store: Store, http: aiohttp.ClientSession) -> None:
    """A page elsewhere cannot read the catalogue through its visitor's browser; the old protocol is not spoken."""
    await published(store)
    async with served(store) as server:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(
                server.url, protocols=["graphql-transport-ws"], headers={"Origin": "https://evil.example"}
            )
        async with http.ws_connect(server.url, protocols=["graphql-ws"]) as opened:
            assert (await opened.receive()).data == 4406
