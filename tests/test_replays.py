"""What a replay tells again is what the relay hands out."""

from __future__ import annotations

from catalog_service.store.connect import Store
from catalog_service.subscriptions.replays import replayed
from catalog_service.subscriptions.wanted import Replay
from schema.event import EventType, Place
from schema.subscription import EventFilter
from tests.api_client import PAGE, START, published
from tests.local_source import Clock
from tests.telling import notifying, receiving, subscribed, subscription


async def test_a_disabled_subscription_is_replayed_to_who_names_sources(store: Store) -> None:
    """It is of no source: a filter over sources has no say in it, as when it happened; under the id it had then."""
    operator = EventFilter(types=(EventType.DISABLED,), sources=(PAGE,))
    async with receiving() as receiver, notifying(store, Clock(), (receiver.port,)) as notifier:
        await store.queues.skip(Place(0))
        await subscribed(store, subscription("sub_a", receiver.url("/gone")))
        made = await subscribed(store, subscription("sub_b", receiver.url("/operator"), filter=operator))
        receiver.replies["/gone"] = [410]
        await published(store)
        await notifier.once()
        (told,) = await store.deliveries.newest("sub_b")
    (item,) = await replayed(store, made, Replay(from_version=1, to_version=3), START)
    assert (item.type, item.parcel) == (EventType.DISABLED, told.parcel)
