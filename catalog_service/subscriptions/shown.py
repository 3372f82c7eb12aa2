"""Subscriptions and deliveries as they are now, read from the store and made into views. Called by `desk`."""

from __future__ import annotations

from catalog_service.access.identity import Identity
from catalog_service.store.connect import Store
from catalog_service.store.deliveries import unlogged
from catalog_service.store.subscriptions import unknown
from catalog_service.views.subscriptions import (
    DeliveryPage,
    DeliveryView,
    SubscriptionView,
    delivery_view,
    subscription_view,
)
from schema.errors import BadParameterError
from schema.subscription import Standing, Subscription

A_PAGE, MOST_A_PAGE = 50, 200
"""How many deliveries are told unless said, and at most."""
_MOST_LOGGED = 2_000
"""All that a log can hold: a thousand that were settled well, a thousand that were given up."""


async def managed(store: Store, id_: str, asker: Identity) -> Subscription:
    """Return the subscription ``id_``. Raises UnknownSubscriptionError, of one that ``asker`` does not manage too."""
    found = await store.subscriptions.get(id_)
    if not asker.manages(found.owner):
        raise unknown(id_)
    return found


async def view_of(store: Store, one: Subscription) -> SubscriptionView:
    """Return ``one`` and how it is."""
    waiting_count, dropped_count = await store.queues.counts(one.id)
    standing = Standing(
        one,
        await store.subscriptions.health(one.id),
        waiting_count,
        dropped_count,
        await store.deliveries.dead_count(one.id),
        await store.queues.due_at(one.id),
    )
    return subscription_view(standing)


async def every_view(store: Store, asker: Identity) -> tuple[SubscriptionView, ...]:
    """Return every subscription that ``asker`` manages, and how it is, oldest first."""
    found = await store.subscriptions.standings()
    return tuple(subscription_view(each) for each in found if asker.manages(each.subscription.owner))


async def page_of(store: Store, id_: str, count: int, before: str | None) -> DeliveryPage:
    """Return up to ``count`` deliveries to ``id_``, which is there, newest first, those past the delivery ``before``.

    Raises:
        BadParameterError: ``count`` is not 1 to 200.
        UnknownSubscriptionError: there is no delivery ``before`` in its log any more.
    """
    if not 1 <= count <= MOST_A_PAGE:
        raise BadParameterError(f"count is a number from 1 to {MOST_A_PAGE}", parameter="count")
    if before is None:
        found = await store.deliveries.newest(id_, count + 1)
    else:
        await store.deliveries.get(id_, before)
        logged = await store.deliveries.newest(id_, _MOST_LOGGED)
        place = next((place for place, one in enumerate(logged) if one.id == before), len(logged))
        found = logged[place + 1 :]
    items = tuple(map(delivery_view, found[:count]))
    return DeliveryPage(items, items[-1].id if len(found) > count else None)


async def delivery_of(store: Store, id_: str, delivery: str, asker: Identity) -> DeliveryView:
    """Return one delivery. Raises UnknownSubscriptionError: it is not in the log, or ``asker`` does not manage that."""
    if not asker.manages(await store.subscriptions.owner(id_)):
        raise unlogged(id_, delivery)
    return delivery_view(await store.deliveries.get(id_, delivery))
