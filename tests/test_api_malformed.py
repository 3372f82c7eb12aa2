"""Malformed input of every parameter of every operation: a problem document that names it, never a 500.

The table is made from the operations themselves: a new parameter is tested as soon as it is declared.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest
import uvicorn

from catalog_service.api.bounds import MAX_HEADER_BYTES, MAX_TARGET_BYTES
from catalog_service.api.rest.operation import Operation, Parameter
from catalog_service.api.rest.routes import OPERATIONS
from catalog_service.store.connect import Store
from schema.access import Scope
from tests.api_client import PAGE, application, catalog_client, published
from tests.desks import desk_of
from tests.operators import SHOWN, operator_client
from tests.telling import KEY, subscribed, subscription

GARBAGE = (
    "\0",
    "a\0b",
    "\r\nX-Injected: yes",
    "\x1b[31m\x7f",
    "%",
    "🦊" * 50,
    "\u202e\ufeff\u0130\ufffd",
    "9" * 400,
    "-1",
    "1e309",
    "0x10",
    "²",
    "NaN",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "../../../etc/passwd",
    "{}",
    "[[]]",
    "${jndi:ldap://x}",
    "a" * 10_000,
)
ALSO = {"span": ("from", "to"), "spec": ("version", "at"), "by": ("code", "name")}
"""What else a refusal may name; `by` may be good while the code of a verification is not, or a name is taken."""
DONE = {200, 201, 202, 204}
REFUSED = {400, 404, 410, 422}
SUBSCRIPTION = "sub_mfrggzdfmztwq2lk"
FITTING = {
    "q": "13.66.60.1",
    "id": f"{PAGE}:flow",
    "span": "1...2",
    "spec": "1",
    "digest": "0" * 64,
    "format": "atom",
}
"""What lets a request reach the parameter under test."""


def cases() -> Iterator[tuple[Operation, Parameter]]:
    for operation in OPERATIONS:
        for parameter in operation.parameters:
            yield operation, parameter


def address(operation: Operation, **given: str) -> str:
    """Return the path of an operation, its parameters in the path filled in."""
    path = operation.path
    for one in operation.parameters:
        if one.place == "path":
            fitting = SUBSCRIPTION if path.startswith("/v1/subscriptions/") else FITTING.get(one.name, "x")
            text = quote(given.get(one.name, fitting), safe="")
            path = path.replace("{" + one.name + "}", text)
    return path


async def send(opened: httpx.AsyncClient, operation: Operation, url: str) -> httpx.Response:
    if operation.body is not None:
        return await send_json(opened, operation, url, msgspec.json.encode(operation.body))
    body = {"content": b"13.66.60.1\n", "headers": {"Content-Type": "text/plain"}} if operation.takes else {}
    return await opened.request(operation.method, url, **body)  # type: ignore[arg-type]


async def send_json(opened: httpx.AsyncClient, operation: Operation, url: str, body: bytes) -> httpx.Response:
    return await opened.request(operation.method, url, content=body, headers={"Content-Type": "application/json"})


@contextlib.asynccontextmanager
async def operator(store: Store) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client that may do everything, and something to do it to."""
    async with operator_client(store, desk_of(store, key=KEY)) as opened:
        await subscribed(store, subscription(SUBSCRIPTION, "https://hooks.contoso.example/"))
        yield opened


def check(response: httpx.Response, *, parameter: str | None = None) -> None:
    """An answer, or a problem document; one that is a 400 names the parameter."""
    shown = f"{response.request.url!r:.200} {response.text:.500}"
    assert "x-injected" not in response.headers, shown
    if response.status_code in DONE:
        return
    assert response.status_code in REFUSED, shown
    assert response.headers["content-type"] == "application/problem+json", shown
    if response.status_code == 400 and parameter:
        assert response.json()["parameter"] in {parameter, *ALSO.get(parameter, ())}, shown


@pytest.mark.parametrize(
    ("operation", "parameter"),
    [pytest.param(*case, id=f"{case[0].method} {case[0].path} {case[1].name}") for case in cases()],
)
async def test_garbage_is_refused_by_name(store: Store, operation: Operation, parameter: Parameter) -> None:
    """Whatever a parameter is given is understood or refused; empty and (where it takes one value) twice are refused."""
    others = "&".join(
        f"{one.name}={quote(FITTING[one.name])}"
        for one in operation.parameters
        if one.required and one.place == "query" and one is not parameter
    )
    async with operator(store) as opened:
        for text in GARBAGE:
            if parameter.place == "path":
                check(
                    await send(opened, operation, address(operation, **{parameter.name: text})),
                    parameter=parameter.name,
                )
                continue
            url = f"{address(operation)}?{others}&{parameter.name}={quote(text)}"
            check(await send(opened, operation, url), parameter=parameter.name)
        if parameter.place == "query":
            empty = await send(opened, operation, f"{address(operation)}?{others}&{parameter.name}=")
            blank = await send(opened, operation, f"{address(operation)}?{others}&{parameter.name}=%20")
            value = quote(parameter.words[0] if parameter.words else FITTING.get(parameter.name, "1"))
            twice = await send(
                opened, operation, f"{address(operation)}?{others}&{parameter.name}={value}&{parameter.name}={value}x"
            )
            refused = (empty, blank) if parameter.many else (empty, blank, twice)
            for response in refused:
                assert response.status_code == 400, response.text
                assert response.json()["parameter"] == parameter.name
            check(twice)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
async def test_no_operation_hears_what_it_does_not_know(store: Store, operation: Operation) -> None:
    """A name that is not declared is a 400 that names it and lists those that are, whatever bytes it is made of."""
    async with operator(store) as opened:
        for name in ("colour", "%00", "%ff", "AT", "a" * 2000, "%F0%9F%A6%8A"):
            response = await send(opened, operation, f"{address(operation)}?{name}=1")
            assert response.status_code == 400, response.text
            known = [one.name for one in operation.parameters if one.place == "query"]
            assert response.json()["known"] == known


BODIES = tuple(one for one in OPERATIONS if one.body is not None)
BAD_JSON = (
    *(msgspec.json.encode(text) for text in (*GARBAGE, "", " ")),
    *(b'"\\ud800"', b"null", b"true", b"0", b"-1", b"9223372036854775808", b"1" + b"0" * 400, b"1e308", b"NaN"),
    *(b"[]", b"{}", b"[[]]", b"[null]", b'[""]', b'["\\u0000"]', b'["x", "x"]', b'[{"name": "\\n", "value": ""}]'),
    *(b'{"every": "daily", "at": "99:99"}', b'{"every": "daily", "zone": "../UTC"}', b'"0001-01-01T00:00:00-23:59"'),
    *(b'"9999-12-31T23:59:59-23:59"', b'{"x": 1}', b'"https://127.0.0.1/"', b'"http://[::1]:99999/"', b'"mailto:a@b"'),
)
BAD_BODIES = (
    b"",
    b"{",
    b"null",
    b"[]",
    b'"x"',
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b"[" * 60_000,
    b'{"a":' * 9_000,
    b"1e999",
)


def fields(type_: msgspec.inspect.Type, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the way to every field of a Struct, those of Structs in it too; ``*`` is an item of a list."""
    if isinstance(type_, msgspec.inspect.StructType):
        for field in type_.fields:
            yield (*before, field.encode_name)
            yield from fields(field.type, (*before, field.encode_name))
    elif isinstance(type_, msgspec.inspect.UnionType):
        for each in type_.types:
            yield from fields(each, before)
    elif isinstance(type_, msgspec.inspect.VarTupleType):
        yield from fields(type_.item_type, (*before, "*"))


def put(whole: Any, way: tuple[str, ...], value: msgspec.Raw) -> Any:
    """Return ``whole`` with ``value`` at ``way``."""
    if not way:
        return value
    if way[0] == "*":
        return [put({"name": "X-A", "value": "a"}, way[1:], value)]
    known = whole if isinstance(whole, dict) else {"every": "daily"} if way[0] in {"at", "zone", "weekday"} else {}
    return {**known, way[0]: put(known.get(way[0]), way[1:], value)}


@pytest.mark.parametrize("operation", BODIES, ids=lambda one: f"{one.method} {one.path}")
async def test_garbage_in_a_body_is_refused_by_name(store: Store, operation: Operation) -> None:
    """Whatever a field of a body is given is understood or refused by name, and so is a body that is none."""
    example, type_ = msgspec.to_builtins(operation.body), msgspec.inspect.type_info(type(operation.body))
    ways = [*fields(type_), ("colour",)]
    assert len(ways) > 1
    async with operator(store) as opened:
        for way in ways:
            for bad in BAD_JSON:
                body = msgspec.json.encode(put(example, way, msgspec.Raw(bad)))
                response = await send_json(opened, operation, address(operation), body)
                check(response)
                if response.status_code == 400:
                    assert response.json()["parameter"], response.text
                if way == ("colour",):
                    assert (response.status_code, response.json()["parameter"]) == (400, "colour")
        for body in BAD_BODIES:
            response = await send_json(opened, operation, address(operation), body)
            assert response.status_code == 400, response.text
            assert response.json()["parameter"] in {"body", "a"}, response.text


@pytest.mark.parametrize("operation", BODIES, ids=lambda one: f"{one.method} {one.path}")
async def test_bodies_have_bounds_and_a_type(store: Store, operation: Operation) -> None:
    """Beyond 64 kB a body is refused unread, and so is one of another media type, or of none."""
    example = msgspec.json.encode(operation.body)
    async with operator(store) as opened:
        large = await send_json(opened, operation, address(operation), example + b" " * 64_000)
        others = [
            await opened.request(operation.method, address(operation), content=example, headers=headers)
            for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/merge-patch+json"})
        ]
        check(await send_json(opened, operation, address(operation), example + b" " * 1_000))
    assert (large.status_code, large.json()["code"]) == (413, "BODY_TOO_LARGE")
    assert {(one.status_code, one.json()["code"]) for one in others} == {(415, "UNSUPPORTED_MEDIA_TYPE")}


OPEN = {("POST", "/v1/lookup")}
"""What everybody may do though it is no GET: a question whose lines do not fit an address."""


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
async def test_nothing_is_changed_without_the_token(store: Store, operation: Operation) -> None:
    """Every method but GET needs a token, and so does what says that it does; nothing is done without, nor of a demo."""
    if operation.method != "GET" and (operation.method, operation.path) not in OPEN:
        assert operation.scope is not Scope.READ
    if operation.scope is Scope.READ:
        return
    async with operator(store) as opened:
        audit, known = await store.audit.newest(), await store.subscriptions.all()
        for header in ("", "Bearer x", SHOWN["Authorization"].replace("Bearer", "Basic")):
            opened.headers["Authorization"] = header
            response = await send(opened, operation, address(operation))
            assert (response.status_code, response.json()["code"]) == (401, "UNAUTHENTICATED")
            assert response.headers["www-authenticate"] == "Bearer"
    async with catalog_client(store) as demo:
        response = await send(demo, operation, address(operation))
        assert (response.status_code, response.json()["code"]) == (403, "FORBIDDEN")
        assert "demo" in response.json()["detail"]
    assert (await store.audit.newest(), await store.subscriptions.all()) == (audit, known)


async def test_heads_have_bounds(store: Store) -> None:
    """An address or headers beyond the bounds are refused before anything reads them."""
    async with catalog_client(store) as opened:
        long = await opened.get("/v1/lookup?q=" + "a" * MAX_TARGET_BYTES)
        path = await opened.get("/v1/endpoints/" + "a" * MAX_TARGET_BYTES)
        large = await opened.get("/v1/lookup?q=1.2.3.4", headers={"X-Large": "a" * MAX_HEADER_BYTES})
        enough = await opened.get("/v1/endpoints?service=" + ",".join(f"s{number}" for number in range(2000)))
    assert (long.status_code, path.status_code, large.status_code, enough.status_code) == (414, 414, 431, 200)
    for response in (long, path, large):
        assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PUT", "PATCH", "DELETE", "PROPFIND"])
async def test_other_methods_are_told_those_there_are(store: Store, method: str) -> None:
    """A 405 with Allow on every address, as a problem document."""
    methods: dict[str, set[str]] = {}
    for one in OPERATIONS:
        methods.setdefault(one.path, set()).update({one.method, *(("HEAD",) if one.method == "GET" else ())})
    async with catalog_client(store) as opened:
        for operation in OPERATIONS:
            if method in methods[operation.path]:
                continue
            response = await opened.request(method, address(operation))
            assert response.status_code == 405
            assert response.headers["content-type"] == "application/problem+json"
            assert set(response.headers["allow"].split(", ")) == methods[operation.path]


@contextlib.asynccontextmanager
async def listening(store: Store) -> AsyncIterator[int]:
    """Serve the catalogue on a real socket."""
    await published(store)
    app, _ = await application(store)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    yield int(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    await serving


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /v1/endpoints/%00 HTTP/1.1", b"404"),
        (b"GET /v1/endpoints/%zz HTTP/1.1", b"404"),
        (b"GET /v1/endpoints/%ff%fe HTTP/1.1", b"404"),
        (b"GET /v1/endpoints/%C0%AE%C0%AE/ HTTP/1.1", b"404"),
        (b"GET /v1/versions/%ED%A0%80 HTTP/1.1", b"400"),
        (b"GET /v1/documents/%00%00%00%00%00%00%00%00 HTTP/1.1", b"404"),
        (b"GET /v1/endpoints?service=%zz HTTP/1.1", b"200"),
        (b"GET /v1/endpoints?at=%ff HTTP/1.1", b"400"),
        (b"GET /v1/endpoints?at=%00 HTTP/1.1", b"400"),
        (b"GET /v1/../v1/endpoints HTTP/1.1", b"404"),
        (b"GET //v1/endpoints HTTP/1.1", b"404"),
        (b"GET /v1/endpoints?\xff=1 HTTP/1.1", b"400"),
        (b"GET /v1/\xc3\xa4 HTTP/1.1", b"40"),
        (b"BREW /v1/endpoints HTTP/1.1", b"40"),
        (b"\x00\x01\x02", b"400"),
    ],
)
async def test_bytes_on_the_wire(store: Store, line: bytes, status: bytes) -> None:
    """Bad escapes, bad UTF-8 and bytes that are no request are refused over a real connection, too."""
    async with listening(store) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:300]
    assert b"Traceback" not in answer
