"""Logs: one line a sync, a commit and a delivery, as JSON for machines, without anything secret."""

from __future__ import annotations

import contextlib
import io
import json
import logging
from collections.abc import Callable, Iterator

import aiohttp
import pytest
import structlog
from strawberry.http.exceptions import WebSocketDisconnected

from catalog_service.api.graphql.stream import Socket
from catalog_service.cli.logs import configure_logs
from catalog_service.cli.serve import _started
from catalog_service.notify.notifier import Notifier
from catalog_service.settings import load_settings
from catalog_service.store.connect import Store
from catalog_service.sync.run import run_source
from schema.event import EventType
from tests.api_client import START, TAGS, TAGS_1, catalog_client, commit
from tests.graphql_server import served
from tests.local_source import Clock, Shelf, body, local_source
from tests.operators import SHOWN, TOKEN, operator_actions
from tests.telling import SECRET, Receiver, subscribed, subscription

Lines = Callable[[str], list[dict[str, object]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Give the lines of one event that were logged so far, as machines read them."""
    before, written = logging.getLogger().level, io.StringIO()
    with contextlib.redirect_stderr(written):
        configure_logs("info", "json")

    def of(event: str) -> list[dict[str, object]]:
        told = [json.loads(line) for line in written.getvalue().splitlines()]
        return [one for one in told if one["event"] == event]

    yield of
    root = logging.getLogger()
    root.handlers = [one for one in root.handlers if one.get_name() != "catalog-service"]
    root.setLevel(before)
    structlog.reset_defaults()


async def test_a_sync_and_its_commit(store: Store, lines: Lines) -> None:
    """A run is one line with its result, seconds and stages; what it committed one with counts and the fence."""
    source, shelf, clock = local_source(), Shelf(), Clock()
    await run_source(source, shelf, store, clock)
    shelf.bodies[source.url] = body({"t1": ["20.1.0.0/16"], "t2": ["20.2.0.0/16"]})
    await run_source(source, shelf, store, clock)
    failed, committed = lines("sync")
    (made,) = lines("commit")
    assert (failed["level"], failed["result"], list(failed["stages"])) == ("warning", "failed", ["fetch"])  # type: ignore[call-overload]
    assert (committed["level"], committed["result"], committed["version"]) == ("info", "committed", 1)
    assert set(committed["stages"]) == {"fetch", "parse", "compare", "commit"}  # type: ignore[call-overload]
    assert isinstance(committed["seconds"], float)
    assert (made["version"], made["source"], made["endpoint_sets"], made["fence"]) == (1, source.name, 2, 2)
    assert (made["prefixes"], made["fqdns"]) == ("+2 -0", "+0 -0")
    assert str(made["timestamp"]).endswith("Z")


async def test_a_delivery_and_no_secret(store: Store, receiver: Receiver, notifier: Notifier, lines: Lines) -> None:
    """An attempt is one line, a warning when it failed; neither names the secret part of an address or the secret."""
    receiver.replies["/broken/T0KEN"] = [500]
    await subscribed(store, subscription("sub_a", receiver.url("/hook/T0KEN")))
    await subscribed(store, subscription("sub_b", receiver.url("/broken/T0KEN")))
    await commit(store, TAGS, TAGS_1, START)
    await notifier.once()
    told = {str(one["subscription"]): one for one in lines("delivery")}
    well, badly = told["sub_a"], told["sub_b"]
    assert (well["level"], well["outcome"], well["attempts"], well["status"]) == ("info", "delivered", 1, 204)
    assert (badly["level"], badly["outcome"], badly["attempts"]) == ("warning", "retried", 1)
    assert badly["error"] == "the receiver answered 500"
    assert well["delivery"] == receiver.at("/hook/T0KEN")[0].id
    assert (well["channel"], well["type"], well["place"]) == ("webhook", EventType.COMMITTED, "1")
    assert SECRET not in str(told)
    assert "T0KEN" not in str(told)


async def test_a_request_that_went_well_is_no_line(store: Store, lines: Lines) -> None:
    """Only requests that failed or were slow are told: a line for each would cost more than answering it."""
    async with catalog_client(store) as client:
        assert (await client.get("/v1/allowlist")).status_code == 200
        assert (await client.get("/v1/endpoints/none")).status_code == 404
    assert lines("request") == []


async def test_a_failed_request_is_a_line(store: Store, lines: Lines) -> None:
    """A request that failed by our fault is a warning, with the route, the status and the id that the answer has."""
    async with catalog_client(store) as client:
        await store.redis.set("{catalog}:labels", "not a hash")
        answer = await client.get("/v1/labels", headers={"X-Request-Id": "abc-1"})
    (told,) = lines("request")
    assert answer.status_code >= 500
    assert (told["level"], told["route"], told["status"]) == ("warning", "/v1/labels", answer.status_code)
    assert told["request_id"] == answer.headers["x-request-id"] == "abc-1"


async def test_what_a_websocket_shows_is_in_no_log(store: Store) -> None:
    """Not at debug either: not the token of its handshake, nor that of its first message."""
    before, written = logging.getLogger().level, io.StringIO()
    with contextlib.redirect_stderr(written):
        configure_logs("debug", "json")
    try:
        async with (
            served(store, operator_actions(store)) as server,
            aiohttp.ClientSession() as session,
            session.ws_connect(server.url, protocols=["graphql-transport-ws"], headers=SHOWN) as socket,
        ):
            await socket.send_json({"type": "connection_init", "payload": {"authorization": f"Bearer {TOKEN}"}})
            assert (await socket.receive_json())["type"] == "connection_ack"
    finally:
        root = logging.getLogger()
        root.handlers = [one for one in root.handlers if one.get_name() != "catalog-service"]
        root.setLevel(before)
        structlog.reset_defaults()
    assert written.getvalue()
    assert TOKEN[:8] not in written.getvalue()


async def test_a_client_that_leaves_a_websocket_is_no_line(lines: Lines) -> None:
    """One that leaves before it is answered is no fault of ours: nobody is to look at it. What else fails is one."""
    handler = Socket.__new__(Socket)
    await handler.handle_task_exception(WebSocketDisconnected())
    assert not lines("Exception in worker task")
    await handler.handle_task_exception(ValueError("a fault"))
    assert lines("Exception in worker task")


@pytest.mark.parametrize("graphiql", [True, False])
def test_the_first_line_names_what_is_served(lines: Lines, *, graphiql: bool) -> None:
    """GraphiQL's address is told where it is on."""
    settings = load_settings({"graphiql": graphiql, "redis_url": "redis://127.0.0.1"})
    _started(settings, "http://127.0.0.1:1", demo=False)
    page = ", GraphiQL on http://127.0.0.1:1/graphql" if graphiql else ""
    (line,) = lines(f"serving on http://127.0.0.1:1{page}, data in Redis")
    assert line.get("graphiql") == ("http://127.0.0.1:1/graphql" if graphiql else None)
