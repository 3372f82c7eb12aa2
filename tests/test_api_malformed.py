"""Malformed input of every parameter of every operation: a problem document that names it, never a 500.

The table is made from the operations themselves: a new parameter is tested as soon as it is declared.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from urllib.parse import quote

import httpx
import pytest
import uvicorn

from catalog_service.api.bounds import MAX_HEADER_BYTES, MAX_TARGET_BYTES
from catalog_service.api.rest.operation import Operation, Parameter
from catalog_service.api.rest.routes import OPERATIONS
from catalog_service.store.connect import Store
from tests.api_client import PAGE, application, catalog_client, published

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
REFUSED = {400, 404, 410, 422}
FITTING = {
    "q": "13.66.60.1",
    "id": f"{PAGE}:flow",
    "span": "1...2",
    "spec": "1",
    "digest": "0" * 64,
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
            text = quote(given.get(one.name, FITTING.get(one.name, "x")), safe="")
            path = path.replace("{" + one.name + "}", text)
    return path


async def send(opened: httpx.AsyncClient, operation: Operation, url: str) -> httpx.Response:
    body = {"content": b"13.66.60.1\n", "headers": {"Content-Type": "text/plain"}} if operation.takes else {}
    return await opened.request(operation.method, url, **body)  # type: ignore[arg-type]


def check(response: httpx.Response, *, parameter: str | None = None) -> None:
    """An answer, or a problem document; one that is a 400 names the parameter."""
    shown = f"{response.request.url!r:.200} {response.text:.500}"
    assert "x-injected" not in response.headers, shown
    if response.status_code == 200:
        return
    assert response.status_code in REFUSED, shown
    assert response.headers["content-type"] == "application/problem+json", shown
    if response.status_code == 400 and parameter:
        assert response.json()["parameter"] in {parameter, *(("from", "to") if parameter == "span" else ())} | (
            {"version", "at"} if parameter == "spec" else set()
        ), shown


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
    async with catalog_client(store) as opened:
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
    async with catalog_client(store) as opened:
        for name in ("colour", "%00", "%ff", "AT", "a" * 2000, "%F0%9F%A6%8A"):
            response = await send(opened, operation, f"{address(operation)}?{name}=1")
            assert response.status_code == 400, response.text
            known = [one.name for one in operation.parameters if one.place == "query"]
            assert response.json()["known"] == known


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
