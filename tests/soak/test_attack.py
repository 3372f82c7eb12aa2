"""Those who would take a server's time: slow connections, giant requests, idle websockets, while others go on reading."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from msgspec import Struct

from catalog_service.store.connect import Store
from catalog_service.tasks import stop
from tests.api_client import published
from tests.redis_shapes import free_port
from tests.soak.processes import Program, ready
from tests.soak.report import Row, keep

pytestmark = pytest.mark.soak
SLOW, WEBSOCKETS = 500, 1_000
QUIET_S, ATTACK_S = 5.0, 40.0
READ_PAUSE_S = 0.02
MOST_GROWN_MB = 150.0
_DESCRIPTORS = 4_000
_POST = "POST /graphql HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
_HANDSHAKE = (
    "GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: graphql-transport-ws\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def bodies() -> dict[str, str]:
    """GraphQL that nobody may have carried out."""
    aliases = " ".join(f"a{number}: __typename" for number in range(10_000))
    deep = "{ versions { nodes " * 200 + "{ number }" + " } }" * 200
    fragments = "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }"
    directives = "{ __typename " + "@skip(if: false) " * 5_000 + "}"
    return {"aliases": f"{{ {aliases} }}", "deep": deep, "circular": fragments, "directives": directives}


class Attack:
    """Who attacks; ``answered`` counts what they were told."""

    def __init__(self, port: int) -> None:
        self.answered: Counter[str] = Counter()
        self._port = port

    async def slow(self) -> None:
        """A byte a second, again and again."""
        head = b"GET /v1/sources HTTP/1.1\r\nHost: x\r\nX-Slow: "
        while True:
            async with self._connected() as (reader, writer):
                for at in range(10_000):
                    writer.write(head[at : at + 1] or b"x")
                    with contextlib.suppress(TimeoutError):
                        self._note("slow", await asyncio.wait_for(reader.readline(), 1))
                        break
            await asyncio.sleep(0.2)

    async def long_heads(self) -> None:
        while True:
            await self._sent("70 kB head", f"GET / HTTP/1.1\r\nHost: x\r\nX-Long: {'x' * 70_000}\r\n\r\n".encode())

    async def queries(self) -> None:
        made = bodies()
        while True:
            for name, query in made.items():
                body = json.dumps({"query": query}).encode()
                head = f"{_POST}Content-Length: {len(body)}\r\n\r\n"
                await self._sent(name, head.encode() + body)

    async def idle_websocket(self) -> None:
        """Open one and say nothing; again when it is closed."""
        while True:
            async with self._connected() as (reader, writer):
                writer.write(_HANDSHAKE.encode())
                self._note("websocket", await reader.readline())
                while await reader.read(1024):
                    pass
            await asyncio.sleep(1)

    async def _sent(self, name: str, data: bytes) -> None:
        async with self._connected() as (reader, writer):
            writer.write(data)
            self._note(name, await asyncio.wait_for(reader.readline(), 20))
        await asyncio.sleep(0.1)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Give a connection; that it is refused or ends is the defender's right."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                yield reader, writer
            finally:
                writer.close()

    def _note(self, name: str, line: bytes) -> None:
        status = line.split(b" ")[1].decode() if line.startswith(b"HTTP/1.1 ") else "closed"
        self.answered[f"{name}: {status}"] += 1


async def read(http: aiohttp.ClientSession, url: str, until_s: float) -> list[float]:
    """Read until then; return how many seconds each took. Every one has to be answered."""
    took = []
    while time.monotonic() < until_s:
        begun_s = time.perf_counter()
        async with http.get(f"{url}/v1/allowlist?format=json") as answer:
            assert answer.status == 200, await answer.text()
            await answer.read()
        took.append(time.perf_counter() - begun_s)
        await asyncio.sleep(READ_PAUSE_S)
    return took


def percentile(took: list[float], share: float) -> float:
    return round(sorted(took)[int(share * (len(took) - 1))] * 1000, 1)


class Reads(Struct, frozen=True):
    """Seconds that reads took."""

    before: list[float]
    meanwhile: list[float]
    after: list[float]


async def attacked(serve: Program, attack: Attack, url: str) -> Reads:
    """Read before the attack, in its midst and afterwards."""
    async with aiohttp.ClientSession() as http:
        before = await read(http, url, time.monotonic() + QUIET_S)
        serve.sample()
        attackers = (
            *(attack.slow() for _ in range(SLOW)),
            *(attack.idle_websocket() for _ in range(WEBSOCKETS)),
            *(attack.long_heads() for _ in range(3)),
            *(attack.queries() for _ in range(2)),
        )
        tasks, meanwhile = [asyncio.create_task(one) for one in attackers], list[float]()
        for _ in range(4):
            meanwhile += await read(http, url, time.monotonic() + ATTACK_S / 4)
            serve.sample()
        await stop(*tasks)
        return Reads(before, meanwhile, await read(http, url, time.monotonic() + QUIET_S))


async def test_normal_reads_go_on(store: Store, redis_socket: Path, tmp_path: Path) -> None:
    """While all of them attack at once every read is answered, and memory does not run away."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < _DESCRIPTORS:
        pytest.skip(f"{hard} descriptors are too few for the attack")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, _DESCRIPTORS), hard))
    await published(store)
    port, begun_s = free_port(), time.monotonic()
    settings = {"CATALOG_REDIS_URL": f"unix://{redis_socket}", "CATALOG_RATE_LIMIT": "0", "CATALOG_LOG_LEVEL": "error"}
    serve, attack = Program("serve", ("serve", "--port", str(port)), settings, tmp_path), Attack(port)
    await serve.start()
    try:
        await ready(port)
        reads = await attacked(serve, attack, f"http://127.0.0.1:{port}")
        await serve.stop()
    finally:
        if serve.lives:
            await serve.kill()
    keep(row(serve, attack, reads, time.monotonic() - begun_s))
    assert serve.exits == [0]
    assert serve.memory[-1] - serve.memory[0] < MOST_GROWN_MB
    assert len(reads.meanwhile) > 100


def row(serve: Program, attack: Attack, reads: Reads, seconds: float) -> Row:
    """Return the row of the report."""
    told = sorted(attack.answered.items())
    took = {"before": reads.before, "meanwhile": reads.meanwhile, "after": reads.after}
    return Row(
        name="attack",
        fault="500 connections of a byte a second, 70 kB heads, 10,000 aliases, deep and circular queries,"
        " 1,000 idle websockets",
        runs=sum(attack.answered.values()),
        refused=sum(count for name, count in told if name.partition(": ")[2] not in ("101", "200")),
        held="every read by others was answered meanwhile, memory did not run away",
        seconds=round(seconds, 1),
        facts={
            **{
                f"reads {when}: p50, p99": f"{percentile(found, 0.5)} ms, {percentile(found, 0.99)} ms"
                for when, found in took.items()
            },
            "memory of serve, before and every 10 s": ", ".join(f"{one:.0f} MB" for one in serve.memory),
            "answers to attackers (200 to a query: GraphQL's refusal)": ", ".join(f"{name} {n}x" for name, n in told),
        },
    )
