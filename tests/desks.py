"""A desk of subscriptions for tests, and what a notifier would do with what it queued."""

from __future__ import annotations

import os
from datetime import timedelta

from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from catalog_service.store.queues import Settlement
from catalog_service.subscriptions.challenge import challenge_of
from catalog_service.subscriptions.desk import Desk
from catalog_service.subscriptions.rules import Rules
from catalog_service.subscriptions.targets import Policy
from catalog_service.subscriptions.vault import Opened, Vault, new_secret
from catalog_service.subscriptions.wanted import Header, NewSubscription
from schema.subscription import Attempt, Channel, Delivery, DeliveryState, Health, QueueItem
from tests.api_client import PAGE, TAGS
from tests.local_source import NOW, Clock

KEY = new_secret(lambda count: b"k" * count).partition("_")[2]
HOOK = "https://hooks.contoso.example/catalog?key=t0p-of-all"
WEBHOOK = NewSubscription(Channel.WEBHOOK, HOOK, headers=(Header("Authorization", "Bearer hidden"),))
SLACK = NewSubscription(Channel.SLACK, "https://hooks.slack.com/services/T00/B00/XXX")


def desk_of(store: Store, clock: Clock | None = None, *, key: str = KEY, everything: bool = True) -> Desk:
    """A desk with mail and apprise, unless told otherwise."""
    rules = Rules(Policy(), mail=everything, apprise=everything, known_sources=lambda: (TAGS, PAGE))
    return Desk(store, Vault(key), rules, clock or Clock(), os.urandom, settle_s=60, snapshot=Reader(store).refresh)


async def opened(store: Store, id_: str, clock: Clock | None = None) -> Opened:
    sealed = await store.subscriptions.sealed(id_)
    assert sealed
    return Vault(KEY).opened(id_, sealed, (clock or Clock())())


async def code_of(store: Store, id_: str) -> str:
    """The code that a notifier sends."""
    known = await opened(store, id_)
    return challenge_of(known.secrets[0], id_, known.url)


async def active(store: Store, desk: Desk, wanted: NewSubscription = WEBHOOK) -> str:
    """A subscription that was verified."""
    id_ = (await desk.create(wanted, "ann")).subscription.id
    await desk.verify(id_, await code_of(store, id_), "ann")
    return id_


async def queue(store: Store, id_: str, after: timedelta = timedelta()) -> list[QueueItem]:
    """What waits, taken out one by one as a notifier does."""
    found = []
    while (claims := (await store.queues.claim("t", NOW + after, NOW + after + timedelta(hours=1), 9)).claims) and (
        mine := [one for one in claims if one.subscription.id == id_ and one.head]
    ):
        found.append(mine[0].item)
        await store.queues.settle([Settlement(mine[0], NOW + after, Health(), is_done=True)], NOW + after)
    return found


async def logged(store: Store, id_: str, delivery: str, state: DeliveryState, at: timedelta = timedelta()) -> QueueItem:
    """Settle the head of the queue as a notifier does, under the id ``delivery``."""
    claimed = await store.queues.claim("t", NOW + at, NOW + at + timedelta(hours=1), 9)
    [claim] = [one for one in claimed.claims if one.subscription.id == id_]
    attempt = Attempt(NOW + at, 12, 500 if state is DeliveryState.DEAD else 204)
    made = Delivery(delivery, id_, claim.item.type, claim.item.parcel, state, NOW + at, (attempt,))
    await store.queues.settle([Settlement(claim, NOW + at, Health(), is_done=True, delivery=made)], NOW + at)
    return claim.item
