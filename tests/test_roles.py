"""The roles as processes: each starts, and asked to stop ends with 0 within its grace, with nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from redis.asyncio import Redis

from catalog_service.cli import exits
from catalog_service.store import keys
from catalog_service.store.connect import Store
from catalog_service.store.server_process import spawn
from schema.event import Place
from tests.api_client import PAGE, START, TAGS, TAGS_1, commit, published
from tests.receivers import receiver as answering
from tests.telling import KEY, Receiver, subscribed, subscription

FIXTURE = Path(__file__).parent / "fixtures" / "power-automate" / "2025-12.md"
GRACE_S = 0.5
_TERMINATED = 128 + signal.SIGTERM
_WAIT_S = 20.0
_LITTLE_S = 4.0
"""What an exit may take beyond its grace on a busy machine: giving back takes up to a second, ending a process as well."""


class Role:
    """A process of the program."""

    def __init__(self, process: Process) -> None:
        self.process = process

    async def said(self, part: str) -> dict[str, str]:
        """Return the facts of the line of its log that has ``part``."""
        assert self.process.stderr
        seen = []
        async with asyncio.timeout(_WAIT_S):
            async for line in self.process.stderr:
                seen.append(line.decode())
                if part in seen[-1]:
                    return dict(json.loads(line))
        pytest.fail(f"it ended: {''.join(seen)}")

    async def ended(self, grace_s: float = GRACE_S) -> int:
        """Return the exit code; it comes within the grace and a little."""
        began_s = time.monotonic()
        code = await asyncio.wait_for(self.process.wait(), _WAIT_S)
        assert time.monotonic() - began_s < grace_s + _LITTLE_S
        return code


@contextlib.asynccontextmanager
async def role(*arguments: str, redis: str, grace_s: float = GRACE_S, **environment: object) -> AsyncIterator[Role]:
    """Give the program as a process of its own, with settings, killed at the latest when the block ends."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CATALOG_")}
    own = {"redis_url": redis, "grace_s": grace_s, "log_format": "json", "port": 0, **environment}
    settings = {f"CATALOG_{name.upper()}": str(value) for name, value in own.items()}
    command = (sys.executable, "-m", "catalog_service", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stderr=PIPE, env={**clean, **settings})
    try:
        yield Role(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


class Gate:
    """An upstream or a receiver that keeps who asks waiting until it is opened."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.opened = asyncio.Event()

    async def upstream(self, _: web.BaseRequest) -> web.StreamResponse:
        await self._pass()
        return web.Response(body=FIXTURE.read_bytes(), content_type="text/markdown")

    async def receiver(self, _: web.Request) -> web.StreamResponse:
        await self._pass()
        return web.Response(status=204)

    async def _pass(self) -> None:
        self.asked.set()
        await self.opened.wait()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
async def page(gate: Gate) -> AsyncIterator[str]:
    """The setting that has the page read from a slow upstream."""
    async with answering(gate.upstream) as port:
        yield json.dumps({PAGE: f"http://127.0.0.1:{port}/page.md"})
        gate.opened.set()


def told_to(receiver: Receiver) -> dict[str, object]:
    """Settings of a worker that may tell ``receiver``."""
    networks = {"webhook_http": "true", "webhook_ports": receiver.port, "webhook_networks": "127.0.0.0/8"}
    return {"encryption_key": KEY, **networks}


async def due(store: Store, receiver: Receiver, reply: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> None:
    """Have a version to tell one subscriber, who replies as given."""
    receiver.replies["/hook"] = [reply]
    await store.queues.skip(Place(0))
    await subscribed(store, subscription("sub_a", receiver.url()))
    await commit(store, TAGS, TAGS_1, START)


async def lease_taken(store: Store) -> bool:
    return bool(await store.redis.exists(keys.lease(PAGE)))


async def test_serve_ends_what_is_under_way(store: Store, redis_url: str) -> None:
    """A request that has begun is answered, streams and websockets are closed in order: 0."""
    await published(store)
    async with role("serve", redis=redis_url, grace_s=10) as serve, aiohttp.ClientSession() as http:
        url = (await serve.said("graphiql"))["url"]
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        body = b'{"query": "{ __typename }"}'
        head = f"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        writer.write(f"{head}\r\n\r\n".encode() + body[:5])
        await writer.drain()
        async with (
            http.get(f"{url}/v1/events", headers={"Accept": "text/event-stream"}) as stream,
            http.ws_connect(f"{url}/graphql", protocols=["graphql-transport-ws"]) as websocket,
        ):
            await stream.content.readline()
            serve.process.terminate()
            await stream.content.read()  # it has an end
            assert (await websocket.receive(timeout=_WAIT_S)).type is aiohttp.WSMsgType.CLOSE
            assert websocket.close_code in (1001, 1012)  # going away, service restart: it may come back
        writer.write(body[5:])
        answer = await asyncio.wait_for(reader.read(), _WAIT_S)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'"Query"' in answer
        writer.close()
        assert await serve.ended(10) == exits.FINE


async def test_a_sync_under_way_is_finished(store: Store, redis_url: str, gate: Gate, page: str) -> None:
    """Upstream answers after the signal and within the grace: its version is published, the lease given back."""
    async with role("sync", "--every", PAGE, redis=redis_url, grace_s=10, addresses=page) as sync:
        await asyncio.wait_for(gate.asked.wait(), _WAIT_S)
        assert await lease_taken(store)
        sync.process.terminate()
        gate.opened.set()
        assert await sync.ended(10) == exits.FINE
    assert await store.versions.head() == 1
    assert not await lease_taken(store)


@pytest.mark.parametrize(("arguments", "code"), [(["--every"], exits.FINE), ([], _TERMINATED)])
async def test_a_sync_past_its_grace_is_given_up(
    store: Store, redis_url: str, gate: Gate, page: str, arguments: list[str], code: int
) -> None:
    """Upstream does not answer in time: nothing is published, the lease is given back; a sync of once says 143."""
    async with role("sync", *arguments, PAGE, redis=redis_url, addresses=page) as sync:
        await asyncio.wait_for(gate.asked.wait(), _WAIT_S)
        sync.process.terminate()
        assert await sync.ended() == code
    assert await store.versions.head() == 0
    assert not await lease_taken(store)


@pytest.mark.parametrize("in_time", [True, False])
async def test_a_delivery_under_way_is_settled_or_returned(
    store: Store, redis_url: str, gate: Gate, receiver: Receiver, in_time: bool
) -> None:
    """A receiver that answers within the grace has it settled; else another worker may tell it at once."""
    await due(store, receiver, gate.receiver)
    grace_s = 10 if in_time else GRACE_S
    async with role("notify", redis=redis_url, grace_s=grace_s, **told_to(receiver)) as notify:
        await asyncio.wait_for(gate.asked.wait(), _WAIT_S)
        notify.process.terminate()
        if in_time:
            gate.opened.set()
        assert await notify.ended(grace_s) == exits.FINE
    gate.opened.set()
    assert await store.redis.hlen(keys.CLAIMS) == 0
    assert await store.queues.counts("sub_a") == (0 if in_time else 1, 0)
    assert len(await store.deliveries.newest("sub_a")) == int(in_time)
    due_at = await store.queues.due_at("sub_a")
    assert due_at is None if in_time else due_at and due_at.timestamp() <= time.time()


async def test_every_role_ends_while_redis_hangs(tmp_path: Path, gate: Gate, page: str, receiver: Receiver) -> None:
    """In the middle of a sync, of a delivery, of serving: what Redis does not answer is not waited for."""
    socket = tmp_path / "s"
    server = spawn(tmp_path, socket)
    common, url = {"addresses": page, **told_to(receiver)}, f"unix://{socket}"
    try:
        await fill(socket, receiver, gate)
        async with (
            role("sync", "--every", PAGE, redis=url, grace_s=GRACE_S, **common) as sync,
            role("notify", redis=url, grace_s=GRACE_S, **common) as notify,
            role("serve", redis=url, grace_s=GRACE_S, **common) as serve,
        ):
            await serve.said("graphiql")
            while len(receiver.received) < 1 or not gate.asked.is_set():
                await asyncio.sleep(0.01)
            server.send_signal(signal.SIGSTOP)
            gate.opened.set()  # what was asked for has to be written down now
            for one in (sync, notify, serve):
                one.process.terminate()
            assert [await one.ended() for one in (sync, notify, serve)] == [exits.FINE] * 3
    finally:
        server.kill()
        server.wait()


async def fill(socket: Path, receiver: Receiver, gate: Gate) -> None:
    async with asyncio.timeout(_WAIT_S), Redis(unix_socket_path=str(socket)) as redis:
        while not socket.exists():
            await asyncio.sleep(0.01)
        store = Store(redis)
        await store.ping()
        await due(store, receiver, gate.receiver)
