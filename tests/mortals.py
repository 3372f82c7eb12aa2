"""Workers that die on command, receivers that fail now and then, and those who commit: children of tests/notify_crash.py.

Each function that a child runs takes a `Stage`; a child whose parent was killed ends by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import ForkProcess
from pathlib import Path
from random import Random
from typing import Any
from urllib.request import Request, urlopen

import msgspec
from aiohttp import web
from msgspec import Struct
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import UnixDomainSocketConnection
from redis.exceptions import RedisError

from catalog_service.notify.client import Answer, Client
from catalog_service.store import codec, keys
from catalog_service.store.connect import Store, open_store
from catalog_service.store.queues import Addressed, Claimed, Queues
from schema.endpoint_set import content_digest
from schema.event import Place
from schema.subscription import Status
from tests.api_client import START, commit
from tests.receivers import loopback
from tests.surely import Arrival, Left, Step, subscriptions
from tests.telling import Receiver, receiving, subscribed, worker

FACTOR = 1000
"""So much faster than ours is the workers' clock: the first retry comes after 5 ms, the second after 300."""
CLAIM_FOR = timedelta(seconds=300)
"""0.3 s of ours."""
LONG_CLAIM = timedelta(seconds=3000)
TIMEOUT_S = 0.2
LIFE_S = (0.02, 0.12)
"""Of a worker that dies at any moment."""
EXACT_LIFE_S = 0.15
"""Of one that dies at an exact step: until then."""
STALL_S = 0.4
"""Longer than a claim."""
CHILD_MOST_S = 90
"""A child whose parent was killed ends by itself."""
forked = multiprocessing.get_context("fork")


class Death(Struct, frozen=True):
    """Where a worker dies: at the n-th of a step, or so many steps of any kind ``after`` it."""

    at: str = ""
    """``send``, ``reply``: of Redis; ``post``, ``answered``: of a receiver. Empty: when it is told to."""
    count: int = 1
    after: int = 0
    is_stall: bool = False
    """It does not die but stands still for longer than its claim lasts, and then goes on."""


class Life:
    """How far this process has come."""

    death = Death()
    dies_in: int | None = None
    seen = 0
    said: Pipe

    @classmethod
    def step(cls, name: str) -> None:
        if cls.dies_in is None and name == cls.death.at:
            cls.seen += 1
            cls.dies_in = cls.death.after if cls.seen == cls.death.count else None
        elif cls.dies_in is not None:
            cls.dies_in -= 1
        if cls.dies_in == 0:
            cls._end()

    @classmethod
    def _end(cls) -> None:
        cls.said.send("stall" if cls.death.is_stall else f"{cls.death.at}+{cls.death.after}")
        if cls.death.is_stall:
            time.sleep(STALL_S)  # all of the process, as when a machine is suspended
        else:
            os.kill(os.getpid(), signal.SIGKILL)


class DyingConnection(UnixDomainSocketConnection):
    """A connection to Redis that may be the last thing its process sees."""

    async def send_packed_command(self, *args: Any, **options: Any) -> None:
        Life.step("send")
        await super().send_packed_command(*args, **options)

    async def read_response(self, *args: Any, **options: Any) -> Any:
        reply = await super().read_response(*args, **options)
        Life.step("reply")
        return reply


class DyingClient(Client):
    """A client of receivers, as `DyingConnection`."""

    async def post(self, url: str, body: bytes, headers: tuple[tuple[str, str], ...], now: datetime) -> Answer:
        Life.step("post")
        answer = await super().post(url, body, headers, now)
        Life.step("answered")
        return answer


class AcknowledgesFirst(Queues):
    """Wrong on purpose: what is claimed leaves the queue before it is sent."""

    async def claim(self, token: str, now: datetime, until: datetime, count: int) -> Claimed:
        found = await super().claim(token, now, until, count)
        for claim in found.claims:
            await self._ask("LPOP", keys.queue(claim.subscription.id))
        return found


class MovesFirst(Queues):
    """Wrong on purpose: the relay's place moves in one step, the queues are filled in others."""

    async def relay(self, before: Place, after: Place, items: Sequence[Addressed]) -> bool:
        await self._ask("SET", keys.RELAYED, str(after))
        for one in items:
            await self._ask("RPUSH", keys.queue(one.subscription), codec.pack(one.item))
            await self._ask("ZADD", keys.DUE, "NX", int(one.due_at.timestamp() * 1000), one.subscription)
        return True


VARIANTS: dict[str, type[Queues]] = {
    "right": Queues,
    "acknowledges-first": AcknowledgesFirst,
    "moves-first": MovesFirst,
}


class FastClock(Struct, frozen=True):
    """A clock that all processes share, `FACTOR` times as fast as ours."""

    begun_s: float

    def __call__(self) -> datetime:
        return START + timedelta(seconds=(time.monotonic() - self.begun_s) * FACTOR)


class Stage(Struct, frozen=True):
    """Where it all happens."""

    socket: Path
    port: int
    clock: FastClock
    steps: tuple[Step, ...]
    queues: type[Queues] = Queues

    def forked(self, work: Callable[..., None], *args: object) -> ForkProcess:
        child = forked.Process(target=_child, args=(work, self, *args), daemon=True)
        child.start()
        return child


def _child(work: Callable[..., None], *args: object) -> None:
    signal.alarm(CHILD_MOST_S)
    work(*args)


# Receivers


def receive(said: Pipe, seed: int) -> None:
    """Answer for ever: mostly 204, sometimes slowly, late, not at all, or 500; POST /arrivals asks what came."""
    signal.alarm(CHILD_MOST_S)
    asyncio.run(_receive(said, Random(seed)))


async def _receive(said: Pipe, random: Random) -> None:
    arrivals: list[Arrival] = []
    failures: Counter[str] = Counter()

    async def take(request: web.Request) -> web.StreamResponse:
        body, name = await request.read(), request.path[1:]
        kind = random.random()
        is_taken = kind >= 0.15 or failures[name] == 2  # the third retry would be after 1.8 s
        failures[name] = 0 if is_taken else failures[name] + 1
        versions = tuple(msgspec.json.decode(body)["data"]["versions"])
        told = Arrival(name, request.headers["webhook-id"], versions, hashlib.sha256(body).hexdigest()[:12], is_taken)
        arrivals.append(told)
        if not is_taken and kind < 0.05:
            assert request.transport
            request.transport.close()
        elif kind > 0.9:
            await asyncio.sleep((kind - 0.9) * 30 * TIMEOUT_S / 2)  # up to one and a half times what is waited for
        return web.Response(status=204 if is_taken else 500)

    async def tell(_: web.Request) -> web.StreamResponse:
        return web.Response(body=msgspec.json.encode(arrivals))

    async with receiving() as receiver:
        receiver.replies["/arrivals"] = [tell]
        receiver.replies.update({f"/{one.id}": [take] for one in subscriptions(receiver.url)})
        said.send(receiver.port)
        await asyncio.Event().wait()


def arrived(port: int) -> list[Arrival]:
    with urlopen(Request(f"http://127.0.0.1:{port}/arrivals", method="POST"), timeout=10) as answer:
        return msgspec.json.decode(answer.read(), type=list[Arrival])


@contextlib.contextmanager
def receiver_of(seed: int) -> Iterator[int]:
    """Give the port of receivers in a process of their own."""
    told, said = forked.Pipe(duplex=False)
    child = forked.Process(target=receive, args=(said, seed), daemon=True)
    child.start()
    said.close()  # so that its end is seen
    try:
        port: int = told.recv()
        yield port
    finally:
        child.kill()
        child.join()


# Those who commit and tell


def tell(stage: Stage, death: Death, said: Pipe) -> None:
    """Be a worker until death."""
    Life.death, Life.said = death, said
    asyncio.run(_tell(stage))


async def _tell(stage: Stage) -> None:
    pool = BlockingConnectionPool(connection_class=DyingConnection, path=str(stage.socket), max_connections=32)
    async with Redis.from_pool(pool) as redis, DyingClient(loopback(stage.port), timeout_s=TIMEOUT_S) as client:
        store = Store(redis)
        store.queues = stage.queues(redis, 50)
        await worker(store, stage.clock, client, CLAIM_FOR).run()


def tell_long(stage: Stage) -> None:
    """Be a worker as the service has one."""

    async def run() -> None:
        async with _store(stage) as store, Client(loopback(stage.port), timeout_s=TIMEOUT_S) as client:
            await worker(store, stage.clock, client, LONG_CLAIM).run()

    asyncio.run(run())


def publish(stage: Stage, first: int, count: int) -> None:
    """Commit ``count`` versions from the one after ``first`` on."""

    async def run() -> None:
        async with _store(stage) as store:
            for step in stage.steps[first : first + count]:
                await _published(store, step, stage.clock)

    asyncio.run(run())


async def _published(store: Store, step: Step, clock: FastClock) -> None:
    """Commit until it is seen to be: a reply that was lost says nothing."""
    while True:
        try:
            content = await store.contents.content(step.source)
            if content and content.version.digest == step.digest:
                return
            await store.redis.delete(keys.lease(step.source))  # of an attempt that broke off
            await commit(store, step.source, step.records, clock())
        except (RedisError, OSError):
            continue


async def prepare(stage: Stage) -> None:
    async with _store(stage) as store:
        await store.redis.flushall()
        await store.ping()
        for one in subscriptions(_url(stage)):
            await subscribed(store, one)
        await store.queues.skip(Place(0))


async def drain(stage: Stage) -> Left:
    """Tell in peace what is left to tell, for 60 s at most."""
    async with _store(stage) as store, Client(loopback(stage.port), timeout_s=TIMEOUT_S) as client:
        store.queues = stage.queues(store.redis, 50)
        quiet = worker(store, stage.clock, client, CLAIM_FOR)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60):
                while (left := await _left(store, stage)).relayed < len(stage.steps) or left.waiting or left.due:
                    await quiet.once()
                    await asyncio.sleep(0.02)  # 20 s of its clock
        return await _left(store, stage)


async def _left(store: Store, stage: Stage) -> Left:
    made = await store.subscriptions.all()
    versions = await store.versions.after(0, len(stage.steps) + 1)
    contents = [await store.contents.content_of(one) for one in versions]
    return Left(
        is_whole=[content_digest(one.endpoint_sets) for one in contents] == [step.digest for step in stage.steps],
        relayed=(await store.queues.relayed()).version,
        waiting=sum([(await store.queues.counts(one.id))[0] for one in made]),
        dead=sum([await store.deliveries.dead_count(one.id) for one in made]),
        due=int(await store.redis.zcard(keys.DUE)),
        claims=int(await store.redis.hlen(keys.CLAIMS)),
        inactive=sum(one.status is not Status.ACTIVE for one in made),
    )


def _store(stage: Stage) -> contextlib.AbstractAsyncContextManager[Store]:
    return open_store(f"unix://{stage.socket}", stage.socket.parent, service=False)


def _url(stage: Stage) -> Callable[[str], str]:
    receiver = Receiver()
    receiver.port = stage.port
    return receiver.url
