"""Run as a process: who fetches, parses, commits, fans out and delivers is killed at every step of it, one after another.

``python -m tests.soak.kills SOCKET RUNS VARIANT`` prints a JSON `Outcome`. Each run is a child that publishes the next
document of a source and tells subscribers of it; it kills itself before the n-th of its steps: a request to upstream or
a subscriber, its answer, a parse, a command to Redis, its reply. After each the invariants are checked, the dead
runner's lease is taken away, which would be over in a minute, and nothing else is repaired: the next run goes on from there. The parent does nothing but fork and check.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from redis.asyncio import Redis

from catalog_service.notify.client import Answer, Client
from catalog_service.store import keys
from catalog_service.store.connect import Store
from catalog_service.sync.run import run_source
from schema.document import Document, Reading
from schema.event import Place
from schema.subscription import Subscription
from scrapers.source import Source
from scrapers.upstream import Response
from tests.api_client import PAGE, START, TAGS
from tests.invariants import Acknowledged, Seen, broken, untold
from tests.local_source import Clock, Shelf, body, local_source, parse
from tests.mortals import TIMEOUT_S, arrived, receiver_of
from tests.receivers import loopback
from tests.surely import duplicates, subscriptions
from tests.telling import subscribed, worker
from tests.torn import torn

NAMES = (TAGS, PAGE, "a-third")
WANTED: Mapping[str, tuple[str, ...]] = {"sub_all": NAMES, "sub_tags": (TAGS,), "sub_page": (PAGE,), "sub_thin": NAMES}
ROUND = timedelta(minutes=10)
"""Between two runs, by their clock: longer than a claim, and than the first retries."""


class Outcome(Struct, frozen=True):
    """What came of it all."""

    runs: int
    deaths: dict[str, int]
    """By the stage that was died in; "lived": that step did not come."""
    steps: int
    """Of a run that lives."""
    versions: int
    acknowledged: int
    arrivals: int
    duplicates: int
    violations: tuple[str, ...]
    seconds: float


class Life:
    """How far this process has come."""

    stage = "fetch"
    dies_in = ""
    dies_at = 0
    steps: Counter[str]

    @classmethod
    def live_or_die(cls) -> None:
        cls.steps[cls.stage] += 1
        if (cls.stage, cls.steps[cls.stage]) == (cls.dies_in, cls.dies_at):
            os.kill(os.getpid(), signal.SIGKILL)


class DyingRedis(Redis):
    """A client whose process may die before a command is sent, or after its reply."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        Life.live_or_die()
        reply = await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        Life.live_or_die()
        return reply


class DyingClient(Client):
    """A client of subscribers, as `DyingRedis`."""

    async def post(self, url: str, body: bytes, headers: tuple[tuple[str, str], ...], now: Any) -> Answer:
        Life.live_or_die()
        answer = await super().post(url, body, headers, now)
        Life.live_or_die()
        return answer


class DyingShelf(Shelf):
    """An upstream, as `DyingRedis`."""

    async def get(self, url: str, **asked: Any) -> Response | None:
        Life.live_or_die()
        answer = await super().get(url, **asked)
        Life.live_or_die()
        return answer


def dying_parse(source: Source, document: Document) -> Reading:
    """Parse, as `DyingRedis`; what follows is the commit."""
    Life.stage = "parse"
    Life.live_or_die()
    reading = parse(source, document)
    Life.live_or_die()
    Life.stage = "commit"
    return reading


class Stage(Struct, frozen=True):
    """Where it all happens."""

    socket: str
    port: int
    log: Path
    """What was acknowledged, a line each; written by those who were told, before they go on."""
    is_torn: bool

    def store(self, redis: Redis) -> Store:
        return torn(redis) if self.is_torn else Store(redis)


def child(stage: Stage, number: int, dies_in: str = "", dies_at: int = 0) -> dict[str, int]:
    """Do the ``number``-th run in a child that dies at that step of that stage; else return its steps by stage."""
    told, said = os.pipe()
    if (pid := os.fork()) == 0:
        Life.steps, Life.dies_in, Life.dies_at = Counter(), dies_in, dies_at
        asyncio.run(publish_and_tell(stage, number))
        os.write(said, msgspec.json.encode(Life.steps))
        os._exit(0)
    os.close(said)
    _, status = os.waitpid(pid, 0)
    with os.fdopen(told, "rb") as pipe:
        steps = pipe.read()
    assert os.WIFSIGNALED(status) or status == 0, f"run {number} failed by itself"
    return msgspec.json.decode(steps, type=dict[str, int]) if steps else {}


async def publish_and_tell(stage: Stage, number: int) -> None:
    clock = Clock(START + number * ROUND)
    source = replace(local_source(NAMES[number % len(NAMES)]), parse=dying_parse)
    shelf = DyingShelf()
    shelf.bodies[source.url] = document(number)
    async with (
        DyingRedis(unix_socket_path=stage.socket) as redis,
        DyingClient(loopback(stage.port), timeout_s=TIMEOUT_S) as client,
    ):
        store = stage.store(redis)
        outcome = await run_source(source, shelf, store, clock)
        if outcome.version:
            made = await Store(redis).versions.version(outcome.version)
            acknowledged = Acknowledged(made.source, made.version, made.digest)
            with stage.log.open("ab") as log:
                log.write(msgspec.json.encode(acknowledged) + b"\n")
        notifier = worker(store, clock, client)
        Life.stage = "fan-out"
        await notifier._relay.once()
        Life.stage = "delivery"
        await notifier.once()


def document(number: int) -> bytes:
    """What upstream has at run ``number``: thirty tags, one of them new each time."""
    tags = {f"t{one}": [f"20.{one}.0.0/16"] for one in range(30)}
    return body({**tags, "new": [f"40.{number // 250}.{number % 250}.0/24"]})


def aimed(steps: Mapping[str, int], runs: int) -> list[tuple[str, int]]:
    """Return where each run dies: stages by turns, so that each has its share, and the steps of one by turns."""
    rounds = zip(
        *(itertools.islice(itertools.cycle(range(1, count + 1)), runs) for count in steps.values()), strict=True
    )
    return [(name, at) for ats in rounds for name, at in zip(steps, ats, strict=True)][:runs]


async def begin(stage: Stage) -> None:
    async with Redis(unix_socket_path=stage.socket) as redis:
        await redis.flushall()
        store = Store(redis)
        await store.ping()
        for one in made(stage):
            await subscribed(store, one)
        await store.queues.skip(Place(0))


def made(stage: Stage) -> tuple[Subscription, ...]:
    every = subscriptions(lambda path: f"http://127.0.0.1:{stage.port}{path}")
    return tuple(one for one in every if one.id in WANTED)


async def after(stage: Stage, heads: list[int]) -> tuple[str, ...]:
    """Return what is broken after a run; the dead runner's lease is over."""
    async with Redis(unix_socket_path=stage.socket) as redis:
        for name in NAMES:
            await redis.delete(keys.lease(name))
        store = Store(redis)
        limits = {name: local_source(name).guard for name in NAMES}
        since = heads[-1] if heads else 0
        found = await broken(store, limits, Seen(acknowledged(stage), tuple(heads)), after=since)
        heads.append(await store.versions.head())
        return found


def acknowledged(stage: Stage) -> tuple[Acknowledged, ...]:
    lines = stage.log.read_bytes().splitlines() if stage.log.exists() else []
    return tuple(msgspec.json.decode(line, type=Acknowledged) for line in lines)


async def finish(stage: Stage, runs: int, heads: list[int]) -> tuple[int, list[str]]:
    """Tell in peace what is left to tell; return the head, and what is broken in all of it."""
    async with (
        Redis(unix_socket_path=stage.socket) as redis,
        Client(loopback(stage.port), timeout_s=TIMEOUT_S) as client,
    ):
        store, clock = Store(redis), Clock(START + runs * ROUND)
        notifier = worker(store, clock, client)
        for _ in range(100):  # an hour a time: retries that failed are due again
            clock.forward(hours=1)
            await notifier.once()
            if not await redis.zcard(keys.DUE):
                break
        found = list(await broken(store, {}, Seen(acknowledged(stage), tuple(heads))))
        versions = await store.versions.after(0, runs + 1)
        arrivals = arrived(stage.port)
        for id_, sources in WANTED.items():
            wanted = [one.version for one in versions if one.source in sources]
            mine = [one for one in arrivals if one.subscription == id_]
            found += [f"{id_}: {what}" for what in untold(wanted, mine)]
        return await store.versions.head(), found


def main() -> None:
    socket, runs, variant = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    gc.freeze()  # what was imported is shared by all children
    begun_s, deaths, heads, violations = time.monotonic(), Counter[str](), list[int](), list[str]()
    with receiver_of(runs) as port:
        stage = Stage(socket, port, Path(socket).with_name(f"acknowledged-{os.getpid()}"), variant == "torn")
        asyncio.run(begin(stage))
        steps = child(stage, 0)
        targets = aimed(steps, runs)
        violations += asyncio.run(after(stage, heads))
        for number in range(1, runs + 1):
            dies_in, dies_at = targets[number - 1]
            lived = child(stage, number, dies_in, dies_at)
            deaths["lived" if lived else dies_in] += 1
            violations += [f"run {number}, killed in {dies_in}: {one}" for one in asyncio.run(after(stage, heads))]
            if violations and stage.is_torn:
                break
        head, left = (heads[-1], []) if violations else asyncio.run(finish(stage, runs, heads))
        arrivals = arrived(port)
        outcome = Outcome(
            runs=sum(deaths.values()),
            deaths=dict(deaths),
            steps=sum(steps.values()),
            versions=head,
            acknowledged=len(acknowledged(stage)),
            arrivals=len(arrivals),
            duplicates=duplicates(arrivals),
            violations=(*violations, *left),
            seconds=round(time.monotonic() - begun_s, 1),
        )
    print(msgspec.json.encode(outcome).decode())


if __name__ == "__main__":
    main()
