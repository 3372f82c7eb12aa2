"""Queues of subscriptions in Redis."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from catalog_service.store import keys
from catalog_service.store.connect import Store
from catalog_service.store.queues import Addressed
from schema.event import EventType, Place
from schema.subscription import Parcel, QueueItem, Status
from schema.version import AuditEntry
from tests.api_client import START, TAGS
from tests.telling import subscribed, subscription

ITEM = QueueItem(Parcel(Place(1), Place(1), TAGS), EventType.COMMITTED, START)
PING = QueueItem(Parcel(Place(0), Place(0), ping="1"), EventType.PING, START, settled=True)
UNTIL = START + timedelta(seconds=60)


async def test_what_is_handed_to_a_deleted_subscription_is_forgotten(store: Store) -> None:
    """The relay saw it right before it was deleted: its queue does not stay for ever, and nobody claims it."""
    assert await store.queues.relay(Place(0), Place(1), [Addressed("sub_gone", ITEM, START)])
    found = await store.queues.claim("token", START, UNTIL, 10)
    assert (found.claims, found.next_at) == ((), None)
    assert not await store.redis.exists(keys.DUE, keys.CLAIMS, keys.queue("sub_gone"))


@pytest.mark.parametrize("due_at", [None, START + timedelta(hours=2)])
async def test_a_test_jumps_the_queue_of_who_is_just_looked_at(store: Store, due_at: datetime | None) -> None:
    """It comes to the head while a sender has the subscription in hand, to let it rest: it is sent all the same."""
    await subscribed(store, subscription("sub_a", "https://a.example/", status=Status.PAUSED))
    assert await store.queues.relay(Place(0), Place(1), [Addressed("sub_a", ITEM, START)])
    (claim,) = (await store.queues.claim("token", START, UNTIL, 10)).claims
    entry = AuditEntry(START, "a test", "subscription-test", "sub_a", "", "")
    await store.queues.put("sub_a", [PING], START, entry, front=True)
    await store.queues.rest(claim, START, due_at)
    (claim,) = (await store.queues.claim("token", START, UNTIL, 10)).claims
    assert claim.item == PING
    await store.queues.rest(claim, START, due_at)
    assert await store.queues.due_at("sub_a") == due_at


async def test_a_claim_that_is_sent_again_is_the_same(store: Store) -> None:
    """Its reply was lost: what it claimed is not left in nobody's hand, and the rest is there for others."""
    for id_ in ("sub_a", "sub_b", "sub_c"):
        await subscribed(store, subscription(id_, "https://a.example/"))
    every = [Addressed(id_, ITEM, START) for id_ in ("sub_a", "sub_b", "sub_c")]
    assert await store.queues.relay(Place(0), Place(1), every)
    first, again, other = [await store.queues.claim(token, START, UNTIL, 2) for token in ("one", "one", "two")]
    assert again == first
    claimed = [[claim.subscription.id for claim in found.claims] for found in (first, other)]
    assert claimed == [["sub_a", "sub_b"], ["sub_c"]]
