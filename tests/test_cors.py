"""CORS: pages of the configured origins read the API, others do not, and no cache mixes them up."""

from __future__ import annotations

import re

import httpx
import pytest

from catalog_service.api.app import create_app
from catalog_service.api.gate.rules import GateRules
from catalog_service.api.openapi import openapi_document
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from tests.api_client import SOURCES, client, published

TOOLS = "https://tools.contoso.example"
EVIL = "https://evil.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


async def opened(store: Store, *origins: str) -> httpx.AsyncClient:
    """Return a client of the catalogue, whose answers pages of ``origins`` may read."""
    await published(store)
    reader = Reader(store)
    await reader.refresh()
    return client(create_app(reader, SOURCES, rules=GateRules(cors_origins=origins)))


async def test_a_configured_origin_reads(store: Store) -> None:
    """It is named, from the router as from memory, and sees the headers that matter; credentials are never allowed."""
    async with await opened(store, TOOLS) as http:
        for _ in range(2):
            answer = await http.get("/v1/endpoints", headers={"Origin": TOOLS})
            assert answer.headers["Access-Control-Allow-Origin"] == TOOLS
            assert "Access-Control-Allow-Credentials" not in answer.headers
            assert "X-Catalog-Version" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("origin", [None, EVIL, "null", f"{TOOLS}.evil.example", f"{TOOLS}:8443", f"{TOOLS}, {EVIL}"])
async def test_others_do_not_read_and_no_cache_mixes_them_up(store: Store, origin: str | None) -> None:
    """Whoever asks and whatever comes of it, the answer says that another origin may have another one."""
    async with await opened(store, TOOLS) as http:
        for path in ("/v1/endpoints", "/v1/nothing"):
            await http.get(path, headers={"Origin": TOOLS})
            answer = await http.get(path, headers={"Origin": origin} if origin else {})
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert "Origin" in [part.strip() for part in answer.headers["Vary"].split(",")]


async def test_every_origin_reads(store: Store) -> None:
    """With `*` every answer has it, so that nothing varies."""
    async with await opened(store, "*") as http:
        for headers in ({}, {"Origin": EVIL}):
            answer = await http.get("/v1/endpoints", headers=headers)
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert "Origin" not in [part.strip() for part in answer.headers["Vary"].split(",")]


async def test_nobody_is_asked_for_where_nothing_is_configured(store: Store) -> None:
    """By default no header of CORS is sent, and OPTIONS is no method of any route."""
    async with await opened(store) as http:
        answer = await http.get("/v1/endpoints", headers={"Origin": EVIL})
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert (await http.options("/v1/endpoints", headers={"Origin": EVIL, **PREFLIGHT})).status_code == 405


async def test_preflights(store: Store) -> None:
    """A preflight is answered before anything is asked for, to configured origins alone."""
    async with await opened(store, TOOLS) as http:
        answer = await http.options("/graphql", headers={"Origin": TOOLS, **PREFLIGHT})
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["Access-Control-Allow-Origin"] == TOOLS
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
        refused = await http.options("/graphql", headers={"Origin": EVIL, **PREFLIGHT})
        assert (refused.status_code, refused.json()["code"]) == (403, "FOREIGN_ORIGIN")
        assert "Access-Control-Allow-Origin" not in refused.headers


async def test_refusals_can_be_read_too(store: Store) -> None:
    """A page is told why it is refused: a 404 and a 400 have the headers as well."""
    async with await opened(store, TOOLS) as http:
        for path in ("/v1/nothing", "/v1/endpoints?limit=0"):
            answer = await http.get(path, headers={"Origin": TOOLS})
            assert (answer.status_code >= 400, answer.headers["Access-Control-Allow-Origin"]) == (True, TOOLS)


async def test_pages_see_every_header_of_the_contract(store: Store) -> None:
    """What the contract has in headers a page of another origin can read."""
    async with await opened(store, TOOLS) as http:
        exposed = (await http.get("/healthz", headers={"Origin": TOOLS})).headers["Access-Control-Expose-Headers"]
    promised = set(
        re.findall(rb'"(X-Catalog-[A-Za-z-]+|ETag|Link|Retry-After|Content-Disposition)":', openapi_document())
    )
    assert promised
    assert promised <= {part.strip().encode() for part in exposed.split(",")}
