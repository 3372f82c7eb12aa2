"""A Sentinel failover while everything runs: three replicas, three notify workers and sync, and the primary is killed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from catalog_service.store.connect import Store, open_store
from schema.event import Place
from tests.invariants import broken
from tests.receivers import receiver
from tests.redis_shapes import sentinels
from tests.soak.load import Crew, Subscribers, Upstream
from tests.soak.processes import ready
from tests.soak.report import Row, duplicated, keep
from tests.soak.sources import SOURCES
from tests.soak.test_load import untold_of
from tests.surely import duplicates
from tests.telling import subscribed, subscription

pytestmark = pytest.mark.soak
RUN_S, KILLED_AT_S, PAUSE_S = 50.0, 10.0, 1.0
TOLD = 5
"""Subscribers, of every source."""


class Seen:
    """What readers saw."""

    def __init__(self) -> None:
        self.reads = 0
        self.failures: list[str] = []
        self.heads: list[int] = []


async def test_the_primary_is_killed_under_all_roles(tmp_path: Path) -> None:
    """No read fails, each version comes under one number and is told under one id, and all processes end with 0."""
    begun_s, upstream, told, seen = time.monotonic(), Upstream(), Subscribers(), Seen()
    for path in ("/weekly", "/small"):
        upstream.advance(path)
    (tmp_path / "redis").mkdir()
    with sentinels(tmp_path / "redis") as servers:
        async with (
            receiver(upstream.answer) as upstream_port,
            receiver(told.answer) as subscribers_port,
            open_store(servers.url, tmp_path, service=False) as store,
        ):
            await store.ping()
            await store.queues.skip(Place(0))
            for number in range(TOLD):
                address = f"http://127.0.0.1:{subscribers_port}/sub_{number}"
                await subscribed(store, subscription(f"sub_{number}", address))
            async with _running(Crew(tmp_path, upstream_port, subscribers_port, servers.url), store) as crew:
                await _read_over(crew, upstream, store, seen, servers.primary.kill)
                await _all_told(store, told)
            found = list(await broken(store, {one.name: one.guard for one in SOURCES}))
            found += await untold_of(
                store, told.arrivals, dict.fromkeys(range(TOLD), tuple(one.name for one in SOURCES))
            )
            head = await store.versions.head()
    ends = [code for one in crew.all for code in one.exits]
    keep(
        Row(
            name="failover",
            fault="Sentinel failover (kill -9 of the primary) under three replicas, three notify workers and sync",
            runs=1,
            kills=1,
            lost=len(found) + len(seen.failures),
            duplicated=duplicated(found),
            held="no read failed, every version there is has one number and was told under one id, all roles went on",
            seconds=round(time.monotonic() - begun_s, 1),
            facts={
                "reads": str(seen.reads),
                "versions before, and at the end": f"{seen.heads[0]}, {head}",
                "POSTs, of them repeated under the same id": f"{len(told.arrivals)}, {duplicates(told.arrivals)}",
            },
        )
    )
    assert found == []
    assert seen.failures == []
    assert head > seen.heads[0]
    assert ends == [0] * len(crew.all)


@contextlib.asynccontextmanager
async def _running(crew: Crew, store: Store) -> AsyncIterator[Crew]:
    try:
        await crew.start()
        async with asyncio.timeout(60):
            while len(await store.versions.sources()) < len(SOURCES):  # until then there is nothing to read
                await asyncio.sleep(0.1)
        for port in crew.ports:
            await ready(port)
        yield crew
        assert all(one.lives for one in crew.all)
        await crew.end()
    finally:
        await crew.kill()


async def _read_over(crew: Crew, upstream: Upstream, store: Store, seen: Seen, kill: Callable[[], None]) -> None:
    """Read at every replica again and again, and kill the primary on the way."""
    begun_s, dead = time.monotonic(), False
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
        while (elapsed_s := time.monotonic() - begun_s) < RUN_S:
            upstream.advance("/small")
            if not dead and elapsed_s > KILLED_AT_S:
                seen.heads.append(await store.versions.head())
                await asyncio.to_thread(kill)
                dead = True
            for port in crew.ports:
                await _read(http, port, seen)
            await asyncio.sleep(PAUSE_S)


async def _read(http: aiohttp.ClientSession, port: int, seen: Seen) -> None:
    seen.reads += 1
    try:
        async with http.get(f"http://127.0.0.1:{port}/v1/allowlist?format=json&source=soak-small") as answer:
            said = await answer.text()
            if answer.status != 200:
                seen.failures.append(f"read {seen.reads} at {port}: {answer.status} {said[:300]}")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        seen.failures.append(f"{port}: {error!r}")


async def _all_told(store: Store, told: Subscribers) -> None:
    """Wait until every subscriber has taken the newest version, while nothing new comes; not longer than a minute."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(75):
            while True:
                head = await store.versions.head()
                knows = {one.subscription for one in told.arrivals if one.is_taken and head in one.versions}
                if len(knows) == TOLD:
                    return
                await asyncio.sleep(0.5)
