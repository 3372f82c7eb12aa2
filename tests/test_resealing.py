"""A key of what is sealed is replaced: sealed anew with the new one, so that the old one can be dropped."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web
from msgspec.structs import replace

from catalog_service.reader import Reader
from catalog_service.store import codec, keys
from catalog_service.store.connect import Store
from catalog_service.subscriptions.desk import Desk
from catalog_service.subscriptions.rules import Rules
from catalog_service.subscriptions.targets import Policy
from catalog_service.subscriptions.vault import Opened, Vault, decoded, new_secret
from catalog_service.subscriptions.wanted import Header, NewSubscription, SubscriptionEdit
from schema.errors import SealedError
from schema.event import Place
from schema.subscription import Channel, DeliveryState
from schema.version import AuditEntry
from tests.api_client import PAGE, START, TAGS, published
from tests.local_source import Clock
from tests.telling import KEY as OLD
from tests.telling import SECRET, Receiver, notifying, receiving, subscribed, subscription

NEW = new_secret(lambda count: b"n" * count).partition("_")[2]
BOTH = f"{NEW},{OLD}"
HOOK = NewSubscription(Channel.WEBHOOK, "https://a.example/?key=1", headers=(Header("X-Key", "one"),))
SLACK = NewSubscription(Channel.SLACK, "https://hooks.slack.com/services/T0/B0/one")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as opened:
        yield opened


def desk_of(store: Store, key: str, clock: Clock) -> Desk:
    rules = Rules(Policy(), mail=True, apprise=True, known_sources=lambda: (TAGS, PAGE))
    return Desk(store, Vault(key), rules, clock, os.urandom, settle_s=0, snapshot=Reader(store).refresh)


async def opened(store: Store, id_: str, key: str, clock: Clock) -> Opened:
    sealed = await store.subscriptions.sealed(id_)
    assert sealed
    return Vault(key).opened(id_, sealed, clock())


async def resealed_by(store: Store) -> tuple[AuditEntry, ...]:
    return tuple(one for one in await store.audit.newest(1000) if one.action == "subscription-reseal")


async def test_the_old_key_can_be_dropped(store: Store) -> None:
    """Secrets, the ones before them, addresses, headers and the signing key are as they were, under the new key."""
    clock = Clock()
    old, both, new = (desk_of(store, key, clock) for key in (OLD, BOTH, NEW))
    hook, slack = [(await old.create(one, "ann")).subscription.id for one in (HOOK, SLACK)]
    await old.rotate(hook, "ann")
    signing = await old.signing_keys()
    before = [await opened(store, id_, OLD, clock) for id_ in (hook, slack)]
    assert len(before[0].secrets) == 2
    assert await both.reseal(" bob ") == 3
    assert [await opened(store, id_, NEW, clock) for id_ in (hook, slack)] == before
    assert await new.signing_keys() == signing
    await new.create(SLACK, "ann")
    await new.rotate(hook, "ann")
    [entry] = await resealed_by(store)
    assert (entry.who, entry.before, entry.after) == ("bob", "", '{"subscriptions":2,"signing_keys":1}')
    with pytest.raises(SealedError):
        await opened(store, hook, OLD, clock)


async def test_what_the_first_key_sealed_is_left_alone(store: Store) -> None:
    """Not a byte of it changes; where that is all, nothing is audited; where there is nothing, no key is needed."""
    clock = Clock()
    assert await desk_of(store, "", clock).reseal("bob") == 0
    both = desk_of(store, BOTH, clock)
    await both.signing_keys()
    mine = (await both.create(HOOK, "ann")).subscription.id
    kept = (await store.subscriptions.sealed(mine), await store.signing_keys.get())
    assert (await both.reseal("bob"), await resealed_by(store)) == (0, ())
    # Its newest secret alone is the new key's: a rotation between the restart and this.
    await store.redis.delete(keys.SUBSCRIPTIONS, keys.SEALED)
    theirs = (await desk_of(store, OLD, clock).create(HOOK, "ann")).subscription.id
    await both.rotate(theirs, "ann")
    was = await store.subscriptions.sealed(theirs)
    assert await both.reseal("bob") == 1
    now = await store.subscriptions.sealed(theirs)
    assert was
    assert now
    assert was.secret == now.secret
    assert not {was.previous, was.url, was.headers} & {now.previous, now.url, now.headers}
    assert len((await opened(store, theirs, NEW, clock)).secrets) == 2
    assert await store.signing_keys.get() == kept[1]


async def test_a_secret_that_is_over_asks_for_no_key(store: Store) -> None:
    """It signs no more, and the key that sealed it may be gone: it is forgotten, and holds up nothing."""
    clock = Clock()
    id_ = (await desk_of(store, OLD, clock).create(HOOK, "ann")).subscription.id
    await desk_of(store, BOTH, clock).rotate(id_, "ann")
    before = await store.subscriptions.sealed(id_)
    assert before
    of_new = Vault(NEW).seal_new(id_, SECRET, HOOK.url, ())
    over = replace(of_new, previous=before.previous, previous_until=clock() + timedelta(hours=1))
    await store.redis.hset(keys.SEALED, id_, codec.pack(over))
    with pytest.raises(SealedError, match=id_):
        await desk_of(store, NEW, clock).reseal("bob")
    clock.forward(hours=1)
    assert await desk_of(store, NEW, clock).reseal("bob") == 1
    assert await store.subscriptions.sealed(id_) == of_new


async def test_nothing_is_sealed_anew_where_one_cannot_be_opened(store: Store) -> None:
    """The message names it: its key is missing, or it was damaged; the old key is needed still."""
    clock = Clock()
    old, both = desk_of(store, OLD, clock), desk_of(store, BOTH, clock)
    first, second = [(await old.create(HOOK, "ann")).subscription.id for _ in range(2)]
    before = dict(await store.subscriptions.every_sealed())
    with pytest.raises(SealedError, match="does not hold the key"):
        await desk_of(store, NEW, clock).reseal("bob")
    damaged = replace(before[second], url=before[second].url[:-1])
    await store.redis.hset(keys.SEALED, second, codec.pack(damaged))
    with pytest.raises(SealedError, match=f"of {second} was damaged"):
        await both.reseal("bob")
    assert dict(await store.subscriptions.every_sealed()) == {first: before[first], second: damaged}
    assert await resealed_by(store) == ()
    await both.delete(second, "ann")
    assert await both.reseal("bob") == 1


async def test_a_rotation_or_an_edit_meanwhile_wins(store: Store) -> None:
    """Whichever came first: what was asked for last is stored, and all opens with the new key alone."""
    clock = Clock()
    old, both = desk_of(store, f"{OLD},{NEW}", clock), desk_of(store, BOTH, clock)
    for number in range(20):
        id_ = (await old.create(HOOK, "ann")).subscription.id
        url, headers = f"https://b.example/?key={number}", (Header("X-Key", f"value {number}"),)
        rotated, *_, count = await asyncio.gather(
            both.rotate(id_, "ann"),
            both.edit(id_, SubscriptionEdit(headers=headers), "bob"),
            both.edit(id_, SubscriptionEdit(url=url), "bob"),
            both.reseal("eve"),
        )
        known = await opened(store, id_, NEW, clock)
        assert (known.secrets[0], known.url, known.headers) == (
            decoded(rotated.secret),
            url,
            (("X-Key", f"value {number}"),),
        )
        assert count == 1
    assert len(await resealed_by(store)) == 20


async def test_two_at_once_do_it_once(store: Store) -> None:
    """The other one finds nothing left to do."""
    clock = Clock()
    for _ in range(5):
        await desk_of(store, OLD, clock).create(HOOK, "ann")
    both = desk_of(store, BOTH, clock)
    assert sorted(await asyncio.gather(both.reseal("ann"), both.reseal("bob"))) == [0, 5]
    assert len(await resealed_by(store)) == 1


async def test_a_change_that_came_between_is_read_again(store: Store) -> None:
    """The store takes all or nothing: with one of them another by now, it writes none, nor the signing key."""
    clock = Clock()
    old = desk_of(store, OLD, clock)
    await old.signing_keys()
    ids = [(await old.create(HOOK, "ann")).subscription.id for _ in range(2)]
    read, key = dict(await store.subscriptions.every_sealed()), await store.signing_keys.get()
    assert key
    await old.rotate(ids[1], "ann")
    there = await store.subscriptions.every_sealed()
    changed = tuple((id_, read[id_], Vault(BOTH).resealed(id_, read[id_], clock())) for id_ in ids)
    entry = AuditEntry(START, "bob", "subscription-reseal", "secrets", "", "")
    assert not await store.subscriptions.reseal(changed, (key, b"another"), entry)
    assert not await store.subscriptions.reseal(changed[:1], (b"another", b"one"), entry)
    assert (await store.subscriptions.every_sealed(), await store.signing_keys.get()) == (there, key)
    assert await store.subscriptions.reseal(changed[:1], None, entry)


async def test_a_delivery_on_its_way_meanwhile_is_settled(store: Store, receiver: Receiver) -> None:
    """It was claimed with what the old key sealed; it is noted down all the same, and the next one follows."""
    clock = Clock()
    there, on = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        there.set()
        await on.wait()
        return web.Response(status=204)

    receiver.replies = {"/a": [slow, 204]}
    await subscribed(store, subscription("sub_a", receiver.url("/a")))
    async with notifying(store, clock, (receiver.port,), key=BOTH) as notifier:
        await store.queues.skip(Place(0))
        await published(store)
        telling = asyncio.create_task(notifier.once())
        try:
            async with asyncio.timeout(10):
                await there.wait()
                assert await desk_of(store, BOTH, clock).reseal("bob") == 1
                on.set()
                await telling
        finally:
            on.set()
            telling.cancel()
    logged = await store.deliveries.newest("sub_a")
    assert [one.version for one in receiver.received] == [1, 2, 3]
    assert [one.state for one in logged] == [DeliveryState.DELIVERED] * 3
    assert (await opened(store, "sub_a", NEW, clock)).url == receiver.url("/a")
