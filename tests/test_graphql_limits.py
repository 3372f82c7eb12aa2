"""GraphQL over HTTP to the letter, persisted queries, and what one request may ask."""

from __future__ import annotations

import hashlib
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from catalog_service.api.graphql.limits import MAX_ALIASES, MAX_COST, MAX_DEPTH, MAX_SAME, MAX_TOKENS
from catalog_service.api.graphql.operation import MAX_QUERY_LENGTH
from catalog_service.api.graphql.view import MAX_BODY_BYTES
from catalog_service.store.connect import Store
from tests.api_client import catalog_client, graphql

GRAPHQL_JSON = "application/graphql-response+json"
QUERY = "{ catalogVersion }"
HASH = hashlib.sha256(QUERY.encode()).hexdigest()
BOUND_S = 1.0  # of the processor, not of the clock: a busy machine is no failure


def persisted(hash_: object = HASH, version: object = 1, **more: object) -> dict[str, Any]:
    """Return a request with a persisted query."""
    return {"extensions": {"persistedQuery": {"version": version, "sha256Hash": hash_}}, **more}


def code(response: httpx.Response) -> str:
    """Return the code of an answer's first error."""
    found: str = response.json()["errors"][0]["extensions"]["code"]
    return found


async def test_who_asks_for_graphqls_media_type_gets_statuses(store: Store) -> None:
    """A request that was not executed is a 400 without data; one with an error in a field is a 200 with it."""
    async with catalog_client(store) as opened:
        for query, status in (("{", 400), ("{ nothing }", 400), ("{ version(number: 99) { id } }", 200)):
            strict = await opened.post("/graphql", json={"query": query}, headers={"Accept": GRAPHQL_JSON})
            plain = await opened.post("/graphql", json={"query": query})
            assert (strict.status_code, plain.status_code) == (status, 200)
            assert strict.headers["content-type"] == f"{GRAPHQL_JSON}; charset=utf-8"
            assert plain.headers["content-type"] == "application/json; charset=utf-8"
            assert strict.json() == plain.json()
            assert (plain.headers["cache-control"], plain.headers["vary"]) == ("no-store", "Accept")
            assert ("data" in strict.json()) is (status == 200)


async def test_a_persisted_query_is_sent_once(store: Store) -> None:
    """Unknown at first, kept with its text, then found by its hash alone, by POST and by GET."""
    async with catalog_client(store) as opened:
        unknown = await opened.post("/graphql", json=persisted())
        assert (code(unknown), unknown.json()["errors"][0]["message"]) == (
            "PERSISTED_QUERY_NOT_FOUND",
            "PersistedQueryNotFound",
        )
        kept = await opened.post("/graphql", json=persisted(query=QUERY))
        posted = await opened.post("/graphql", json=persisted())
        extensions = f'{{"persistedQuery":{{"version":1,"sha256Hash":"{HASH}"}}}}'
        got = await opened.get("/graphql", params={"extensions": extensions})
    assert kept.json() == posted.json() == got.json() == {"data": {"catalogVersion": 3}}


@pytest.mark.parametrize(
    "asked",
    [
        persisted("0" * 64, query=QUERY),
        persisted(version=2, query=QUERY),
        persisted(hash_=None, query=QUERY),
        {"extensions": {"persistedQuery": "x"}, "query": QUERY},
    ],
)
async def test_a_persisted_query_that_is_none(store: Store, asked: dict[str, Any]) -> None:
    """A hash that is not the query's, or another protocol, is refused: nobody can put a query behind a hash."""
    async with catalog_client(store) as opened:
        refused = await opened.post("/graphql", json=asked)
        assert code(refused) == "BAD_QUERY"
        assert code(await opened.post("/graphql", json=persisted("0" * 64))) == "PERSISTED_QUERY_NOT_FOUND"


async def test_kept_queries_are_bounded(store: Store) -> None:
    """The least recently used go first; a long one is answered and not kept."""
    async with catalog_client(store) as opened:
        for number in range(502):
            text = f"{{ catalogVersion }} # {number}"
            hash_ = hashlib.sha256(text.encode()).hexdigest()
            assert (await opened.post("/graphql", json=persisted(hash_, query=text))).json()["data"]
            if number == 0:
                first = hash_
        assert (await opened.post("/graphql", json=persisted(hash_))).json()["data"]
        assert code(await opened.post("/graphql", json=persisted(first))) == "PERSISTED_QUERY_NOT_FOUND"
        long = QUERY + " " * 20_000
        hash_ = hashlib.sha256(long.encode()).hexdigest()
        assert (await opened.post("/graphql", json=persisted(hash_, query=long))).json()["data"]
        assert code(await opened.post("/graphql", json=persisted(hash_))) == "PERSISTED_QUERY_NOT_FOUND"


def fragments(count: int) -> str:
    """Return a query whose fragments spread into 2 ** ``count`` fields."""
    chain = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(count))
    return f"{{ ...f0 }} {chain} fragment f{count} on Query {{ catalogVersion a: catalogVersion }}"


def too_much() -> Iterator[Any]:
    """Give queries past each limit, and a word that the refusal says."""
    history = "history { lives { periods { from } } } "
    node = "{ nodes { " + "provenance { url } " + "} }"
    deep = '{ source(name: "x") { versions { nodes { changes { nodes { attributes { name ' + "{ name " * MAX_DEPTH
    yield pytest.param(deep + "} " * (MAX_DEPTH + 7), "levels", id="depth")
    yield pytest.param("{ a " * 500 + "}" * 500, "nested too deeply", id="500 deep")
    yield pytest.param("{ a " * 190 + "}" * 190, "levels", id="190 deep")
    half = "{ a " * 160 + "{0}" + "}" * 160
    two = half.replace("{0}", "{ ...f }") + " fragment f on Query " + half.replace("{0}", "{ b }")
    yield pytest.param(two, "", id="320 deep in two")
    yield pytest.param("{ a(x: " + "[" * 450 + "]" * 450 + ") }", "", id="lists in lists")
    aliases = " ".join(f"a{number}: catalogVersion" for number in range(MAX_ALIASES + 1))
    yield pytest.param(f"{{ {aliases} }}", "aliases", id="aliases")
    many = " ".join(f"a{number}: catalogVersion" for number in range(10_000))
    yield pytest.param(f"{{ {many} }}", "", id="10,000 aliases")
    yield pytest.param(f"{{ {'catalogVersion ' * MAX_TOKENS} }}", "tokens", id="tokens")
    yield pytest.param(f"{{ {'catalogVersion ' * (MAX_SAME + 1)} }}", "same field", id="duplicates")
    yield pytest.param(fragments(60), "", id="fragments of fragments")
    yield pytest.param("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }", "", id="a circle")
    yield pytest.param(f"{{ endpoints(first: 5000) {{ nodes {{ {history} }} }} }}", "cost", id="a history of each")
    yield pytest.param(f"{{ endpoints(last: 100000) {node} }}", "cost", id="a page too long")
    bulk = " ".join(f'{name}: lookupMany(queries: ["9.9.9.9"]) {{ missing }}' for name in "abc")
    yield pytest.param(f"{{ {bulk} }}", "cost", id="bulk answers side by side")
    introspection = "{ __schema { types { " + "fields { type { " * 4 + "name" + " } }" * 4 + " } } }"
    yield pytest.param(introspection, "", id="introspection in circles")
    yield pytest.param("{ catalogVersion ", "", id="syntax")
    yield pytest.param("{ catalogVersio }", "", id="unknown field")
    yield pytest.param("mutation { catalogVersion }", "", id="no such mutation")
    yield pytest.param("#" * (MAX_QUERY_LENGTH + 1), "characters", id="text")


@pytest.mark.parametrize(("query", "word"), list(too_much()))
async def test_a_query_past_the_limits_is_refused(store: Store, query: str, word: str) -> None:
    """Limits and mistakes in the query are BAD_QUERY, at once, before anything is executed; nothing is suggested."""
    async with catalog_client(store) as opened:
        started = time.process_time()
        response = await opened.post("/graphql", json={"query": query})
        took = time.process_time() - started
    assert code(response) == "BAD_QUERY"
    assert "data" not in response.json()
    assert word in response.text
    assert "Did you mean" not in response.text
    assert took < BOUND_S


async def test_variables_count_as_what_they_say(store: Store) -> None:
    """A page's size may hide in a variable, or in the variable's default; the cost knows both."""
    body = "{ endpoints(first: $many) { nodes { history { query } } } }"
    async with catalog_client(store) as opened:
        for query, variables in (
            (f"query ($many: Int) {body}", {"many": 5000}),
            (f"query ($many: Int = 5000) {body}", {}),
        ):
            response = await opened.post("/graphql", json={"query": query, "variables": variables})
            assert code(response) == "BAD_QUERY", query
            assert f"{MAX_COST:,}" in response.text
        assert "errors" not in await graphql(opened, f"query ($many: Int) {body}", many=5)


async def test_the_largest_page_of_everything_plain_is_within_the_cost(store: Store) -> None:
    """5,000 records with every attribute they have by themselves can be had at once."""
    record = "id source service title cloud clouds region direction prefixes fqdns tcpPorts udpPorts protocols category"
    async with catalog_client(store) as opened:
        answer = await graphql(opened, f"{{ endpoints(first: 5000) {{ nodes {{ {record} provenance {{ url }} }} }} }}")
    assert "errors" not in answer


@pytest.mark.parametrize(
    "body",
    [
        b'{"query": "' + b"x" * (10 << 20) + b'"}',
        b"[" * 900_000,
        b'{"query": "{catalogVersion}", "variables": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
        b'{"query": "\xff"}',
        b'{"query": "\\ud800"}',
        b'{"query": 1}',
        b'{"query": "{catalogVersion}", "variables": []}',
        b'{"query": "{catalogVersion}", "operationName": 1}',
        b"",
        b"null",
        b"1",
        b'"x"',
    ],
    ids=lambda body: repr(body[:40]),
)
async def test_a_body_that_is_none(store: Store, body: bytes) -> None:
    """Whatever is sent, the answer is a client's error, at once and in bounded memory."""
    async with catalog_client(store) as opened:
        tracemalloc.start()
        try:
            started = time.process_time()
            response = await opened.post("/graphql", content=body, headers={"Content-Type": "application/json"})
            took, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert response.status_code in {200, 400, 413}
    assert response.status_code != 200 or code(response) == "BAD_QUERY"
    assert took < 2 * BOUND_S
    assert peak < 40 * MAX_BODY_BYTES


async def test_errors_suggest_nothing(store: Store) -> None:
    """What exists is told by introspection, not by mistakes."""
    wrong = "query ($k: [Kind!]) { endpoint(id: 1, att: 2) { idd } endpoints(filter: {kind: $k}) { version } }"
    async with catalog_client(store) as opened:
        fields = await opened.post("/graphql", json={"query": wrong})
        words = await opened.post(
            "/graphql",
            json={
                "query": "query ($k: [Kind!]) { endpoints(filter: {kind: $k}) { version } }",
                "variables": {"k": ["PREFI"]},
            },
        )
    assert {code(fields), code(words)} == {"BAD_QUERY"}
    assert "Did you mean" not in fields.text + words.text
