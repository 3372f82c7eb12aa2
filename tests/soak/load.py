"""The players of the mixed load: what upstream publishes, who is told, all processes, and what befalls them.

`play` lets them all run for ``SOAK_MINUTES`` (30). Rates are such that two shared cores are enough. Called by test_load.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import msgspec
from aiohttp import web
from msgspec import Struct
from redis.asyncio import Redis

from catalog_service.cli.wiring import utc_now
from catalog_service.store import keys
from catalog_service.store.connect import Store
from catalog_service.store.server_process import spawn, stop
from catalog_service.sync.held import accept
from catalog_service.tasks import stop as stop_tasks
from schema.errors import LeaseTakenError, StaleHeadError, UnknownHeldError
from schema.event import Place
from schema.subscription import EventFilter
from tests.conftest import CORPUS
from tests.redis_shapes import free_port
from tests.soak.listeners import Listener
from tests.soak.processes import Program, ready, resident_mb
from tests.soak.readers import Readings
from tests.soak.report import ROOT
from tests.soak.sources import SMALL, SOURCES, WEEKLY, installed, small, weeks
from tests.surely import Arrival
from tests.telling import KEY, subscribed, subscription

MINUTES = float(os.environ.get("SOAK_MINUTES", "30"))
SUBSCRIBERS, LISTENERS, READERS = 200, 500, 6
READ_PAUSE_S = 0.4
WEEK_S, SMALL_S = 20.0, 6.0
RESTART_S, NOTIFY_KILL_S = 60.0, 95.0
RELEASE_S = 5.0
KILLED_EVERY = 5
"""Every fifth restart is a kill -9."""
SAMPLE_S = 5.0
DRAIN_S = 150.0
"""A claim of a killed worker lasts a minute."""
WANTED = ((WEEKLY.name, SMALL.name), (WEEKLY.name,), (SMALL.name,))


class Upstream:
    """What both sources publish; the test moves it on."""

    def __init__(self) -> None:
        self._next = {"/weekly": weeks(CORPUS), "/small": small()}
        self._bodies: dict[str, bytes] = {}
        self._tags: dict[str, str] = {}
        self._number = 0

    def advance(self, path: str) -> None:
        self._bodies[path] = next(self._next[path])
        self._number += 1
        self._tags[path] = f'"{self._number}"'

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        tag = self._tags[request.path]
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag})
        return web.Response(body=self._bodies[request.path], content_type="application/json", headers={"ETag": tag})


class Subscribers:
    """Who is told; one POST in fifty fails at first."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self._random = Random(3)
        self._failed: set[str] = set()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        data, id_ = msgspec.json.decode(await request.read())["data"], request.headers["webhook-id"]
        is_taken = id_ in self._failed or self._random.random() >= 0.02
        self._failed.add(id_)
        versions = tuple(data.get("versions", ()))
        self.arrivals.append(Arrival(request.path[1:], id_, versions, "", is_taken=is_taken))
        return web.Response(status=204 if is_taken else 500)


class Crew:
    """All processes."""

    def __init__(self, folder: Path, upstream_port: int, subscribers_port: int, redis_url: str = "") -> None:
        self.ports = tuple(free_port() for _ in range(3))
        base = f"http://127.0.0.1:{upstream_port}"
        settings = {
            "CATALOG_REDIS_URL": redis_url or f"unix://{folder / 's'}",
            "CATALOG_LOG_FORMAT": "json",
            "CATALOG_LOG_LEVEL": "warning",
            "CATALOG_RATE_LIMIT": "0",
            "CATALOG_ADDRESSES": json.dumps({WEEKLY.name: f"{base}/weekly", SMALL.name: f"{base}/small"}),
            "CATALOG_ENCRYPTION_KEY": KEY,
            "CATALOG_WEBHOOK_HTTP": "true",
            "CATALOG_WEBHOOK_PORTS": str(subscribers_port),
            "CATALOG_WEBHOOK_NETWORKS": "127.0.0.0/8",
            "PYTHONPATH": str(installed(folder / "installed")),
        }

        def made(name: str, *arguments: str) -> Program:
            return Program(name, arguments, settings, folder)

        self.replicas = [made(f"serve-{port}", "serve", "--port", str(port)) for port in self.ports]
        self.workers = [made(f"notify-{one}", "notify") for one in (1, 2, 3)]
        """The last is not killed: its memory is measured."""
        self.sync = made("sync", "sync", "--every", *(one.name for one in SOURCES))
        self.all = (*self.replicas, *self.workers, self.sync)

    async def start(self) -> None:
        for one in self.all:
            await one.start()

    async def end(self) -> None:
        await asyncio.gather(*(one.stop() for one in self.all if one.lives))

    async def kill(self) -> None:
        for one in self.all:
            if one.lives:
                await one.kill()


@contextlib.asynccontextmanager
async def redis_server(folder: Path) -> AsyncIterator[tuple[Redis, int]]:
    process = spawn(folder, folder / "s")
    while not (folder / "s").exists():
        await asyncio.sleep(0.02)
    async with Redis(unix_socket_path=str(folder / "s")) as redis:
        yield redis, process.pid
    stop(process, 10)


async def subscribe(store: Store, port: int) -> None:
    await store.ping()
    await store.queues.skip(Place(0))
    for number in range(SUBSCRIBERS):
        wanted = EventFilter() if number % 3 == 0 else EventFilter(sources=WANTED[number % 3])
        await subscribed(store, subscription(f"sub_{number}", f"http://127.0.0.1:{port}/sub_{number}", filter=wanted))


async def every(pause_s: float, until_s: float) -> AsyncIterator[int]:
    """Yield 1, 2, 3 ... after each pause, until the time is over."""
    for number in itertools.count(1):
        if time.monotonic() + pause_s >= until_s:
            return
        await asyncio.sleep(pause_s)
        yield number


async def advance(upstream: Upstream, path: str, pause_s: float, until_s: float) -> None:
    async for _ in every(pause_s, until_s):
        upstream.advance(path)


async def restart(crew: Crew, announce: Process, until_s: float) -> None:
    """Restart the third replica, each time announced to those who read."""
    replica, port = crew.replicas[2], crew.ports[2]

    async def say(word: str) -> None:
        assert announce.stdin
        announce.stdin.write(f"{word} {port}\n".encode())
        await announce.stdin.drain()

    async for number in every(RESTART_S, until_s):
        await say("down")
        await asyncio.sleep(0.2)
        await (replica.kill() if number % KILLED_EVERY == 0 else replica.stop())
        await replica.start()
        await ready(port)
        await say("up")


async def kill_workers(crew: Crew, until_s: float) -> None:
    async for number in every(NOTIFY_KILL_S, until_s):
        await crew.workers[number % 2].kill()
        await crew.workers[number % 2].start()


async def release(store: Store, until_s: float) -> None:
    """Accept what the guard holds of the real weeks, as a person does."""
    async for _ in every(RELEASE_S, until_s):
        for one in await store.sources.held():
            with contextlib.suppress(LeaseTakenError, StaleHeadError, UnknownHeldError):
                await accept(store, one.id, "soak", utc_now)


async def watch(
    crew: Crew, redis_pid: int, redis: Redis, heads: list[int], memory: list[float], until_s: float
) -> None:
    async for _ in every(SAMPLE_S, until_s):
        heads.append(int(await redis.get(keys.HEAD) or 0))
        memory.append(resident_mb(redis_pid))
        for one in crew.all:
            one.sample()


async def drained(store: Store, listeners: list[Listener]) -> int:
    """Wait until all that there is was told; return the head."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            await asyncio.sleep(2 * WEEKLY.interval_s)  # what upstream had last is synced
            while True:
                head = await store.versions.head()
                behind = [one for one in listeners if one.last < head]
                if not behind and not await store.redis.zcard(keys.DUE) and not await store.redis.hlen(keys.CLAIMS):
                    break
                await asyncio.sleep(0.5)
    return await store.versions.head()


class Played(Struct):
    """What came of it, before it is judged."""

    listeners: list[Listener]
    readings: Readings
    head: int
    heads: list[int]
    redis_mb: list[float]
    memory: dict[str, list[float]]
    """Of the processes that lived all the while, by name, in MB."""


async def play(crew: Crew, store: Store, upstream: Upstream, redis_pid: int) -> Played:
    """Start everything, let it run, wait until all was told, and stop it."""
    await crew.start()
    async with asyncio.timeout(60):
        while await store.versions.head() < 2:
            assert all(one.lives for one in crew.all), "\n".join(one.log() for one in crew.all)
            await asyncio.sleep(0.1)
    for port in crew.ports:
        await ready(port)
    listeners = [Listener(crew.ports, Random(one)) for one in range(LISTENERS)]
    heard = [asyncio.create_task(one.run()) for one in listeners]
    reading = await _readers(crew)
    until_s, heads, redis_mb = time.monotonic() + MINUTES * 60, list[int](), list[float]()
    await asyncio.gather(
        advance(upstream, "/weekly", WEEK_S, until_s),
        advance(upstream, "/small", SMALL_S, until_s),
        restart(crew, reading, until_s),
        kill_workers(crew, until_s),
        release(store, until_s),
        watch(crew, redis_pid, store.redis, heads, redis_mb, until_s),
    )
    said, _ = await asyncio.wait_for(reading.communicate(b"end\n"), 60)
    head = await drained(store, listeners)
    await stop_tasks(*heard)
    memory = {one.name: list(one.memory) for one in (*crew.replicas[:2], crew.sync, crew.workers[-1])}
    await crew.end()
    return Played(listeners, msgspec.json.decode(said, type=Readings), head, heads, redis_mb, memory)


async def _readers(crew: Crew) -> Process:
    ports = ",".join(map(str, crew.ports))
    command = (sys.executable, "-m", "tests.soak.readers", ports, str(READERS), str(READ_PAUSE_S))
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=PIPE, stdout=PIPE)
