"""Run as a process: readers of all kinds behind a balancer of their own.

``python -m tests.soak.readers PORT,PORT,... READERS PAUSE_S`` reads lines from stdin: ``down PORT`` announces a restart,
``up PORT`` its end; at ``end`` it prints a JSON `Readings`. A request to a replica that is announced to be down
and cannot be answered is tried at the next one; everything else that is not an answer is a failure.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import sys
import time
from collections import Counter
from random import Random

import aiohttp
import msgspec
from msgspec import Struct

from catalog_service.tasks import stop
from tests.invariants import Answer

_TIMEOUT_S = 30.0
_QUERIES = {
    "allowlist": "/v1/allowlist?format=txt&source=soak-weekly",
    "allowlist of a service": "/v1/allowlist?format=json&source=soak-small",
    "endpoints": "/v1/endpoints?source=soak-weekly&limit=100",
    "lookup": "/v1/lookup?q=20.1.0.1",
    "diff": "/v1/diff/latest~1...latest",
    "versions": "/v1/versions?limit=20",
    "ready": "/readyz",
}
_GRAPHQL = "{ endpoints(first: 50) { edges { node { id prefixes } } } }"


class Readings(Struct, frozen=True):
    """What readers saw."""

    requests: int
    retried: int
    """At another replica, during an announced restart."""
    failures: tuple[str, ...]
    statuses: dict[str, int]
    milliseconds: dict[str, tuple[float, float]]
    """p50 and p99 by kind."""
    answers: tuple[Answer, ...]


class Balancer:
    """One replica after the other."""

    def __init__(self, ports: tuple[int, ...], http: aiohttp.ClientSession) -> None:
        self.down: set[int] = set()
        self.retried = 0
        self.failures: list[str] = []
        self.statuses: Counter[str] = Counter()
        self.seconds: dict[str, list[float]] = {}
        self.answers: dict[Answer, None] = {}
        self._ports = itertools.cycle(ports)
        self._count = len(ports)
        self._http = http

    async def ask(self, kind: str) -> None:
        """Ask once, at one replica or the next."""
        for _ in range(self._count):
            port, begun_s = next(self._ports), time.perf_counter()
            announced = port in self.down
            trouble = await self._asked(kind, port, begun_s)
            if not trouble:
                return
            if not (announced or port in self.down):
                self.failures.append(f"{kind}: {trouble}")
                return
            self.retried += 1
        self.failures.append(f"{kind}: no replica answers")

    async def _asked(self, kind: str, port: int, begun_s: float) -> str:
        try:
            async with self._request(kind, f"http://127.0.0.1:{port}") as answer:
                data = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return repr(error)
        if not (200 <= answer.status < 300 or answer.status == 304) or (kind == "GraphQL" and b'"errors"' in data):
            return f"{answer.status} {data[:200]!r}"
        self.seconds.setdefault(kind, []).append(time.perf_counter() - begun_s)
        self.statuses[f"{kind} {answer.status}"] += 1
        if version := answer.headers.get("X-Catalog-Version"):
            self.answers[Answer(kind, int(version), hashlib.sha256(data).hexdigest()[:16])] = None
        return ""

    def _request(self, kind: str, url: str) -> contextlib.AbstractAsyncContextManager[aiohttp.ClientResponse]:
        if kind == "GraphQL":
            return self._http.post(f"{url}/graphql", json={"query": _GRAPHQL})
        return self._http.get(f"{url}{_QUERIES[kind]}")

    def readings(self) -> Readings:
        """Return all that was seen."""
        return Readings(
            requests=sum(map(len, self.seconds.values())),
            retried=self.retried,
            failures=tuple(self.failures[:50]),
            statuses=dict(self.statuses),
            milliseconds={kind: (_at(found, 0.5), _at(found, 0.99)) for kind, found in self.seconds.items()},
            answers=tuple(self.answers),
        )


def _at(seconds: list[float], share: float) -> float:
    return round(sorted(seconds)[int(share * (len(seconds) - 1))] * 1000, 1)


async def _read(balancer: Balancer, random: Random, pause_s: float) -> None:
    while True:
        await balancer.ask(random.choice([*_QUERIES, "GraphQL"]))
        await asyncio.sleep(random.uniform(0, 2 * pause_s))


async def main() -> None:
    ports, count, pause_s = tuple(map(int, sys.argv[1].split(","))), int(sys.argv[2]), float(sys.argv[3])
    connector = aiohttp.TCPConnector(keepalive_timeout=2)  # less than a server's: no race at the end of a connection
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        balancer = Balancer(ports, http)
        tasks = [asyncio.create_task(_read(balancer, Random(place), pause_s)) for place in range(count)]
        while (line := (await stdin.readline()).decode()) not in {"", "end\n"}:
            word, port = line.split()
            (balancer.down.add if word == "down" else balancer.down.discard)(int(port))
        await stop(*tasks)
        balancer.failures += [repr(one.exception()) for one in tasks if not one.cancelled()]
    sys.stdout.write(msgspec.json.encode(balancer.readings()).decode())


if __name__ == "__main__":
    asyncio.run(main())
