"""What subscribers are told, in which order, and what happens when they do not listen."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web
from msgspec.structs import replace
from standardwebhooks import Webhook

from catalog_service.notify.lanes import OF_A_HOST
from catalog_service.notify.notifier import Notifier
from catalog_service.notify.retry import SCHEDULE_S
from catalog_service.store import keys
from catalog_service.store.connect import Store
from schema.event import EventType, Place
from schema.subscription import (
    DeliveryState,
    Digest,
    Envelope,
    EventFilter,
    Every,
    Parcel,
    Payload,
    QueueItem,
    Signature,
    Status,
)
from schema.version import AuditEntry
from tests.api_client import DAY, PAGE, PAGE_1, PAGE_HELD, START, TAGS, TAGS_1, TAGS_2, commit, hold, published, tag
from tests.local_source import Clock
from tests.telling import SECRET, SIGNING, Receiver, echo, notifying, subscribed, subscription

ENTRY = AuditEntry(START, "a test", "subscription-test", "sub_a", "", "")


async def ping(store: Store, id_: str, clock: Clock, nonce: str = "1") -> None:
    item = QueueItem(Parcel(Place(0), Place(0), ping=nonce), EventType.PING, clock(), settled=True)
    await store.queues.put(id_, [item], clock(), ENTRY, front=True)


async def states(store: Store, id_: str = "sub_a") -> list[DeliveryState]:
    return [one.state for one in await store.deliveries.newest(id_)]


async def test_matching_versions_in_order(store: Store, receiver: Receiver, notifier: Notifier) -> None:
    """Each version that a filter keeps is told once, in order, signed with the secret, at a POST of its own."""
    await subscribed(store, subscription("sub_a", receiver.url("/all")))
    await subscribed(store, subscription("sub_b", receiver.url("/page"), filter=EventFilter(sources=(PAGE,))))
    await published(store)
    await notifier.once()
    assert [one.version for one in receiver.at("/all")] == [1, 2, 3]
    assert [one.version for one in receiver.at("/page")] == [2]
    assert len({one.id for one in receiver.received}) == 4
    assert await states(store) == [DeliveryState.DELIVERED] * 3
    health = await store.subscriptions.health("sub_a")
    assert (health.delivered_count, health.failing_since) == (3, None)


async def test_verified_by_the_library(store: Store, receiver: Receiver, notifier: Notifier, clock: Clock) -> None:
    """The reference library of Standard Webhooks verifies a delivery; it takes no other secret."""
    from datetime import UTC, datetime  # noqa: PLC0415 - the library asks the machine for the time

    clock.now = datetime.now(UTC)
    both = (Signature.HMAC, Signature.ED25519)
    await subscribed(store, subscription("sub_a", receiver.url(), signatures=both))
    await published(store)
    await notifier.once()
    one = receiver.received[0]
    assert Webhook(SECRET).verify(one.body, one.headers)["type"] == "catalog.version.committed"
    signatures = dict(part.split(",") for part in one.headers["webhook-signature"].split())
    signed = f"{one.id}.{one.headers['webhook-timestamp']}.".encode() + one.body
    import base64  # noqa: PLC0415

    SIGNING.public_key().verify(base64.b64decode(signatures["v1a"]), signed)


async def test_retries(store: Store, receiver: Receiver, notifier: Notifier, clock: Clock) -> None:
    """A failed delivery is tried again on the schedule, under the same id, before what came after it; then given up."""
    await subscribed(store, subscription("sub_a", receiver.url()))
    receiver.replies["/hook"] = [500]
    await published(store)
    for pause_s in SCHEDULE_S:
        await notifier.once()
        count = len(receiver.received)
        clock.forward(seconds=pause_s - 1)
        await notifier.once()
        assert len(receiver.received) == count
        clock.forward(seconds=1)
    await notifier.once()
    assert {(one.id, one.version) for one in receiver.received[:10]} == {(receiver.received[0].id, 1)}
    assert receiver.received[10].version == 2  # the first is given up after its tenth attempt
    [dead] = [one for one in await store.deliveries.newest("sub_a") if one.state is DeliveryState.DEAD]
    assert (dead.parcel.first, len(dead.attempts), dead.attempts[0].status) == (Place(1), 10, 500)


async def test_recovers_in_order(store: Store, receiver: Receiver, notifier: Notifier, clock: Clock) -> None:
    """A receiver that was down is told everything in order once it is back."""
    await subscribed(store, subscription("sub_a", receiver.url()))
    receiver.replies["/hook"] = [503, 204]
    await published(store)
    await notifier.once()
    assert (await store.subscriptions.health("sub_a")).failing_since == clock()
    clock.forward(seconds=6)
    await notifier.once()
    assert [one.version for one in receiver.received] == [1, 1, 2, 3]
    assert (await store.subscriptions.health("sub_a")).failing_since is None


async def test_retry_after(store: Store, receiver: Receiver, notifier: Notifier, clock: Clock) -> None:
    """A receiver that asks to be left alone is."""

    async def busy(_: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "600"})

    await subscribed(store, subscription("sub_a", receiver.url()))
    receiver.replies["/hook"] = [busy, 204]
    await published(store)
    await notifier.once()
    clock.forward(seconds=599)
    await notifier.once()
    assert len(receiver.received) == 1
    clock.forward(seconds=1)
    await notifier.once()
    assert len(receiver.received) == 4


@pytest.mark.parametrize(("status", "after"), [(301, None), (404, None), (410, "410 Gone")])
async def test_only_2xx(store: Store, receiver: Receiver, notifier: Notifier, status: int, after: str | None) -> None:
    """A redirect is a failure and not followed; 410 disables at once, tells of it, and what came stays waiting."""

    async def elsewhere(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    await subscribed(store, subscription("sub_a", receiver.url()))
    operator = EventFilter(types=(EventType.DISABLED,))
    await subscribed(store, subscription("sub_b", receiver.url("/operator"), filter=operator))
    receiver.replies["/hook"] = [elsewhere]
    await published(store)
    await notifier.once()
    assert [one.path for one in receiver.received if one.path != "/operator"] == ["/hook"]
    kept = await store.subscriptions.get("sub_a")
    if after is None:
        assert kept.status is Status.ACTIVE
        return
    assert (kept.status, after in kept.why) == (Status.DISABLED, True)
    assert [one.json["type"] for one in receiver.at("/operator")] == ["subscription.disabled"]
    assert (await store.queues.counts("sub_a"))[0] == 3


async def test_disabled_after_five_days(store: Store, receiver: Receiver, notifier: Notifier, clock: Clock) -> None:
    """What fails for five days is disabled; resumed, it is told all that waited."""
    await subscribed(store, subscription("sub_a", receiver.url()))
    receiver.replies["/hook"] = [500]
    await published(store)
    begun = clock()
    for _ in range(40):
        await notifier.once()
        clock.forward(hours=6)
    disabled = await store.subscriptions.get("sub_a")
    assert disabled.status is Status.DISABLED
    last = (await store.deliveries.newest("sub_a"))[0].attempts[-1].at
    assert timedelta(days=5) <= last - begun < timedelta(days=6)
    receiver.replies["/hook"], before = [204], len(receiver.received)
    assert await store.subscriptions.replace(
        disabled, replace(disabled, status=Status.ACTIVE, why=""), ENTRY, anew=True
    )
    await notifier.once()
    assert [one.version for one in receiver.received[before:]] == [2, 3]


async def test_challenge(store: Store, receiver: Receiver, notifier: Notifier, clock: Clock) -> None:
    """Nothing is told to who has not answered the challenge; who has is told what comes from then on."""
    new = subscription("sub_a", receiver.url(), status=Status.UNVERIFIED)
    await subscribed(store, new)
    await commit(store, TAGS, TAGS_1, START)
    await ping(store, "sub_a", clock)
    await notifier.once()
    assert (await store.subscriptions.get("sub_a")).status is Status.UNVERIFIED  # 204 holds no challenge
    receiver.replies["/hook"] = [echo]
    clock.forward(seconds=6)
    await notifier.once()
    assert (await store.subscriptions.get("sub_a")).status is Status.ACTIVE
    await commit(store, PAGE, PAGE_1, START + DAY)
    await notifier.once()
    assert [one.json["type"] for one in receiver.received] == ["subscription.ping"] * 2 + ["catalog.version.committed"]
    assert receiver.received[0].id == receiver.received[1].id
    assert receiver.received[2].version == 2


async def test_test_jumps_the_queue(store: Store, receiver: Receiver, notifier: Notifier, clock: Clock) -> None:
    """A test is sent at once, also where a delivery waits to be retried, and whatever comes of it changes nothing."""
    await subscribed(store, subscription("sub_a", receiver.url()))
    receiver.replies["/hook"] = [500]
    await published(store)
    await notifier.once()
    await ping(store, "sub_a", clock)
    await notifier.once()
    await notifier.once()
    assert [one.json["type"].rpartition(".")[2] for one in receiver.received] == ["committed", "ping"]
    clock.forward(seconds=5)
    receiver.replies["/hook"] = [204]
    await notifier.once()
    assert [one.version for one in receiver.received[2:]] == [1, 2, 3]


async def test_a_test_that_fails(store: Store, receiver: Receiver, notifier: Notifier, clock: Clock) -> None:
    """It is in the log, and no dead letter: there is nothing of it that could be replayed."""
    await subscribed(store, subscription("sub_a", receiver.url()))
    receiver.replies["/hook"] = [500]
    await ping(store, "sub_a", clock)
    await notifier.once()
    assert await states(store) == [DeliveryState.DEAD]
    assert await store.deliveries.dead_count("sub_a") == 0


async def test_paused(store: Store, receiver: Receiver, notifier: Notifier) -> None:
    """What happens while a subscription is paused waits until it is resumed."""
    paused = await subscribed(store, subscription("sub_a", receiver.url(), status=Status.PAUSED))
    await published(store)
    await notifier.once()
    assert receiver.received == []
    assert await store.subscriptions.replace(paused, replace(paused, status=Status.ACTIVE), ENTRY)
    await notifier.once()
    assert [one.version for one in receiver.received] == [1, 2, 3]


async def test_settle_window(store: Store, receiver: Receiver, notifier: Notifier, clock: Clock) -> None:
    """Changes of a source within the window are told as one; what came and went is said, and is no change."""
    clock.now = START
    await subscribed(store, subscription("sub_a", receiver.url(), settle_s=60))
    await commit(store, TAGS, TAGS_1, START)
    await notifier.once()
    clock.forward(seconds=61)
    await notifier.once()
    passing = (*TAGS_2, tag("Passing", "20.99.0.0/16"))
    for step, records in enumerate((TAGS_2, passing, TAGS_2)):
        await commit(store, TAGS, records, clock() + timedelta(seconds=10 * step))
        await notifier.once()
        await commit(store, PAGE, PAGE_1[: 1 + step % 2], clock() + timedelta(seconds=10 * step + 5))
    assert [one.version for one in receiver.received] == [1]
    clock.forward(seconds=61)
    await notifier.once()
    told = [one.json["data"] for one in receiver.received[1:]]
    assert [(one["version"], one["versions"]) for one in told] == [(6, [2, 4, 6]), (7, [3, 5, 7])]
    assert told[0]["counts"]["prefixes_added"] == 2
    assert told[0]["settled"]["prefixes"] == ["20.99.0.0/16"]


async def test_settled_to_nothing(store: Store, receiver: Receiver, notifier: Notifier, clock: Clock) -> None:
    """What is taken back within the window is not told at all; the log says so."""
    clock.now = START
    await commit(store, TAGS, TAGS_1, START)
    await notifier.once()
    await subscribed(store, subscription("sub_a", receiver.url(), settle_s=60))
    await commit(store, TAGS, TAGS_2, START)
    await commit(store, TAGS, TAGS_1, START)
    clock.forward(seconds=61)
    await notifier.once()
    assert receiver.received == []
    assert await states(store) == [DeliveryState.NOTHING]


async def test_digest(store: Store, receiver: Receiver, notifier: Notifier, clock: Clock) -> None:
    """A digest is sent at its time of day in its zone, with all that came since; a day without news has none."""
    clock.now = START  # 06:00 UTC on a Monday
    digest = Digest(Every.DAILY, "08:30", "Europe/Berlin")
    await subscribed(store, subscription("sub_a", receiver.url(), digest=digest))
    await commit(store, TAGS, TAGS_1, START)
    await commit(store, PAGE, PAGE_1, START + timedelta(minutes=5))
    clock.forward(minutes=89)
    await notifier.once()
    assert receiver.received == []
    clock.forward(minutes=1)
    await notifier.once()
    (one,) = receiver.received
    assert one.json["data"]["versions"] == [1, 2]
    assert one.json["data"]["sources"] == sorted((TAGS, PAGE))
    clock.forward(days=1)
    await notifier.once()
    assert len(receiver.received) == 1


async def test_notices(store: Store, receiver: Receiver, notifier: Notifier) -> None:
    """Who asks for it is told that a version is held, and of nothing else."""
    await subscribed(store, subscription("sub_a", receiver.url(), filter=EventFilter(types=(EventType.HELD,))))
    await published(store)
    held = await hold(store, PAGE, PAGE_HELD, START + 3 * DAY)
    await notifier.once()
    (one,) = receiver.received
    assert one.json["type"] == "catalog.version.held"
    assert one.json["data"]["id"] == held.id


async def test_envelopes(store: Store, receiver: Receiver, notifier: Notifier) -> None:
    """A CloudEvent has the delivery's id; a thin message has no changes."""
    made = subscription("sub_a", receiver.url("/ce"), envelope=Envelope.CLOUDEVENTS, payload=Payload.THIN)
    await subscribed(store, made)
    await commit(store, TAGS, TAGS_1, START)
    await notifier.once()
    (one,) = receiver.received
    assert one.headers["content-type"] == "application/cloudevents+json"
    assert (one.json["specversion"], one.json["id"], one.json["type"]) == ("1.0", one.id, "catalog.version.committed")
    assert "changes" not in one.json["data"]


async def test_slow_receivers_hold_up_nobody(store: Store, receiver: Receiver, clock: Clock) -> None:
    """More receivers hang than there are places in the fast lane; the others are told meanwhile."""
    release = asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        await release.wait()
        return web.Response(status=204)

    for number in range(150):
        receiver.replies[f"/hang{number}"] = [hang]
        await subscribed(store, subscription(f"sub_a{number}", receiver.url(f"/hang{number}")))
    for number in range(20):
        await subscribed(store, subscription(f"sub_b{number}", receiver.url(f"/well{number}")))
    async with notifying(store, clock, (receiver.port,)) as worker:
        await store.queues.skip(Place(0))
        await commit(store, TAGS, TAGS_1, START)
        running = asyncio.create_task(worker.run())
        async with asyncio.timeout(20):
            while sum(one.path.startswith("/well") for one in receiver.received) < 20:
                receiver.came.clear()
                await receiver.came.wait()
        release.set()
        running.cancel()
        await asyncio.wait({running})


async def test_a_crowded_host(store: Store, receiver: Receiver, clock: Clock) -> None:
    """A host that hangs has so many deliveries at once and no more, however many subscriptions lead there."""
    release = asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        await release.wait()
        return web.Response(status=204)

    for number in range(OF_A_HOST + 50):
        receiver.replies[f"/{number}"] = [hang]
        await subscribed(store, subscription(f"sub_{number}", receiver.url(f"/{number}")))
    async with notifying(store, clock, (receiver.port,)) as worker:
        await store.queues.skip(Place(0))
        await commit(store, TAGS, TAGS_1, START)
        running = asyncio.create_task(worker.run())
        async with asyncio.timeout(20):
            while await put_off(store, clock) < 50:
                await asyncio.sleep(0.02)
            assert await put_off(store, clock) == 50
            release.set()
            clock.forward(seconds=6)
            while len(receiver.received) < OF_A_HOST + 50:
                receiver.came.clear()
                await receiver.came.wait()
        running.cancel()
        await asyncio.wait({running})
    assert len({one.path for one in receiver.received}) == OF_A_HOST + 50


async def put_off(store: Store, clock: Clock) -> int:
    """Return how many subscriptions are looked at again in some seconds."""
    now_ms = clock().timestamp() * 1000
    return int(await store.redis.zcount(keys.DUE, now_ms, now_ms + 10_000))


async def test_two_workers(store: Store, receiver: Receiver, clock: Clock) -> None:
    """Two workers tell each subscriber each version once, in order."""
    for number in range(20):
        await subscribed(store, subscription(f"sub_{number}", receiver.url(f"/{number}")))
    await store.queues.skip(Place(0))
    await published(store)
    async with (
        notifying(store, clock, (receiver.port,)) as one,
        notifying(store, clock, (receiver.port,)) as other,
    ):
        await asyncio.gather(one.once(), other.once())
        await one.once()
    assert all([one.version for one in receiver.at(f"/{number}")] == [1, 2, 3] for number in range(20))


async def test_another_history(store: Store, receiver: Receiver, notifier: Notifier) -> None:
    """After a Redis that lost its last second, the new version 2 is told, not the lost one; under an id of its own."""
    await subscribed(store, subscription("sub_a", receiver.url()))
    await commit(store, TAGS, TAGS_1, START)
    await notifier.once()
    before = {key: await store.redis.dump(key) or b"" for key in await store.redis.keys("*")}
    await commit(store, TAGS, TAGS_2, START + timedelta(hours=1))
    await notifier.once()
    await store.redis.flushall()
    for key, data in before.items():
        await store.redis.restore(key, 0, data)
    await commit(store, TAGS, (*TAGS_1, tag("Other", "20.77.0.0/16")), START + timedelta(hours=2))
    await notifier.once()
    one, two, three = receiver.received
    assert (one.version, two.version, three.version) == (1, 2, 2)
    assert b"Other" in three.body
    assert two.id != three.id
