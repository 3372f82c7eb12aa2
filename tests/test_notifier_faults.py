"""One subscription's trouble, or an end in the middle of things, and what others notice of it: nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web
from msgspec.structs import replace

from catalog_service.notify.channels.apprise import Apprise, apprise_installed
from catalog_service.notify.notifier import Notifier
from catalog_service.notify.settler import Settler
from catalog_service.notify.settling import Tried, settled
from catalog_service.store import codec, keys
from catalog_service.store.connect import Store
from catalog_service.subscriptions.targets import Policy
from catalog_service.subscriptions.vault import Vault
from catalog_service.tasks import stop
from schema.errors import DeliveryError
from schema.event import EventType, Place
from schema.subscription import Attempt, DeliveryState, Digest, EventFilter, Every, Parcel, QueueItem, Status
from schema.version import AuditEntry
from tests.api_client import DAY, PAGE, PAGE_HELD, START, TAGS, TAGS_1, TAGS_2, commit, hold, published
from tests.local_source import Clock
from tests.messages import ping
from tests.telling import KEY, SECRET, Receiver, notifying, subscribed, subscription

ENTRY = AuditEntry(START, "a test", "subscription-test", "sub_a", "", "")


async def both(store: Store, receiver: Receiver) -> None:
    """Subscribe one that is in trouble, and one that is not."""
    await subscribed(store, subscription("sub_a", receiver.url("/a")))
    await subscribed(store, subscription("sub_b", receiver.url("/b")))


@pytest.mark.parametrize("key", [keys.SUBSCRIPTIONS, keys.TRYING, keys.HEALTHS, keys.SEALED])
async def test_what_is_damaged_is_its_own_trouble(
    store: Store, receiver: Receiver, notifier: Notifier, key: str
) -> None:
    """Whatever of a subscription cannot be read, the others are told."""
    await both(store, receiver)
    await store.redis.hset(key, "sub_a", b"\xc1")
    await published(store)
    await notifier.once()
    assert [one.version for one in receiver.received] == [1, 2, 3]
    assert {one.path for one in receiver.received} == {"/b"}


async def test_a_damaged_queue_is_its_own_trouble(store: Store, receiver: Receiver, notifier: Notifier) -> None:
    """An item that cannot be read holds up its own queue alone."""
    await both(store, receiver)
    await store.redis.rpush(keys.queue("sub_a"), b"\xc1")
    await published(store)
    await notifier.once()
    assert [one.path for one in receiver.received] == ["/b"] * 3


async def test_a_damaged_filter_keeps_everything(store: Store, receiver: Receiver, notifier: Notifier) -> None:
    """Too much beats nothing: as where the saved filter is gone."""
    await subscribed(store, subscription("sub_a", receiver.url("/a"), saved_filter="odd"))
    await store.redis.hset(keys.FILTERS, "odd", b"\xc1")
    await published(store)
    await notifier.once()
    assert [one.version for one in receiver.received] == [1, 2, 3]


async def test_a_zone_that_is_gone_is_its_own_trouble(store: Store, receiver: Receiver, notifier: Notifier) -> None:
    """A digest whose zone this machine does not know fails, as its log says; the others are told."""
    await subscribed(store, subscription("sub_a", receiver.url("/a"), digest=Digest(Every.DAILY, zone="Nowhere/Gone")))
    await subscribed(store, subscription("sub_b", receiver.url("/b")))
    await published(store)
    await notifier.once()
    assert [one.path for one in receiver.received] == ["/b"] * 3
    assert "ZoneInfoNotFoundError" in (await store.subscriptions.health("sub_a")).error


async def test_what_cannot_be_sent_is_tried_on_the_schedule(
    store: Store, receiver: Receiver, notifier: Notifier, clock: Clock
) -> None:
    """A fault of the catalogue's own is a failed attempt: it is logged, and not tried every minute for ever."""
    await both(store, receiver)
    sealed = Vault(KEY).seal_new("sub_a", SECRET, receiver.url("/a"), ())
    odd = replace(sealed, headers=Vault(KEY).seal(b"\x01", "sub_a"))
    one = await store.subscriptions.get("sub_a")
    assert await store.subscriptions.replace(one, one, ENTRY, sealed=odd)
    await commit(store, TAGS, TAGS_1, START)
    await notifier.once()
    (failed,) = await store.deliveries.newest("sub_a")
    assert (failed.state, failed.next_at) == (DeliveryState.RETRYING, clock() + timedelta(seconds=5))
    assert failed.attempts[0].error == "the catalogue itself failed: ValidationError"
    assert [one.path for one in receiver.received] == ["/b"]


async def test_what_is_on_its_way_at_the_end_is_settled(store: Store, receiver: Receiver, clock: Clock) -> None:
    """A worker that is stopped, and told so again and again, takes the answer it waits for, and notes it down."""
    asked, release = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        asked.set()
        await release.wait()
        return web.Response(status=204)

    await subscribed(store, subscription("sub_a", receiver.url()))
    receiver.replies["/hook"] = [slow]
    async with notifying(store, clock, (receiver.port,)) as worker:
        await store.queues.skip(Place(0))
        await commit(store, TAGS, TAGS_1, START)
        running = asyncio.create_task(worker.run())
        await asyncio.wait_for(asked.wait(), 10)
        stopping = asyncio.create_task(stop(running))
        await asyncio.wait({running}, timeout=0.5)  # `stop` cancels every 0.1 s
        release.set()
        await stopping
        await worker.once()
    assert [one.state for one in await store.deliveries.newest("sub_a")] == [DeliveryState.DELIVERED]
    assert len(receiver.received) == 1


async def test_what_is_not_through_at_the_end_is_given_back(store: Store, receiver: Receiver, clock: Clock) -> None:
    """Another worker sends it at once, and need not wait for the claim to end."""
    asked, release = asyncio.Event(), asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        asked.set()
        await release.wait()
        return web.Response(status=204)

    await subscribed(store, subscription("sub_a", receiver.url()))
    receiver.replies["/hook"] = [hang, 204]
    async with notifying(store, clock, (receiver.port,)) as worker:
        await store.queues.skip(Place(0))
        await commit(store, TAGS, TAGS_1, START)
        running = asyncio.create_task(worker.run())
        await asyncio.wait_for(asked.wait(), 10)
        await stop(running)
        release.set()
        await worker.once()
    first, again = receiver.received
    assert (first.id, first.version) == (again.id, again.version)


async def test_notices_among_what_settles_keep_their_place(
    store: Store, receiver: Receiver, notifier: Notifier, clock: Clock
) -> None:
    """What is told of a window is in the order of the newest in each, notices too: nothing is told after what follows it."""
    clock.now = START
    types = (EventType.COMMITTED, EventType.HELD)
    await subscribed(store, subscription("sub_a", receiver.url(), settle_s=60, filter=EventFilter(types=types)))
    await commit(store, TAGS, TAGS_1, START)
    await hold(store, PAGE, PAGE_HELD, START)
    await commit(store, TAGS, TAGS_2, START)
    clock.forward(seconds=61)
    await notifier.once()
    assert [one.json["type"] for one in receiver.received] == [EventType.HELD, EventType.COMMITTED]
    assert receiver.received[1].json["data"]["versions"] == [1, 2]


async def test_what_is_not_wanted_any_more_is_not_retried_for_ever_in_the_log(
    store: Store, receiver: Receiver, notifier: Notifier, clock: Clock
) -> None:
    """Between two attempts the filter became another one: the log says that there was nothing to tell."""
    one = await subscribed(store, subscription("sub_a", receiver.url()))
    receiver.replies["/hook"] = [500]
    await commit(store, TAGS, TAGS_1, START)
    await notifier.once()
    assert await store.subscriptions.replace(one, replace(one, filter=EventFilter(sources=(PAGE,))), ENTRY)
    clock.forward(seconds=5)
    await notifier.once()
    (told,) = await store.deliveries.newest("sub_a")
    assert (told.state, len(told.attempts), len(receiver.received)) == (DeliveryState.NOTHING, 1, 1)


@pytest.mark.parametrize("changes", [{"digest": Digest(Every.DAILY)}, {"settle_s": 600}])
async def test_what_was_tried_keeps_its_id(
    store: Store, receiver: Receiver, notifier: Notifier, clock: Clock, changes: dict[str, object]
) -> None:
    """A receiver may have taken it though it failed: it becomes part of no round, whatever is edited, or resumed."""
    one = await subscribed(store, subscription("sub_a", receiver.url()))
    receiver.replies["/hook"] = [500, 204]
    clock.now = START + 3 * DAY
    await published(store)
    await notifier.once()
    paused = replace(one, status=Status.PAUSED, **changes)
    assert await store.subscriptions.replace(one, paused, ENTRY)
    assert await store.subscriptions.replace(paused, replace(paused, status=Status.ACTIVE), ENTRY, anew=True)
    clock.forward(days=2)
    await notifier.once()
    first, again, *rest = receiver.received
    assert (first.id, first.version) == (again.id, again.version)
    assert sorted(number for one in rest for number in one.json["data"]["versions"]) == [2, 3]


async def test_resumed_it_begins_anew_at_once(store: Store) -> None:
    """Whoever claims it right then finds no failure of before: one more would disable it again."""
    one = await subscribed(store, subscription("sub_a", "https://a.example/", status=Status.DISABLED))
    item = QueueItem(Parcel(Place(1), Place(1), TAGS), EventType.COMMITTED, START)
    await store.queues.put("sub_a", [item], START, ENTRY, front=False)
    failing = replace(await store.subscriptions.health("sub_a"), failing_since=START, error="odd", delivered_count=7)
    await store.redis.hset(keys.HEALTHS, "sub_a", codec.pack(failing))
    assert await store.subscriptions.replace(one, replace(one, status=Status.ACTIVE), ENTRY, anew=True)
    (claim,) = (await store.queues.claim("token", START + DAY, START + 2 * DAY, 1)).claims
    assert (claim.health.failing_since, claim.health.error, claim.health.delivered_count) == (None, "", 7)


async def test_a_moment_between_two_milliseconds_is_not_looked_at_twice(
    store: Store, receiver: Receiver, notifier: Notifier, clock: Clock
) -> None:
    """What is due at a part of a millisecond is due at the next one: it is no reason to ask Redis without end."""
    clock.now = START
    await subscribed(store, subscription("sub_a", receiver.url(), settle_s=60))
    await commit(store, TAGS, TAGS_1, START + timedelta(microseconds=700))
    clock.forward(seconds=60, microseconds=300)
    await asyncio.wait_for(notifier.once(), 10)
    assert receiver.received == []
    clock.forward(milliseconds=1)
    await notifier.once()
    assert [one.version for one in receiver.received] == [1]


async def test_nobody_is_told_what_was_before(store: Store, receiver: Receiver, clock: Clock) -> None:
    """The first worker of a catalogue that has versions begins after them."""
    await published(store)
    await subscribed(store, subscription("sub_a", receiver.url()))
    async with notifying(store, clock, (receiver.port,)) as worker:
        running = asyncio.create_task(worker.run())
        while await store.queues.relayed() == Place(0):
            await asyncio.sleep(0)
        await commit(store, PAGE, PAGE_HELD, START + 3 * DAY)
        await asyncio.wait_for(receiver.came.wait(), 10)
        await stop(running)
    assert [one.version for one in receiver.received] == [4]


async def test_a_notice_finds_its_place_where_the_head_is_behind(store: Store) -> None:
    """A stream that is ahead of the head, as after a restore, takes notices at its end: no settlement fails of it."""
    await published(store)
    await store.redis.set(keys.HEAD, 1)
    await hold(store, PAGE, PAGE_HELD, START + 3 * DAY)
    assert [event.place for event in await store.events.after(Place(2), 9)] == [Place(3), Place(3, 1)]


@pytest.mark.skipif(not apprise_installed(), reason="the extra apprise is not installed")
async def test_who_waits_too_long_for_a_place_sends_nothing() -> None:
    """It is no failure of the subscriber's; had it waited on, its claim would have ended, and others send it too."""
    apprise = Apprise(Policy(), timeout_s=0.05)
    sending = [apprise.send("json://127.0.0.1/", ping()) for _ in range(6)]
    ends = await asyncio.gather(*sending, return_exceptions=True)
    assert [type(one) for one in ends] == [DeliveryError] * 4 + [TimeoutError] * 2


async def test_one_that_cannot_be_written_is_not_the_others_trouble(store: Store) -> None:
    """A settlement that no store takes is left out of its batch."""
    item = QueueItem(Parcel(Place(1), Place(1), TAGS), EventType.COMMITTED, START)
    for id_ in ("sub_a", "sub_b"):
        await subscribed(store, subscription(id_, "https://a.example/"))
        await store.queues.put(id_, [item], START, replace(ENTRY, subject=id_), front=False)
    clock = Clock(START)
    settler = Settler(store.queues, clock, timedelta(seconds=60), lambda: None)
    for claim in (await store.queues.claim("token", START, START + timedelta(seconds=60), 9)).claims:
        error = "\udce9" if claim.subscription.id == "sub_a" else ""  # a byte of an answer that is no text
        settler.add(settled(claim, "msg_1", Tried(Attempt(START, 0, 204, error)), START, 0.0))
    await settler.flush()
    assert [len(await store.deliveries.newest(id_)) for id_ in ("sub_a", "sub_b")] == [0, 1]
