"""Run as a process: schedulers that share their sources are stopped for longer than their lease, and killed.

``python -m tests.soak.schedulers SOCKET COUNT STOPS KILLS VARIANT`` prints a JSON `Outcome`. Each scheduler is a child
that syncs two sources as fast as it can, under leases of 0.2 s, from an upstream that always has something new. At
random moments one is stopped (SIGSTOP) for two to four times as long and goes on (SIGCONT), or is killed and replaced.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from collections import Counter
from multiprocessing.context import ForkProcess
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import redis as synchronous
import structlog
from msgspec import Struct
from redis.asyncio import Redis

from catalog_service.store import keys
from catalog_service.store.connect import Store
from catalog_service.store.leases import Lease, Leases
from catalog_service.sync.run import run_source
from scrapers.upstream import Response
from tests.api_client import START
from tests.invariants import Acknowledged, Seen, broken
from tests.local_source import Clock, Shelf, body, local_source
from tests.mortals import forked
from tests.torn import leases_alone

NAMES = ("one", "two")
TTL_S = 0.2
STOP_S = (2 * TTL_S, 4 * TTL_S)
BUSY_S = 0.02
UPSTREAM_S = 0.01
SERIALS_A_S = 100
SEED = 7
LIFE_S = 300
"""A child whose parent was killed ends by itself."""


class Refused(Struct, frozen=True, tag=True):
    """A run that was refused because another runner had taken over."""

    source: str


class Told(Acknowledged, frozen=True, tag=True):
    """An acknowledgement."""


class Outcome(Struct, frozen=True):
    """What came of it all."""

    stops: int
    kills: int
    versions: int
    acknowledged: int
    refused: int
    """Runs of a scheduler that had slept past its lease."""
    fences: int
    violations: tuple[str, ...]
    seconds: float


class Newest(Shelf):
    """An upstream that takes a moment, and has something new each time."""

    def __init__(self, begun_s: float) -> None:
        super().__init__()
        self._begun_s = begun_s

    async def get(self, url: str, **asked: Any) -> Response | None:
        serial = int((time.monotonic() - self._begun_s) * SERIALS_A_S)
        tags = {f"t{one}": [f"20.{one}.0.0/16"] for one in range(30)}
        self.bodies[url] = body({**tags, "new": [f"40.{serial // 250}.{serial % 250}.0/24"]})
        await asyncio.sleep(UPSTREAM_S)
        return await super().get(url, **asked)


class Noted(Leases):
    """Leases that remember the newest fence of each source."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis, TTL_S)
        self.fences: dict[str, int] = {}

    async def acquire(self, source: str) -> Lease | None:
        lease = await super().acquire(source)
        if lease:
            self.fences[source] = lease.fence
        return lease


def schedule(socket: str, log: Path, begun_s: float, alone: bool) -> None:
    """Sync for ever."""
    signal.alarm(LIFE_S)
    asyncio.run(_schedule(socket, log, begun_s, alone))


async def _schedule(socket: str, log: Path, begun_s: float, alone: bool) -> None:
    upstream, clock = Newest(begun_s), Clock(START)
    async with Redis(unix_socket_path=socket) as redis:
        store = leases_alone(redis) if alone else Store(redis)
        store.leases = leases = Noted(redis)
        with log.open("ab", buffering=0) as said:
            while True:
                for name in NAMES:
                    outcome = await run_source(local_source(name), upstream, store, clock)
                    if outcome.version:
                        digest = (await store.versions.version(outcome.version)).digest
                        told = Told(name, outcome.version, digest, leases.fences[name])
                        said.write(msgspec.json.encode(told) + b"\n")
                    elif outcome.result == "busy" and outcome.code:
                        said.write(msgspec.json.encode(Refused(name)) + b"\n")
                    await asyncio.sleep(BUSY_S if outcome.result == "busy" else 0)


def torment(crew: list[ForkProcess], again: Any, random: Random, stops: int, kills: int, redis: Any) -> list[int]:
    """Stop and kill schedulers in turn; return the heads that were seen meanwhile."""
    heads, faults = [], [*["stop"] * stops, *["kill"] * kills]
    random.shuffle(faults)
    stopped: dict[int, float] = {}
    while faults or stopped:
        heads.append(int(redis.get(keys.HEAD) or 0))
        time.sleep(random.uniform(0.01, 0.06))
        now = time.monotonic()
        for place in [one for one, until in stopped.items() if until <= now]:
            os.kill(crew[place].pid or 0, signal.SIGCONT)
            del stopped[place]
        place = random.randrange(len(crew))
        if place in stopped or not faults:
            continue
        if faults.pop() == "stop":
            os.kill(crew[place].pid or 0, signal.SIGSTOP)
            stopped[place] = now + random.uniform(*STOP_S)
        else:
            crew[place].kill()
            crew[place].join()
            crew[place] = again()
    return heads


def main() -> None:
    socket, count, stops, kills, variant = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    gc.freeze()
    begun_s, log = time.monotonic(), Path(socket).with_name(f"told-{os.getpid()}")
    log.touch()

    def again() -> ForkProcess:
        child = forked.Process(target=schedule, args=(socket, log, begun_s, variant == "alone"), daemon=True)
        child.start()
        return child

    with synchronous.Redis(unix_socket_path=socket) as redis:
        redis.flushall()
        crew = [again() for _ in range(count)]
        heads = torment(crew, again, Random(SEED), stops, kills, redis)
        alive = [one.is_alive() for one in crew]
        for one in crew:
            one.kill()
            one.join()
    lines = [msgspec.json.decode(line, type=Told | Refused) for line in log.read_bytes().splitlines()]
    told = tuple(one for one in lines if isinstance(one, Told))
    violations, head, fences = asyncio.run(_judged(socket, Seen(told, tuple(heads))))
    violations += tuple(f"scheduler {place} ended by itself" for place, lives in enumerate(alive) if not lives)
    outcome = Outcome(
        stops=stops,
        kills=kills,
        versions=head,
        acknowledged=len(told),
        refused=Counter(type(one) for one in lines)[Refused],
        fences=fences,
        violations=violations,
        seconds=round(time.monotonic() - begun_s, 1),
    )
    print(msgspec.json.encode(outcome).decode())


async def _judged(socket: str, seen: Seen) -> tuple[tuple[str, ...], int, int]:
    async with Redis(unix_socket_path=socket) as redis:
        store = Store(redis)
        limits = {name: local_source(name).guard for name in NAMES}
        fences = sum(map(int, await redis.hvals(keys.FENCES)))
        return await broken(store, limits, seen), await store.versions.head(), fences


if __name__ == "__main__":
    main()
