"""Whatever people do to a subscription meanwhile, and however its receiver fails: each change once by id, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random

import pytest
from aiohttp import web
from msgspec.structs import replace

from catalog_service.notify.notifier import Notifier
from catalog_service.store import keys
from catalog_service.store.connect import Store
from schema.event import EventType, Place
from schema.subscription import Digest, Every, Parcel, QueueItem, Status
from schema.version import AuditEntry
from tests.api_client import START, TAGS, commit, tag
from tests.local_source import Clock
from tests.telling import Received, notifying, receiving, subscribed, subscription

ID = "sub_a"
STEPS = 60
EDITS: tuple[dict[str, object], ...] = (
    {"digest": None},
    {"digest": Digest(Every.DAILY)},
    {"settle_s": 0},
    {"settle_s": 600},
    {"status": Status.PAUSED},
    {"status": Status.ACTIVE},
    {"status": Status.ACTIVE},
)


async def edit(store: Store, clock: Clock, *, anew: bool, **changes: object) -> None:
    entry = AuditEntry(clock(), "a test", "subscription-edit", ID, "", "")
    before = await store.subscriptions.get(ID)
    while not await store.subscriptions.replace(before, replace(before, **changes), entry, anew=anew):
        before = await store.subscriptions.get(ID)


async def ping(store: Store, clock: Clock, nonce: str) -> None:
    item = QueueItem(Parcel(Place(0), Place(0), ping=nonce), EventType.PING, clock(), settled=True)
    entry = AuditEntry(clock(), "a test", "subscription-test", ID, "", "")
    await store.queues.put(ID, [item], clock(), entry, front=True)


async def happen(random: Random, store: Store, clock: Clock, workers: Sequence[Notifier]) -> int:
    """Let something happen again and again, while workers tell of it; how many versions were committed."""
    telling: set[asyncio.Task[None]] = set()
    count = 0
    for step in range(STEPS):
        match random.choices(("commit", "edit", "ping", "later"), (35, 30, 5, 30))[0]:
            case "commit":
                count += 1
                await commit(store, TAGS, (tag("Sql", *(f"20.{one}.0.0/16" for one in range(count))),), clock())
            case "edit":
                await edit(store, clock, anew=random.random() < 0.3, **random.choice(EDITS))
            case "ping":
                await ping(store, clock, str(step))
            case "later":
                clock.forward(seconds=random.choice((1, 5, 30, 400, 4000)))
        if random.random() < 0.6:
            telling.add(begun := asyncio.create_task(random.choice(workers).once()))
            if random.random() < 0.7:
                await begun
    await asyncio.gather(*telling)
    return count


def told(received: Sequence[Received]) -> list[list[int]]:
    """The versions of each message, as who dedupes by id sees them."""
    firsts: dict[str, Received] = {}
    for one in received:
        firsts.setdefault(one.id, one)
    messages = (one.json for one in firsts.values())
    return [one["data"]["versions"] for one in messages if one["type"] == EventType.COMMITTED]


@pytest.mark.parametrize("seed", range(8))
async def test_each_change_once_and_in_order(store: Store, seed: int) -> None:
    """Two workers, failures, edits, pauses, digests and tests: none is lost, none has two ids, nothing stays behind."""
    random, clock = Random(seed), Clock(START)

    async def now_and_then(_: web.Request) -> web.StreamResponse:
        return web.Response(status=random.choice((204, 204, 500, 429)))

    async with (
        receiving() as receiver,
        notifying(store, clock, (receiver.port,)) as one,
        notifying(store, clock, (receiver.port,)) as other,
    ):
        receiver.replies["/hook"] = [now_and_then]
        await store.queues.skip(Place(0))
        await subscribed(store, subscription(ID, receiver.url()))
        count = await asyncio.wait_for(happen(random, store, clock, (one, other)), 60)
        receiver.replies["/hook"] = [204]
        await edit(store, clock, anew=True, status=Status.ACTIVE)
        for _ in range(3):
            clock.forward(days=1, hours=1)
            await asyncio.wait_for(one.once(), 20)
    assert [number for versions in told(receiver.received) for number in versions] == list(range(1, count + 1))
    assert not await store.redis.exists(keys.DUE, keys.CLAIMS, keys.TRYING, keys.queue(ID))
