"""Addresses are secrets: sealed at rest, whole in no view, log or answer; and they move only with a new challenge."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta

import msgspec
import pytest
from aiohttp import web
from msgspec.structs import replace

from catalog_service.notify.hiding import without_secrets
from catalog_service.reader import Reader
from catalog_service.store import codec, keys
from catalog_service.store.connect import Store
from catalog_service.store.leases import Ask
from catalog_service.store.queues import Settlement
from catalog_service.subscriptions.challenge import challenge_of
from catalog_service.subscriptions.desk import Desk
from catalog_service.subscriptions.rules import Rules
from catalog_service.subscriptions.targets import Policy
from catalog_service.subscriptions.vault import Opened, Vault, decoded
from catalog_service.subscriptions.wanted import Header, NewSubscription, Replay, SubscriptionEdit
from schema.errors import BadParameterError, SealedError
from schema.event import EventType, Place
from schema.subscription import Channel, Health, Parcel, QueueItem, Status, Subscription
from tests.api_client import PAGE, START, TAGS, published
from tests.local_source import Clock
from tests.telling import KEY, Receiver, notifying, subscribed, subscription

PARTS = ("t0p-of-all", "Bearer-of-all", "B00000000", "x0x0x0x0x0", "hush-hush", "ops-of-all@", "t0ken", "whsec_")
HEADERS = (Header("Authorization", "Basic Bearer-of-all"),)


def desk_of(store: Store, clock: Clock, port: int = 443) -> Desk:
    """A desk that takes receivers on loopback."""
    policy = Policy(http=True, ports=(port, 443), networks=("127.0.0.0/8",))
    rules = Rules(policy, mail=True, apprise=True, known_sources=lambda: (TAGS, PAGE))
    return Desk(store, Vault(KEY), rules, clock, os.urandom, settle_s=0, snapshot=Reader(store).refresh)


async def opened(store: Store, id_: str, clock: Clock) -> Opened:
    sealed = await store.subscriptions.sealed(id_)
    assert sealed
    return Vault(KEY).opened(id_, sealed, clock())


async def code_of(store: Store, id_: str, clock: Clock) -> str:
    known = await opened(store, id_, clock)
    return challenge_of(known.secrets[0], id_, known.url)


async def everything(store: Store) -> dict[bytes, object]:
    """All that Redis holds, by key."""
    read = {b"string": "GET {}", b"hash": "HGETALL {}", b"list": "LRANGE {} 0 -1", b"stream": "XRANGE {} - +"}
    read |= {b"zset": "ZRANGE {} 0 -1 WITHSCORES", b"set": "SMEMBERS {}"}
    ask: Ask = store.redis.execute_command
    found: dict[bytes, object] = {}
    async for key in store.redis.scan_iter():
        command = read[await ask("TYPE", key)].split()
        found[key] = await ask(*(key if word == "{}" else word for word in command))
    return found


async def repeated(request: web.Request) -> web.StreamResponse:
    """An answer that says all it was sent, as pages of errors and echoes do."""
    said = f"cannot POST {request.path_qs} {dict(request.headers)} {await request.text()}"
    return web.Response(status=400, text=said)


async def test_no_part_of_an_address_is_in_redis_or_in_a_log(
    store: Store, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    """After each verb and attempt, though receivers repeat what they were sent; yet they were told at the address."""
    clock = Clock()
    desk = desk_of(store, clock, receiver.port)
    wanted = (
        NewSubscription(Channel.WEBHOOK, receiver.url("/hook?key=t0p-of-all"), headers=HEADERS),
        NewSubscription(Channel.SLACK, receiver.url("/services/T00000000/B00000000/x0x0x0x0x0")),
        NewSubscription(Channel.TEAMS, receiver.url("/workflows/1?sig=hush-hush")),
        NewSubscription(Channel.EMAIL, "mailto:ops-of-all@contoso.example"),
        NewSubscription(Channel.APPRISE, "tgram://t0ken/chat"),
    )
    receiver.replies = {
        "/hook": [repeated],
        "/workflows/1": [repeated],
        wanted[1].url[len(receiver.url("")) :]: [repeated],
    }
    made = [await desk.create(one, "ann") for one in wanted]
    ids = [one.subscription.id for one in made]
    async with notifying(store, clock, (receiver.port,)) as notifier:
        await store.queues.skip(Place(0))
        await published(store)
        for id_ in ids:
            await desk.verify(id_, await code_of(store, id_, clock), "ann")
        await notifier.once()
        await desk.edit(ids[0], SubscriptionEdit(url=receiver.url("/hook?key=t0p-of-all-2"), headers=HEADERS), "ann")
        await desk.verify(ids[0], await code_of(store, ids[0], clock), "ann")
        for id_ in ids:
            await desk.test(id_, "ann")
            await desk.replay(id_, Replay(from_version=1, to_version=3), "ann")
        clock.forward(hours=1)
        await notifier.once()
    held = {key: repr(value) for key, value in (await everything(store)).items()}
    every = (await store.subscriptions.all(), await desk.subscriptions(), await store.audit.newest())
    logs = [await store.deliveries.newest(id_) for id_ in ids]
    shown = [*held.values(), repr((every, logs)), msgspec.json.encode((every[1], logs)).decode(), *capfd.readouterr()]
    codes = [await code_of(store, id_, clock) for id_ in ids]
    assert [part for part in (*PARTS, *codes) for text in (*shown, *map(repr, held)) if part in text] == []
    assert "cannot POST /hook?key=..." in repr(logs)
    assert {one.path for one in receiver.received} == {*receiver.replies}
    assert receiver.at("/hook")[0].headers["authorization"] == "Basic Bearer-of-all"


@pytest.mark.parametrize(
    ("channel", "url", "said", "left"),
    [(Channel.WEBHOOK, "https://a.example/hook?key=abc%2Fdefg&v=1&lonesome", "/hook abc/defg abc%2Fdefg 1 lonesome",
      "/hook ... ... 1 ..."),
     (Channel.SLACK, "https://hooks.slack.com/services/T0/B0/secret", "services/T0/B0/secret; no secret", "...; no ..."),
     (Channel.EMAIL, "mailto:ops@a.example,dev@a.example", "550 <dev@a.example>: unknown", "550 <...>: unknown"),
     (Channel.APPRISE, "tgram://token/chat", "chat failed", "chat failed")],
)  # fmt: skip
def test_an_answer_is_logged_without_what_it_repeats(channel: Channel, url: str, said: str, left: str) -> None:
    """The address as it is written or decoded, its parts, a code; short words stay."""
    assert without_secrets(said, channel, Opened(url, (b"s",), ()), "") == left
    told = without_secrets(
        "Basic dXNlcg== abcdefgh", channel, Opened(url, (b"s",), (("A", "Basic dXNlcg=="),)), "abcdefgh"
    )
    assert told == "... ..."


async def test_an_address_that_looks_the_same_is_another(store: Store) -> None:
    """Where only what is hidden changed it is verified anew, audited, and an answer from the old one is not for it."""
    clock = Clock()
    desk = desk_of(store, clock)
    url = "https://hooks.slack.com/services/T00000000/B00000000/"
    id_ = (await desk.create(NewSubscription(Channel.SLACK, f"{url}old"), "ann")).subscription.id
    [claim] = (await store.queues.claim("t", clock(), clock(), 9)).claims
    code = await code_of(store, id_, clock)
    moved = await desk.edit(id_, SubscriptionEdit(url=f"{url}new"), "ann")
    [entry] = await store.audit.newest(1)
    assert (entry.before, entry.after) == ('{"url":"https://hooks.slack.com/..."}',) * 2
    answered = replace(claim.subscription, status=Status.ACTIVE)
    await store.queues.settle([Settlement(claim, clock(), Health(), is_done=True, after=answered)], clock())
    assert (await desk.subscription(id_)).status is moved.status is Status.UNVERIFIED
    with pytest.raises(BadParameterError):
        await desk.verify(id_, code, "ann")
    assert (await opened(store, id_, clock)).url == f"{url}new"
    await desk.verify(id_, await code_of(store, id_, clock), "ann")
    assert (await desk.edit(id_, SubscriptionEdit(url=f"{url}new"), "ann")).status is Status.ACTIVE


async def test_who_is_verified_by_hand_is_told_at_once(store: Store, receiver: Receiver) -> None:
    """Its challenge was not answered and waits to be sent again; what happens from now on does not wait for that."""
    clock = Clock()
    desk = desk_of(store, clock, receiver.port)
    async with notifying(store, clock, (receiver.port,)) as notifier:
        await store.queues.skip(Place(0))
        id_ = (await desk.create(NewSubscription(Channel.WEBHOOK, receiver.url("/hook")), "ann")).subscription.id
        for span in (timedelta(), timedelta(seconds=10), timedelta(minutes=10)):
            clock.now += span
            await notifier.once()
        assert [one.json["type"] for one in receiver.received] == [EventType.PING] * 3
        due_at = (await desk.subscription(id_)).next_at
        assert due_at
        assert due_at > clock() + timedelta(minutes=20)
        await desk.verify(id_, await code_of(store, id_, clock), "ann")
        await published(store)
        await notifier.once()
    told = receiver.received[3:]
    assert [one.json["type"] for one in told] == [EventType.PING, *[EventType.COMMITTED] * 3]
    assert "challenge" not in told[0].json["data"]
    assert [one.version for one in told[1:]] == [1, 2, 3]


async def test_an_address_opens_for_its_own_subscription_alone(store: Store) -> None:
    """Who can write to Redis cannot turn one subscription's messages to another's address."""
    clock = Clock()
    desk = desk_of(store, clock)
    one, other = [
        (await desk.create(NewSubscription(Channel.WEBHOOK, url), "ann")).subscription.id
        for url in ("https://a.example/", "https://b.example/")
    ]
    mine, theirs = await store.subscriptions.sealed(one), await store.subscriptions.sealed(other)
    assert mine
    assert theirs
    await store.redis.hset(keys.SEALED, one, codec.pack(replace(mine, url=theirs.url)))
    with pytest.raises(SealedError):
        await desk.verify(one, "x", "ann")


async def test_a_rotation_beside_an_edit_loses_neither(store: Store) -> None:
    """Secret, address and header values are what was asked for last, whichever came first; and every test is queued."""
    clock = Clock()
    desk = desk_of(store, clock)
    id_ = (await desk.create(NewSubscription(Channel.WEBHOOK, "https://a.example/"), "ann")).subscription.id
    for number in range(30):
        url, headers = f"https://a.example/?key={number}", (Header("X-Key", f"value {number}"),)
        rotated, *_ = await asyncio.gather(
            desk.rotate(id_, "ann"),
            desk.edit(id_, SubscriptionEdit(headers=headers), "bob"),
            desk.edit(id_, SubscriptionEdit(url=url), "bob"),
            desk.test(id_, "eve"),
        )
        known = await opened(store, id_, clock)
        assert (known.secrets[0], known.url) == (decoded(rotated.secret), url)
        assert known.headers == (("X-Key", f"value {number}"),)
    assert (await desk.subscription(id_)).waiting_count == 1 + 30 * 2  # creation, tests, addresses


async def test_every_subscription_is_shown_as_it_is_by_itself(store: Store) -> None:
    """With its health, what waits, what was lost and given up, and when it is next."""
    clock = Clock()
    desk = desk_of(store, clock)
    assert await desk.subscriptions() == ()
    for number in range(3):
        await subscribed(store, subscription(f"sub_{number}", "https://a.example/"))
    await desk.test("sub_1", "ann")
    await store.redis.hset(keys.DROPPED, "sub_1", 7)
    await store.redis.hset(keys.HEALTHS, "sub_2", codec.pack(Health(failing_since=START, error="500")))
    await store.redis.zadd(keys.dead("sub_2"), {"msg_1": 1.0, "msg_2": 2.0})
    every = await desk.subscriptions()
    assert every == tuple([await desk.subscription(f"sub_{number}") for number in range(3)])
    assert [(one.waiting_count, one.dropped_count, one.dead_count) for one in every] == [
        (0, 0, 0),
        (1, 7, 0),
        (0, 0, 2),
    ]
    assert [(one.next_at, one.health.error) for one in every] == [(None, ""), (clock(), ""), (None, "500")]


async def test_ten_thousand_subscriptions_are_read_at_once(store: Store) -> None:
    """Each with its queue and its health, in one exchange with Redis."""
    ping = codec.pack(QueueItem(Parcel(Place(0), Place(0), ping="1"), EventType.PING, START))
    health = codec.pack(Health(succeeded_at=START, delivered_count=1))
    many = [Subscription(f"sub_{n}", Channel.WEBHOOK, "https://a.example/", START, "ann") for n in range(10_000)]
    async with store.redis.pipeline(transaction=False) as pipeline:
        pipeline.hset(keys.SUBSCRIPTIONS, mapping={one.id: codec.pack(one) for one in many})
        pipeline.hset(keys.HEALTHS, mapping={one.id: health for one in many})
        pipeline.zadd(keys.DUE, {one.id: 1.0 for one in many})
        for one in many:
            pipeline.rpush(keys.queue(one.id), ping)
        await pipeline.execute()
    await desk_of(store, Clock()).subscriptions()  # teaches Redis the script
    before = await scripts_run(store)
    every = await desk_of(store, Clock()).subscriptions()
    assert (len(every), {one.waiting_count for one in every}) == (10_000, {1})
    assert await scripts_run(store) == before + 1


async def scripts_run(store: Store) -> int:
    stats = await store.redis.info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("evalsha", "evalsha_ro"))
