"""Life and readiness, the index, HEAD, and following the catalogue."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from catalog_service.api.app import create_app
from catalog_service.reader import Reader
from catalog_service.store import keys
from catalog_service.store.connect import Store, open_store
from tests.api_client import (
    DAY,
    PAGE,
    SOURCES,
    START,
    TAGS,
    TAGS_1,
    TAGS_2,
    application,
    away,
    catalog_client,
    client,
    commit,
    published,
)


@contextlib.asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[str]:
    """Serve ``app`` on loopback, as in production; gives its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, ws="none")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


async def test_alive_and_ready(store: Store) -> None:
    """With a version in memory the process is ready, and says which and how fresh."""
    async with catalog_client(store) as opened:
        assert (await opened.get("/healthz")).json() == {"status": "alive"}
        ready = (await opened.get("/readyz")).json()
    assert (ready["status"], ready["version"]) == ("ready", 3)
    assert 0 <= ready["age_s"] < 60


async def test_nothing_published_is_not_ready(store: Store) -> None:
    """An empty catalogue is alive, and of no use yet."""
    app, _ = await application(store)
    async with client(app) as opened:
        assert (await opened.get("/healthz")).status_code == 200
        response = await opened.get("/readyz")
    assert (response.status_code, response.json()["reasons"]) == (503, ["nothing has been published yet"])


async def test_the_application_starts_without_redis() -> None:
    """Redis away at the start: the process lives, says why it is not ready, and stops in order."""
    app = create_app(Reader(away()), SOURCES)
    async with app.router.lifespan_context(app), client(app) as opened:
        assert (await opened.get("/healthz")).status_code == 200
        response = await opened.get("/readyz")
        allowlist = await opened.get("/v1/allowlist")
    assert (response.status_code, response.json()["reasons"]) == (503, ["the store has not answered yet"])
    assert (allowlist.status_code, allowlist.json()["code"]) == (503, "NOT_READY")


async def test_a_process_that_begins_with_damage_serves_nothing(store: Store) -> None:
    """No list is short: every read is refused, and the probe tells which source it is."""
    await published(store)
    await store.redis.hset(keys.KEYFRAMES, "1", b"damaged")
    app = create_app(Reader(Store(store.redis)), SOURCES)
    async with app.router.lifespan_context(app), client(app) as opened:
        ready = await opened.get("/readyz")
        answers = [await opened.get(f"/v1/{path}") for path in ("allowlist", f"allowlist?source={PAGE}", "changes")]
    assert ready.status_code == 503
    assert f"{TAGS} cannot be loaded" in ready.json()["reasons"][0]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(503, "NOT_READY")] * 3


async def test_a_commit_by_another_process_is_served(store: Store, redis_url: str, tmp_path: Path) -> None:
    """The application follows the changeset stream: what another client commits is served without a restart."""
    await commit(store, TAGS, TAGS_1, START)
    async with open_store(redis_url, tmp_path, service=False) as own:
        app = create_app(Reader(own), SOURCES)
        async with app.router.lifespan_context(app), client(app) as opened, asyncio.timeout(10):
            before = await opened.get("/v1/allowlist")
            await commit(store, TAGS, TAGS_2, START + DAY)
            while (await opened.get("/readyz")).json()["version"] < 2:
                await asyncio.sleep(0)
            after = await opened.get("/v1/allowlist")
    assert "20.1.2.0/24" in before.text
    assert "20.1.2.0/24" not in after.text
    assert "20.60.0.0/16" in after.text


@pytest.mark.parametrize(
    "path",
    ["/", "/healthz", "/readyz", "/v1/sources", "/v1/endpoints", "/v1/allowlist", "/graphql?query={catalogVersion}"],
)
async def test_head_is_get_without_the_body(store: Store, path: str) -> None:
    """HEAD has the headers of GET, on a real server."""
    await published(store)
    app, _ = await application(store)
    async with served(app) as address, httpx.AsyncClient(base_url=address, trust_env=False) as opened:
        head, get = await opened.head(path), await opened.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert get.content
    for name in ("content-type", "etag", "cache-control"):
        assert head.headers.get(name) == get.headers.get(name)


async def test_the_index_leads_on(store: Store) -> None:
    """A browser at the root gets a page that leads to GraphiQL, a program gets the routes."""
    async with catalog_client(store) as opened:
        browser = await opened.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        program = (await opened.get("/")).json()
    assert browser.status_code == 200
    assert 'href="graphql"' in browser.text
    assert {"/graphql", "/v1/allowlist", "/v1/diff/{span}", "/readyz"} <= set(program["routes"])
