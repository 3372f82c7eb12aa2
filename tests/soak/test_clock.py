"""Clocks that jump back and forth by an hour, and back by a day, in the middle of everything."""

from __future__ import annotations

import time
from datetime import timedelta
from random import Random

import pytest

from catalog_service.notify.notifier import Notifier
from catalog_service.store import keys
from catalog_service.store.connect import Store
from catalog_service.store.leases import Leases
from catalog_service.sync.run import run_source
from catalog_service.sync.scheduler import due_in_s
from schema.event import Place
from tests.invariants import Acknowledged, Seen, broken, untold
from tests.local_source import Clock, Shelf, body, local_source
from tests.soak.report import Row, keep
from tests.surely import Arrival
from tests.telling import Receiver, notifying, subscribed, subscription

pytestmark = pytest.mark.soak
SOURCE = local_source()
OFF = (timedelta(), timedelta(hours=1), timedelta(hours=-1), timedelta(days=-1))
"""What a clock says beside the time."""
RUNS = 200


async def told(notifier: Notifier, store: Store, clock: Clock) -> None:
    """Tell until nothing is due, with a clock that goes on."""
    for _ in range(200):
        await notifier.once()
        if not await store.redis.zcard(keys.DUE):
            return
        clock.forward(hours=1)
    pytest.fail("it never ends")


async def is_refused(store: Store, clock: Clock) -> bool:
    """Tell whether a run is refused while another has the lease."""
    async with Leases(store.redis).hold(SOURCE.name) as lease:
        assert lease
        return (await run_source(SOURCE, Shelf(), store, clock)).result == "busy"


async def published(store: Store, clock: Clock, number: int) -> Acknowledged:
    """Sync what upstream has as its document ``number``; it is the version after it."""
    shelf, tags = Shelf(), {f"t{one}": [f"20.{one}.0.0/16"] for one in range(30)}
    shelf.bodies[SOURCE.url] = body({**tags, "new": [f"40.{number // 250}.{number % 250}.0/24"]})
    outcome = await run_source(SOURCE, shelf, store, clock)
    assert outcome.version == number + 1
    made = await store.versions.version(outcome.version)
    return Acknowledged(SOURCE.name, made.version, made.digest)


async def test_clocks_that_jump(store: Store, receiver: Receiver) -> None:
    """Versions stay in line, a lease is held by Redis' time, and what waits is told in order under one id."""
    random, clock, begun_s = Random(11), Clock(), time.monotonic()
    acknowledged, refused, time_ = [], 0, clock.now
    replies = [*(500 if random.random() < 0.2 else 204 for _ in range(4 * RUNS)), 204]
    receiver.replies["/hook"] = [*replies]
    await store.queues.skip(Place(0))
    await subscribed(store, subscription("sub_a", receiver.url()))
    async with notifying(store, clock, (receiver.port,)) as notifier:
        for number in range(RUNS):
            clock.now = time_ + random.choice(OFF)
            refused += await is_refused(store, clock)
            acknowledged.append(await published(store, clock, number))
            time_ += timedelta(minutes=1)
            clock.now = time_ + random.choice(OFF)
            state = await store.sources.state(SOURCE.name)
            assert due_in_s(SOURCE, state, clock(), 0.5) <= SOURCE.interval_s
            if random.random() < 0.5:
                await notifier.once()
        await told(notifier, store, clock)
    arrivals = [
        Arrival("sub_a", one.id, tuple(one.json["data"]["versions"]), "", is_taken=reply == 204)
        for one, reply in zip(receiver.received, replies, strict=False)
    ]
    found = [*await broken(store, {SOURCE.name: SOURCE.guard}, Seen(tuple(acknowledged)))]
    found += untold(range(1, RUNS + 1), arrivals)
    keep(
        Row(
            name="clock",
            fault="clock jumps back and forth an hour, and a day, between and within runs",
            runs=2 * RUNS,
            lost=len(found),
            refused=refused,
            held="I1 to I5 and I7; leases are held by Redis' time; no source and no delivery waits for ever",
            seconds=round(time.monotonic() - begun_s, 1),
            facts={"POSTs": str(len(arrivals))},
        )
    )
    assert found == []
    assert refused == RUNS
