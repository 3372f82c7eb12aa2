"""Mutations: for who shows the operator's token; what they do is done, and audited."""

from __future__ import annotations

import base64
import json
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest

from catalog_service.api.actions import Actions
from catalog_service.api.app import create_app
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from catalog_service.sync.history import import_history
from schema.access import Scope
from scrapers.history.files import HistoricFile
from tests.api_client import DAY, PAGE, PAGE_HELD, SOURCES, START, TAGS, client, hold, published
from tests.graphql_server import served
from tests.local_source import Clock, body, local_source
from tests.operators import TOKEN, operator_actions, shows, token_with

BASIC = base64.b64encode(f"ann:{TOKEN}".encode()).decode()
EVERY = [
    f'sync(source: "{TAGS}") {{ result }}',
    'acceptHeld(id: "0123456789ab") { version }',
    'rejectHeld(id: "0123456789ab") { id }',
    'setLabel(name: "prod", at: "2") { version }',
    'deleteLabel(name: "prod") { version }',
    f'rollback(source: "{TAGS}", to: 1) {{ version }}',
]


def actions(store: Store, token: str = TOKEN) -> Actions:
    return operator_actions(store, token=token, clock=Clock(START + 9 * DAY))


async def opened(store: Store, given: Actions | None) -> httpx.AsyncClient:
    """Return a client of the catalogue with its three versions."""
    await published(store)
    reader = Reader(store)
    await reader.refresh()
    return client(create_app(reader, SOURCES, actions=given))


async def act(http: httpx.AsyncClient, mutation: str, token: str | None = TOKEN) -> dict[str, Any]:
    """Return the answer to a mutation."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer: dict[str, Any] = (
        await http.post("/graphql", json={"query": f"mutation {{ {mutation} }}"}, headers=headers)
    ).json()
    return answer


def refused(answer: dict[str, Any]) -> str:
    """Return the code of the one error of a mutation that did nothing."""
    assert list(answer["data"].values()) == [None]
    (error,) = answer["errors"]
    found: str = error["extensions"]["code"]
    return found


@pytest.mark.parametrize("mutation", [*EVERY, "audit"])
async def test_only_for_who_has_the_token(store: Store, mutation: str) -> None:
    """Of a demo nobody may; else who shows none, another, one that lacks the scope, or Basic may not. Nothing is done."""
    query = "query { audit { who } }" if mutation == "audit" else f"mutation {{ {mutation} }}"
    async with await opened(store, None) as http:
        for header in ({"Authorization": f"Bearer {TOKEN}"}, {}):
            answer = await http.post("/graphql", json={"query": query}, headers=header)
            assert refused(answer.json()) == "FORBIDDEN"
    await store.redis.flushall()
    async with await opened(store, actions(store)) as http:
        reader = shows(await token_with(store, Scope.READ, Scope.SUBSCRIBE))
        for header, code in (({}, "UNAUTHENTICATED"), ({"Authorization": f"Basic {BASIC}"}, "UNAUTHENTICATED")):
            assert refused((await http.post("/graphql", json={"query": query}, headers=header)).json()) == code
        lesser = await http.post("/graphql", json={"query": query}, headers=reader)
        assert refused(lesser.json()) == "FORBIDDEN"
        assert lesser.json()["errors"][0]["extensions"]["scopes"] == ["read", "subscribe"]
        for shown in (TOKEN, f"Basic {TOKEN}", "Bearer ü", f"Bearer {TOKEN}x", "Bearer"):
            headers = [(b"Authorization", shown.encode())]
            response = await http.post("/graphql", json={"query": query}, headers=headers)
            assert (response.status_code, response.json()["code"]) == (401, "UNAUTHENTICATED")
            assert TOKEN not in response.text
    assert await store.versions.head() == 3
    assert await store.labels.all() == ()


async def test_labels_are_set_moved_and_deleted(store: Store) -> None:
    """A label names a version from then on; every step is in the audit, with who did it."""
    async with await opened(store, actions(store)) as http:
        await act(http, 'setLabel(name: "prod", at: "latest~1", by: "ann") { version }')
        moved = await act(http, 'setLabel(name: "prod", at: "3") { name version setBy }')
        labels = (
            await http.post("/graphql", json={"query": '{ labels { name version } version(at: "prod") { id } }'})
        ).json()
        gone = await act(http, 'deleteLabel(name: "prod") { version }')
        again = await act(http, 'deleteLabel(name: "prod") { version }')
        dated = await act(http, 'setLabel(name: "prod", at: "2026-11-03") { version }')
        audit = await http.post(
            "/graphql",
            json={"query": "{ audit { who action subject before after } }"},
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
    assert moved["data"]["setLabel"] == {"name": "prod", "version": 3, "setBy": "operator"}
    assert labels["data"] == {"labels": [{"name": "prod", "version": 3}], "version": {"id": "3"}}
    assert gone["data"]["deleteLabel"] == {"version": 3}
    assert (refused(again), refused(dated)) == ("UNKNOWN_VERSION", "BAD_PARAMETER")
    assert [(one["who"], one["action"], one["before"]) for one in audit.json()["data"]["audit"]] == [
        ("operator", "label-delete", "3"),
        ("operator", "label-set", "2"),
        ("ann", "label-set", ""),
    ]


async def test_a_label_is_given_where_another_is(store: Store, tmp_path: Path) -> None:
    """As on the command line: also where that is an imported version; the empty beginning has no name."""
    path = tmp_path / "old.json"
    path.write_bytes(body({"old": ["20.99.0.0/16"]}))
    await import_history(local_source(), (HistoricFile(path.name, path, START - 900 * DAY),), store, Clock(START))
    async with await opened(store, actions(store)) as http:
        first = await act(http, 'setLabel(name: "first", at: "1") { version }')
        copied = await act(http, 'setLabel(name: "copied", at: "first") { version }')
        empty = await act(http, 'setLabel(name: "empty", at: "0") { version }')
    assert first["data"]["setLabel"] == copied["data"]["setLabel"] == {"version": 1}
    assert refused(empty) == "BAD_PARAMETER"
    assert empty["errors"][0]["extensions"]["parameter"] == "at"


async def test_a_held_version_is_rejected_then_accepted(store: Store) -> None:
    """A person decides through the API as on the command line."""
    async with await opened(store, actions(store)) as http:
        held = await hold(store, PAGE, PAGE_HELD, START + 3 * DAY)
        rejected = await act(http, f'rejectHeld(id: "{held.id}", by: "bob") {{ id rejectedBy }}')
        unknown = await act(http, 'acceptHeld(id: "ffffffffffff") { version }')
    assert rejected["data"]["rejectHeld"] == {"id": held.id, "rejectedBy": "bob"}
    assert refused(unknown) == "UNKNOWN_HELD"


async def test_a_rollback_is_a_new_version(store: Store) -> None:
    """The earlier content comes back under a new number; what is served already makes none."""
    async with await opened(store, actions(store)) as http:
        back = await act(http, f'rollback(source: "{TAGS}", to: 1) {{ version rolledBackTo }}')
        again = await act(http, f'rollback(source: "{TAGS}", to: 1) {{ version }}')
        nothing = await act(http, f'rollback(source: "{TAGS}", to: 2) {{ version }}')
        nobody = await act(http, 'rollback(source: "nobody", to: 1) { version }')
    assert back["data"]["rollback"] == {"version": 4, "rolledBackTo": 1}
    assert again == {"data": {"rollback": None}}
    assert (refused(nothing), refused(nobody)) == ("UNKNOWN_VERSION", "UNKNOWN_SOURCE")
    assert nothing["errors"][0]["extensions"]["parameter"] == "to"


async def test_a_source_that_is_being_synced(store: Store) -> None:
    """Somebody else is at it: said as such, and nothing is done."""
    async with await opened(store, actions(store)) as http, store.leases.hold(TAGS):
        busy = await act(http, f'rollback(source: "{TAGS}", to: 1) {{ version }}')
    assert refused(busy) == "BUSY"


async def test_a_sync_says_what_it_came_to(store: Store) -> None:
    """In the words of the command line; a source is named in any spelling."""
    async with await opened(store, actions(store)) as http:
        ran = await act(http, f'sync(source: "{TAGS.upper()}") {{ source result version held message reasons }}')
        nameless = await act(http, 'setLabel(name: "x", by: " ") { name }')
    assert ran["data"]["sync"] == {
        **dict.fromkeys(("version", "held", "message")),
        "source": TAGS,
        "result": "unchanged",
        "reasons": [],
    }
    assert refused(nameless) == "BAD_PARAMETER"


async def test_never_over_get(store: Store) -> None:
    """A link cannot change anything, whoever follows it."""
    async with await opened(store, actions(store)) as http:
        get = partial(http.get, "/graphql", params={"query": 'mutation { setLabel(name: "a") { name } }'})
        plain = await get(headers={"Authorization": f"Bearer {TOKEN}"})
        stream = await get(headers={"Authorization": f"Bearer {TOKEN}", "Accept": "text/event-stream"})
    assert plain.status_code == 400
    assert "BAD_QUERY" in stream.text
    assert await store.labels.all() == ()


@pytest.mark.parametrize(
    ("headers", "sent", "done"),
    [
        ({"Authorization": f"Bearer {TOKEN}"}, {}, True),
        ({"Authorization": f"Basic {BASIC}"}, {}, False),
        ({}, {"Authorization": f"Bearer {TOKEN}"}, True),
        ({}, {"authorization": f"Bearer {TOKEN}"}, True),
        ({}, {"authorization": f"Basic {BASIC}"}, False),
        ({}, {"authorization": ""}, False),
        ({}, {"authorization": 1}, False),
    ],
    ids=["header", "as browsers send it by themselves", "first message", "in lower case", "Basic", "empty", "number"],
)
async def test_a_websocket_shows_the_token_at_its_beginning(
    store: Store, headers: dict[str, str], sent: dict[str, str], *, done: bool
) -> None:
    """In a header or, as no page can set one, in the first message; never as a browser adds it by itself."""
    await published(store)
    async with (
        served(store, actions(store)) as server,
        aiohttp.ClientSession(headers=headers) as http,
        http.ws_connect(server.url, protocols=["graphql-transport-ws"]) as socket,
    ):
        await socket.send_json({"type": "connection_init", "payload": sent})
        payload = {"query": 'mutation { setLabel(name: "prod", at: "2") { version } }'}
        await socket.send_json({"id": "a", "type": "subscribe", "payload": payload})
        _, answer = [await socket.receive_json(timeout=5) for _ in range(2)]
    assert answer["payload"]["data"]["setLabel"] == ({"version": 2} if done else None)
    assert len(await store.labels.all()) == done


async def test_no_form_of_another_page_can_act(store: Store) -> None:
    """What a browser sends across sites without asking first (a form, plain text, a file) is no request."""
    query = 'mutation { setLabel(name: "prod", at: "2") { version } }'
    body = f'{{"query": {json.dumps(query)}}}'
    async with await opened(store, actions(store)) as http:
        post = partial(http.post, "/graphql", headers={"Authorization": f"Bearer {TOKEN}"})
        answers = [
            await post(data={"query": query}),
            await post(files={"operations": (None, body), "map": (None, "{}")}),
            await http.post(
                "/graphql", content=body, headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/plain"}
            ),
        ]
    assert [one.status_code for one in answers] == [400, 400, 400]
    assert await store.labels.all() == ()
