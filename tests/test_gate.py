"""The gate before every request: its id, whom proxies speak for, hosts, identity, security headers and switches."""

from __future__ import annotations

import functools
from datetime import UTC, datetime

import aiohttp
import httpx
import pytest
from starlette.types import Message, Scope

from catalog_service import metrics
from catalog_service.access.doorkeeper import Doorkeeper
from catalog_service.access.identity import IDENTITY, Identity
from catalog_service.api.app import create_app
from catalog_service.api.edge import Edge
from catalog_service.api.gate.gate import Gate
from catalog_service.api.gate.peers import Peers
from catalog_service.api.gate.rules import GateRules
from catalog_service.api.problems import problem
from catalog_service.cli.serve import gate_rules
from catalog_service.reader import Reader
from catalog_service.settings import load_settings
from catalog_service.store.connect import Store
from tests.api_client import SOURCES, catalog_client, client, published
from tests.graphql_server import served
from tests.operators import TOKEN as OPERATOR
from tests.operators import operator_actions

TOKEN = "a-token-for-tests-of-the-gate"
PROXIES = GateRules(trusted_proxies=("10.0.0.0/8", "fd00::/8"))
HTML = {"Accept": "text/html"}


class Seen:
    """An application that remembers the scope it was asked with, and answers with something that may be kept."""

    def __init__(self) -> None:
        self.scope: Scope = {}

    async def __call__(self, scope: Scope, receive: object, send: object) -> None:
        self.scope = scope
        headers = [(b"cache-control", b"public, max-age=9"), (b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"ok"})  # type: ignore[operator]


def gated(rules: GateRules, seen: Seen, *, anonymous_read: bool = True, peer: str = "127.0.0.1") -> httpx.AsyncClient:
    """Return a client of ``seen`` behind a gate, that comes from ``peer``."""
    doorkeeper = Doorkeeper(None, TOKEN, anonymous_read=anonymous_read, clock=lambda: datetime.now(UTC))
    edge = functools.partial(Edge, demo=False)
    gate = Gate(seen, rules, doorkeeper.identify, edge, None, "https://catalog.example", lambda _, what: problem(what))
    return httpx.AsyncClient(transport=httpx.ASGITransport(gate, client=(peer, 1)), base_url="http://catalog.test")


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [("abc-123", True), ("x" * 128, True), ("x" * 129, False), ("a b", False), ("a\tb", False), ('"', False)],
)
async def test_a_request_has_an_id(given: str, is_kept: bool) -> None:
    """A sane X-Request-Id is taken and given back, in its place of any other there is a new one."""
    async with gated(GateRules(), Seen()) as http:
        answers = [(await http.get("/v1/x", headers={"X-Request-Id": given})).headers["X-Request-Id"] for _ in range(2)]
    assert (answers == [given] * 2) == is_kept
    assert (len(set(answers)) == 1) == is_kept


async def test_a_problem_has_the_id_of_its_request(store: Store) -> None:
    """What a person reports leads to the lines of the log."""
    async with catalog_client(store) as http:
        answer = await http.get("/v1/versions/99", headers={"X-Request-Id": "mine"})
    assert (answer.headers["X-Request-Id"], answer.json()["request_id"]) == ("mine", "mine")


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9, 10.2.3.4", "203.0.113.9"),
        ("10.0.0.1", "10.2.3.4, 10.2.3.5", "10.2.3.4"),
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "2001:DB8:0::7", "2001:db8::7"),
        ("10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("fd00::1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, _hidden, 10.2.3.4", "10.2.3.4"),
        ("10.0.0.1", "x" * 5000, "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, 010.1.1.1", "10.0.0.1"),
        ("10.0.0.1", ", ".join(["203.0.113.9", *["10.9.9.9"] * 60]), "10.9.9.9"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("127.0.0.1", "203.0.113.9", "127.0.0.1"),
    ],
)
async def test_whom_a_proxy_speaks_for(peer: str, forwarded: str, expected: str) -> None:
    """X-Forwarded-For is believed from trusted proxies alone, from the right up to the first hop that is none."""
    seen = Seen()
    async with gated(PROXIES, seen, peer=peer) as http:
        await http.get("/v1/x", headers={"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"})
    assert seen.scope["client"][0] == expected
    assert seen.scope["scheme"] == ("http" if peer in {"192.0.2.1", "127.0.0.1"} else "https")


def test_hops_in_several_headers_and_peers_without_an_address() -> None:
    """A unix socket's peer is on this machine; a client of IPv6 is its /64; a scheme that is none changes nothing."""
    local = Peers(("127.0.0.0/8",))
    assert local.of(None, "http", "2001:db8:1:2:3::4", "https").client == "2001:db8:1:2::/64"
    assert Peers(()).of(None, "http", "203.0.113.9", "https").address == "127.0.0.1"
    assert not local.of(("127.0.0.1", 1), "http", "", "gopher").is_https
    assert local.of(("127.0.0.1", 1), "https", "", "https, http").is_https is False


async def test_hops_of_two_headers_are_one_list() -> None:
    """Two X-Forwarded-For headers are one list in their order (RFC 9110 5.3)."""
    seen = Seen()
    async with gated(PROXIES, seen, peer="10.0.0.1") as http:
        await http.get("/v1/x", headers=[("X-Forwarded-For", "198.51.100.1"), ("X-Forwarded-For", "203.0.113.9")])
    assert seen.scope["client"][0] == "203.0.113.9"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("catalog.contoso.example", 200),
        ("Catalog.Contoso.Example:8443", 200),
        ("catalog.contoso.example.", 200),
        ("a.b.tools.example", 200),
        ("[2001:db8::1]:80", 200),
        ("tools.example", 421),
        ("eviltools.example", 421),
        ("contoso.example", 421),
        ("127.0.0.1", 421),
        ("x" * 400 + ".tools.example", 421),
        ("catalog.contoso.example, evil.example", 421),
    ],
)
async def test_hosts(host: str, status: int) -> None:
    """With allowed hosts set, a request for another one is misdirected: 421."""
    rules = GateRules(allowed_hosts=("catalog.contoso.example", "*.tools.example", "[2001:db8::1]"))
    async with gated(rules, Seen()) as http:
        answer = await http.get("/v1/x", headers={"Host": host})
        assert answer.status_code == status
        assert (await http.get("/healthz", headers={"Host": "10.1.2.3:8080"})).status_code == 200
    if status == 421:
        assert (answer.json()["code"], answer.headers["X-Content-Type-Options"]) == ("UNKNOWN_HOST", "nosniff")


async def test_nobody_reads_without_a_token_where_anonymous_reading_is_off() -> None:
    """Then all but probes and the files of pages is a 401, whose challenge a browser can answer; a token reads."""
    seen = Seen()
    async with gated(GateRules(), seen, anonymous_read=False) as http:
        refused = await http.get("/v1/endpoints")
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert "Basic realm" in (await http.get("/", headers=HTML)).headers["WWW-Authenticate"]
        for path in ("/healthz", "/readyz", "/assets/pages/pages.css"):
            assert (await http.get(path)).status_code == 200
        for wrong in ("Bearer wrong", f"bearer {TOKEN}x", f"Digest {TOKEN}", "Bearer", "nonsense"):
            answer = await http.get("/v1/endpoints", headers={"Authorization": wrong})
            assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
        twice = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer x")]
        assert (await http.get("/v1/endpoints", headers=twice)).status_code == 401
        assert (await http.get("/v1/endpoints", headers={"Authorization": f"Bearer {TOKEN}"})).status_code == 200
        assert (await http.get("/", auth=("anybody", TOKEN))).status_code == 200
    identity = seen.scope[IDENTITY]
    assert isinstance(identity, Identity)
    assert identity.name == "operator"


async def test_who_enters_a_wrong_password_sees_a_page(store: Store) -> None:
    """A browser that is not known is shown a page, under its policy, and asks again; what programs read stays JSON."""
    async with catalog_client(store, actions=operator_actions(store, anonymous_read=False)) as http:
        for path, auth in (("/", None), ("/versions", ("anybody", "wrong")), ("/docs", ("", ""))):
            answer = await http.get(path, headers=HTML, auth=auth)
            assert (answer.status_code, answer.headers["Content-Type"]) == (401, "text/html; charset=utf-8")
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert "Basic realm" in answer.headers["WWW-Authenticate"]
            assert answer.headers["Cache-Control"] == "no-store"
            assert "token" in answer.text
        answer = await http.get("/v1/endpoints", headers=HTML)
        assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")


async def test_what_was_shown_a_token_is_kept_by_nobody_else() -> None:
    """An answer to credentials is private: a cache that many share would give it to who has none (RFC 9111 3.5)."""
    async with gated(GateRules(), Seen()) as http:
        shown = await http.get("/v1/x", headers={"Authorization": f"Bearer {TOKEN}"})
        assert shown.headers["Cache-Control"] == "private, max-age=9"
        assert (await http.get("/v1/x")).headers["Cache-Control"] == "public, max-age=9"


async def test_hsts_where_the_request_came_by_tls() -> None:
    """Strict-Transport-Security is sent by TLS alone (RFC 6797 7.2), and not where the setting is 0."""
    header, https = "Strict-Transport-Security", {"X-Forwarded-Proto": "https"}
    async with gated(PROXIES, Seen(), peer="10.0.0.1") as http:
        assert header not in (await http.get("/v1/x")).headers
        assert (await http.get("/v1/x", headers=https)).headers[header] == "max-age=31536000"
    async with gated(GateRules(hsts_s=0, trusted_proxies=("10.0.0.0/8",)), Seen(), peer="10.0.0.1") as http:
        assert header not in (await http.get("/v1/x", headers=https)).headers


async def test_security_headers(store: Store) -> None:
    """Every answer says what browsers are to keep to, those of memory too; a page in no frame, under its policy."""
    async with catalog_client(store) as http:
        for path in ("/v1/endpoints", "/v1/endpoints", "/v1/nothing", "/healthz"):
            headers = (await http.get(path)).headers
            assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
            assert "X-Frame-Options" not in headers
        for path in ("/", "/graphql", "/docs", "/nothing"):
            headers = (await http.get(path, headers=HTML)).headers
            assert (headers["X-Frame-Options"], headers["Cross-Origin-Opener-Policy"]) == ("DENY", "same-origin")
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
            assert headers.get_list("X-Content-Type-Options") == ["nosniff"]


async def test_graphiql_and_docs_can_be_switched_off(store: Store) -> None:
    """Then their pages are not there and linked nowhere; GraphQL and the contract answer as before."""
    await published(store)
    reader = Reader(store)
    await reader.refresh()
    async with client(create_app(reader, SOURCES, rules=GateRules(graphiql=False, docs=False))) as http:
        graphiql, docs = await http.get("/graphql", headers=HTML), await http.get("/docs", headers=HTML)
        assert (graphiql.status_code, docs.status_code) == (404, 404)
        assert graphiql.headers["Content-Type"] == "application/problem+json"
        home = (await http.get("/", headers=HTML)).text
        assert not any(part in home for part in ('"docs"', '"graphql"', "GraphiQL", "API docs"))
        answer = await http.post("/graphql", json={"query": "{ __schema { queryType { name } } }"})
        assert answer.json()["data"]["__schema"]
        assert (await http.get("/openapi.json")).status_code == 200
        assert "/docs" not in (await http.get("/")).json()["routes"]


async def test_requests_are_counted_by_the_template_of_their_route(store: Store) -> None:
    """Answers of memory count as those of the router; what has no route, or a method of its own, is `other`."""
    async with catalog_client(store) as http:
        before = counted()
        for path in ("/v1/endpoints", "/v1/endpoints", "/v1/versions/1", "/v1/versions/2", "/secret/7", "/secret/8"):
            await http.get(path)
        await http.request("BREW", "/v1/endpoints")
    found = {key: value - before.get(key, 0) for key, value in counted().items() if value != before.get(key, 0)}
    assert found == {
        ("/v1/endpoints", "GET"): 2,
        ("/v1/endpoints", "other"): 1,
        ("/v1/versions/{spec}", "GET"): 2,
        ("other", "GET"): 2,
    }


def counted() -> dict[tuple[str, str], float]:
    """Return how many requests there were, by route and method."""
    found: dict[tuple[str, str], float] = {}
    samples = [sample for metric in metrics.HTTP_REQUESTS.collect() for sample in metric.samples]
    for sample in samples:
        if sample.name.endswith("_total"):
            key = sample.labels["route"], sample.labels["method"]
            found[key] = found.get(key, 0) + sample.value
    return found


@pytest.mark.parametrize(
    ("origin", "status"), [(None, 101), ("same", 101), ("https://evil.example", 403), ("null", 403)]
)
async def test_pages_of_other_origins_open_no_websocket(store: Store, origin: str | None, status: int) -> None:
    """No preflight stands before a websocket, so its Origin is looked at; programs send none."""
    await published(store)
    async with served(store) as server, aiohttp.ClientSession() as session:
        own = server.url.removesuffix("/graphql")
        headers = {} if origin is None else {"Origin": own if origin == "same" else origin}
        try:
            async with session.ws_connect(server.url, protocols=["graphql-transport-ws"], headers=headers):
                found = 101
        except aiohttp.WSServerHandshakeError as error:
            found = error.status
    assert found == status


@pytest.mark.parametrize(("origin", "name"), [("same", "operator"), ("https://tools.example", "anonymous")])
async def test_pages_of_listed_origins_open_websockets_as_nobody(store: Store, origin: str, name: str) -> None:
    """What a browser adds by itself, a password, is taken of our own pages alone; others show their token first."""
    rules, show = GateRules(cors_origins=("https://tools.example",)), {"type": "connection_init"}
    question = {"type": "subscribe", "id": "1", "payload": {"query": "{ whoami { name } }"}}
    async with served(store, operator_actions(store), rules) as server, aiohttp.ClientSession() as session:
        origin = server.url.removesuffix("/graphql") if origin == "same" else origin
        headers = {"Origin": origin, "Authorization": aiohttp.encode_basic_auth("anybody", OPERATOR)}
        async with session.ws_connect(server.url, protocols=["graphql-transport-ws"], headers=headers) as socket:
            await socket.send_json(show)
            assert (await socket.receive_json())["type"] == "connection_ack"
            await socket.send_json(question)
            assert (await socket.receive_json())["payload"]["data"] == {"whoami": {"name": name}}


def test_the_settings_are_the_rules() -> None:
    """Every rule is the setting of its name."""
    given = {
        "rate_limit": 7,
        "trusted_proxies": "10.0.0.0/8, fd00::/8",
        "allowed_hosts": "Catalog.example",
        "cors_origins": "https://a.example",
        "hsts_s": 9,
        "graphiql": False,
        "docs": False,
        "streams_most": 11,
    }
    wanted = GateRules(7, ("10.0.0.0/8", "fd00::/8"), ("catalog.example",), ("https://a.example",), 9, False, False, 11)
    assert gate_rules(load_settings(given)) == wanted
    assert given.keys() == set(GateRules.__struct_fields__)


async def test_a_lifespan_passes() -> None:
    """What is no request goes through."""
    seen, messages = Seen(), list[Message]()
    doorkeeper = Doorkeeper(None, "", anonymous_read=True, clock=lambda: datetime.now(UTC))
    gate = Gate(
        seen,
        GateRules(),
        doorkeeper.identify,
        functools.partial(Edge, demo=False),
        None,
        "http://a.example",
        lambda _, what: problem(what),
    )

    async def receive() -> Message:
        return {}

    async def send(message: Message) -> None:
        messages.append(message)

    await gate({"type": "lifespan"}, receive, send)
    assert seen.scope == {"type": "lifespan"}
