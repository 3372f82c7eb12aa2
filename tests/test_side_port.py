"""The side port: every role's life and metrics on a port of its own, without asking who wants to know."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest

from catalog_service.cli.side import side_port, worker_life
from catalog_service.reader import Reader
from catalog_service.settings import Settings, load_settings
from catalog_service.store.connect import Store
from schema.errors import CatalogError
from tests.api_client import SOURCES, away, published
from tests.scrapes import series_of, value
from tests.test_roles import role

ANY = load_settings({"metrics_port": 0, "anonymous_read": False})


async def test_a_worker_tells_how_it_is(store: Store) -> None:
    """It is alive, ready while Redis answers, and measured; nothing else is there, and no token is needed."""
    await published(store)
    reader = Reader(store)
    await reader.refresh()
    async with side_port(ANY, worker_life(store, SOURCES, reader)) as url, httpx.AsyncClient(base_url=url) as opened:
        alive, ready, metrics = [await opened.get(path) for path in ("/healthz", "/readyz", "/metrics")]
        other = await opened.get("/v1/sources")
    assert (alive.status_code, alive.json()) == (200, {"status": "alive"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "version": 3})
    assert value(series_of(metrics.text), "catalog_served_version") == 3
    assert other.status_code == 404


async def test_a_worker_without_redis_is_alive_and_not_ready() -> None:
    """It says why it is of no use now, and its metrics go on."""
    async with side_port(ANY, worker_life(away(), SOURCES)) as url, httpx.AsyncClient(base_url=url) as opened:
        alive, ready, metrics = [await opened.get(path) for path in ("/healthz", "/readyz", "/metrics")]
    assert alive.status_code == 200
    assert (ready.status_code, ready.json()["reasons"]) == (503, ["Redis does not answer"])
    assert "retry-after" in ready.headers
    assert (metrics.status_code, value(series_of(metrics.text), "catalog_store_up")) == (200, 0)


async def test_without_a_port_there_is_none(store: Store) -> None:
    """It is served only where it was asked for, and ends with its block."""
    async with side_port(load_settings({}), worker_life(store, SOURCES)) as url:
        assert url == ""
    async with side_port(ANY, worker_life(store, SOURCES)) as url:
        pass
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))).close()


async def test_a_taken_port_is_an_error(store: Store) -> None:
    """The process does not start where its port is taken, and says which."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings: Settings = load_settings({"metrics_port": taken.getsockname()[1]})
        with pytest.raises(CatalogError, match=str(settings.metrics_port)):
            async with side_port(settings, worker_life(store, SOURCES)):
                pass


async def test_a_port_that_is_taken_in_the_same_moment(store: Store) -> None:
    """Two may be bound to it; who listens second does not wait for ever."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))
        settings = load_settings({"metrics_port": other.getsockname()[1]})
        asyncio.get_running_loop().call_soon(other.listen)  # after ours is bound, before it listens
        with pytest.raises(OSError, match="in use"):
            async with asyncio.timeout(10), side_port(settings, worker_life(store, SOURCES)):
                pass


async def test_a_role_has_it(store: Store, redis_url: str) -> None:
    """`sync --every` serves it beside its work, where the setting says."""
    async with role("sync", "--every", redis=redis_url, metrics_port=0, mirror="/", port=1) as sync:
        url = (await sync.said("metrics on"))["url"]
        async with httpx.AsyncClient(base_url=url) as opened:
            assert (await opened.get("/readyz")).status_code == 200
            assert value(series_of((await opened.get("/metrics")).text), "catalog_store_up") == 1
        sync.process.terminate()
        assert await sync.ended() == 0
