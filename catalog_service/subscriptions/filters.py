"""What a subscription asks for: its own filter, or the saved one that it names. Called by notify and the pages."""

from __future__ import annotations

from collections.abc import Mapping

from catalog_service.store.connect import Store
from catalog_service.views.subscriptions import SubscriptionView
from schema.subscription import EventFilter, Subscription

Saved = Mapping[str, EventFilter]


async def filters_by_name(store: Store) -> Saved:
    """Return every saved filter, by name."""
    return {one.name: one.filter for one in await store.saved_filters.all()}


def filter_of(subscription: Subscription | SubscriptionView, saved: Saved) -> EventFilter:
    """Return what ``subscription`` asks for; everything where its saved filter is gone: too much beats nothing."""
    if not subscription.saved_filter:
        return subscription.filter
    return saved.get(subscription.saved_filter) or EventFilter()
