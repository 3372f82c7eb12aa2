"""Subscriptions and deliveries as they are now, read from the store and made into views. Called by `desk`."""

from __future__ import annotations

from catalog_service.store.connect import Store
from catalog_service.views.subscriptions import (
    DeliveryPage,
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


async def every_view(store: Store) -> tuple[SubscriptionView, ...]:
    """Return every subscription and how it is, oldest first."""
    return tuple(map(subscription_view, await store.subscriptions.standings()))


async def page_of(store: Store, id_: str, count: int, before: str | None) -> DeliveryPage:
    """Return up to ``count`` deliveries to ``id_``, newest first, those past the delivery ``before``.

    Raises:
        BadParameterError: ``count`` is not 1 to 200.
        UnknownSubscriptionError: there is no such subscription, or no delivery ``before`` in its log any more.
    """
    if not 1 <= count <= MOST_A_PAGE:
        raise BadParameterError(f"count is a number from 1 to {MOST_A_PAGE}", parameter="count")
    await store.subscriptions.get(id_)
    if before is None:
        found = await store.deliveries.newest(id_, count + 1)
    else:
        await store.deliveries.get(id_, before)
        logged = await store.deliveries.newest(id_, _MOST_LOGGED)
        place = next((place for place, one in enumerate(logged) if one.id == before), len(logged))
        found = logged[place + 1 :]
    items = tuple(map(delivery_view, found[:count]))
    return DeliveryPage(items, items[-1].id if len(found) > count else None)
