"""Who may do what through the API: tokens and who asks over both contracts, and one that nobody may read without."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta

import aiohttp
import pytest
from strawberry.types.execution import PreExecutionError

from catalog_service.access.issuing import NewToken, TokenDesk
from catalog_service.api.graphql.asked import Door
from catalog_service.api.graphql.schema import schema
from catalog_service.api.hub import Hub
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from schema.access import Scope
from tests.api_client import (
    DAY,
    SOURCES,
    START,
    TAGS,
    TAGS_1,
    TAGS_2,
    application,
    catalog_client,
    client,
    commit,
    published,
)
from tests.graphql_server import served
from tests.local_source import NOW, Clock
from tests.operators import SHOWN, basic, operator_actions, shows, token_with
from tests.test_access import bearer


async def test_whoami(store: Store) -> None:
    """The name, the scopes with what they include and the expiry of what was shown; of a demo nobody has a token."""
    wanted = NewToken("ci", (Scope.OPERATE,), NOW + timedelta(days=1))
    issued = await TokenDesk(store, Clock(), os.urandom).create(wanted, "ann", "cli")
    query = {"query": "{ whoami { name scopes token expiresAt } }"}
    async with catalog_client(store, actions=operator_actions(store)) as http:
        mine = (await http.get("/v1/whoami", headers=shows(issued.secret))).json()
        same = (await http.post("/graphql", json=query, headers=shows(issued.secret))).json()["data"]["whoami"]
        nobody = (await http.get("/v1/whoami")).json()
        operator = (await http.get("/v1/whoami", headers=SHOWN)).json()
    assert mine == {
        "name": "ci",
        "scopes": ["read", "operate"],
        "token": issued.token.id,
        "expires_at": "2026-11-24T12:00:00Z",
    }
    assert same == {
        "name": "ci",
        "scopes": ["READ", "OPERATE"],
        "token": issued.token.id,
        "expiresAt": "2026-11-24T12:00:00Z",
    }
    assert nobody == {"name": "anonymous", "scopes": ["read"]}
    assert operator == {"name": "operator", "scopes": ["read", "subscribe", "operate", "admin"]}
    async with client((await application(store))[0]) as demo:
        assert (await demo.get("/v1/whoami", headers=SHOWN)).json() == nobody


async def test_tokens_over_rest(store: Store) -> None:
    """Made with the secret once, listed without it, revoked; then it opens nothing, though it was just used."""
    async with catalog_client(store, actions=operator_actions(store)) as http:
        made = await http.post("/v1/tokens", json={"name": "ci", "scopes": ["subscribe"]}, headers=SHOWN)
        secret, id_ = made.json()["secret"], made.json()["token"]["id"]
        assert (made.status_code, made.headers["location"], made.headers["cache-control"]) == (
            201,
            f"tokens/{id_}",
            "no-store",
        )
        assert (await http.get("/v1/subscriptions", headers=shows(secret))).json() == {"items": []}
        listed = await http.get("/v1/tokens", headers=SHOWN)
        assert [one["name"] for one in listed.json()["items"]] == ["ci"]
        assert secret not in listed.text
        assert (await http.delete(f"/v1/tokens/{id_}", headers=SHOWN)).status_code == 204
        assert (await http.get("/v1/subscriptions", headers=shows(secret))).status_code == 401
        again = await http.delete(f"/v1/tokens/{id_}", headers=SHOWN)
        assert (again.status_code, again.json()["code"]) == (404, "UNKNOWN_TOKEN")
        for body, parameter in (
            ({"name": "ci", "scopes": []}, "scopes"),
            ({"name": "ci", "scopes": ["all"]}, "scopes[0]"),
            ({"name": "ci"}, "scopes"),
            ({"name": "ci", "scopes": ["read"], "expires_at": "soon"}, "expires_at"),
        ):
            wrong = await http.post("/v1/tokens", json=body, headers=SHOWN)
            assert (wrong.status_code, wrong.json()["parameter"]) == (400, parameter)


READS = ("/v1/versions", "/v1/whoami", "/v1/events", "/openapi.json", "/versions", "/lookup?q=1.2.3.4", "/")


async def test_nothing_is_read_without_a_token_where_that_is_not_allowed(store: Store) -> None:
    """Not by REST, GraphQL or a page; only probes and what pages are drawn with. Any token reads, as Bearer or Basic."""
    actions, secret = operator_actions(store, anonymous_read=False), await token_with(store, Scope.READ)
    question = {"query": "{ catalogVersion }"}
    async with catalog_client(store, actions=actions) as http:
        for path in READS:
            refused = await http.get(path)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer"), path
            for shown in (bearer(secret), basic(secret)):
                assert (await http.get(path, headers={"Authorization": shown})).status_code == 200, path
        assert (await http.post("/graphql", json=question)).status_code == 401
        answer = await http.post("/graphql", json=question, headers=shows(secret))
        assert answer.json() == {"data": {"catalogVersion": 3}}
        for path in ("/healthz", "/assets/pages/pages.css"):
            assert (await http.get(path)).status_code == 200


@pytest.mark.parametrize(("payload", "is_let_in"), [({"authorization": "mine"}, True), ({}, False)])
async def test_a_websocket_is_read_by_who_may(store: Store, payload: dict[str, str], *, is_let_in: bool) -> None:
    """The first message shows the token where the handshake cannot; without one it is closed, and nothing was told."""
    secret = await token_with(store, Scope.READ)
    sent = {name: bearer(secret) for name in payload}
    await published(store)
    async with (
        served(store, operator_actions(store, anonymous_read=False)) as server,
        aiohttp.ClientSession() as http,
        http.ws_connect(server.url, protocols=["graphql-transport-ws"]) as socket,
    ):
        await socket.send_json({"type": "connection_init", "payload": sent})
        first = await socket.receive(timeout=5)
        assert (first.type is aiohttp.WSMsgType.TEXT) == is_let_in
        if not is_let_in:
            assert socket.close_code == 4403
            return
        await socket.send_json({"id": "a", "type": "subscribe", "payload": {"query": "{ catalogVersion }"}})
        assert (await socket.receive_json(timeout=5))["payload"] == {"data": {"catalogVersion": 3}}


async def test_a_websocket_outlives_no_token(store: Store) -> None:
    """What is asked over it after its token was revoked is refused, a question and a mutation alike."""
    secret = await token_with(store, Scope.OPERATE)
    (token,) = await store.tokens.all()
    actions = operator_actions(store, anonymous_read=False, reloaded_after_s=0.0)
    await published(store)
    async with (
        served(store, actions) as server,
        aiohttp.ClientSession(headers=shows(secret)) as http,
        http.ws_connect(server.url, protocols=["graphql-transport-ws"]) as socket,
    ):
        await socket.send_json({"type": "connection_init"})
        await socket.receive_json(timeout=5)
        await actions.tokens.revoke(token.id, "ann", "cli")
        for query in ("{ catalogVersion }", 'mutation { setLabel(name: "prod") { name } }'):
            await socket.send_json({"id": "a", "type": "subscribe", "payload": {"query": query}})
            answer = await socket.receive_json(timeout=5)
            assert "UNAUTHENTICATED" in str(answer)
            if answer["type"] != "error":
                await socket.receive_json(timeout=5)  # complete
    assert await store.labels.all() == ()


@pytest.mark.parametrize("path", ["/v1/events", "/graphql?query=subscription{committed{version{version}}}"])
async def test_a_stream_outlives_no_token(store: Store, path: str) -> None:
    """What happens after its token was revoked is told to nobody: the stream ends."""
    secret = await token_with(store, Scope.READ)
    (token,) = await store.tokens.all()
    actions = operator_actions(store, anonymous_read=False, reloaded_after_s=0.0)
    await commit(store, TAGS, TAGS_1, START)
    headers = {**shows(secret), "Accept": "text/event-stream"}
    async with (
        served(store, actions) as server,
        aiohttp.ClientSession(headers=headers) as http,
        http.get(server.url.replace("/graphql", path)) as stream,
        asyncio.timeout(10),
    ):
        assert stream.status == 200
        told = await stream.content.readuntil(b"id: 1")
        await commit(store, TAGS, TAGS_2, START + DAY)
        told = await stream.content.readuntil(b"id: 2")
        await actions.tokens.revoke(token.id, "ann", "cli")
        await commit(store, TAGS, TAGS_1, START + 2 * DAY)
        told = await stream.content.read()
    assert b"id: 3" not in told


async def test_a_quiet_subscription_outlives_no_token(store: Store) -> None:
    """A GraphQL subscription ends once its token was revoked, though nothing happens that it could be told."""
    secret = await token_with(store, Scope.READ)
    (token,) = await store.tokens.all()
    actions = operator_actions(store, anonymous_read=False, reloaded_after_s=0.0)
    await published(store)
    reader = Reader(store)
    await reader.refresh()
    door = Door(reader, SOURCES, Hub(reader, idle_s=0.05), actions, {"authorization": bearer(secret)}, streams=True)
    query = "subscription { committed(since: 2) { version { version } } }"
    stream = await schema().subscribe(query, context_value=door)
    assert not isinstance(stream, PreExecutionError)
    async with asyncio.timeout(10):
        assert (await anext(stream)).data == {"committed": {"version": {"version": 3}}}
        await actions.tokens.revoke(token.id, "ann", "cli")
        errors = (await anext(stream)).errors or []
    assert [one.extensions for one in errors] == [{"code": "UNAUTHENTICATED"}]
