"""What a replay tells again: a delivery, the versions from one to another, or all since a moment.

In: the store, a subscription, a `Replay`. Out: items for its queue, in the order of the stream. Called by `desk`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from catalog_service.catalog.event_filter import passes
from catalog_service.store.connect import Store
from catalog_service.subscriptions.filters import filter_of, filters_by_name
from catalog_service.subscriptions.hearers import hearers
from catalog_service.subscriptions.ids import parcel_told
from catalog_service.subscriptions.wanted import Replay
from schema.errors import BadParameterError
from schema.event import Event, EventType, Place
from schema.subscription import QueueItem, Subscription

MOST = 1_000
_READ = 500


async def replayed(store: Store, subscription: Subscription, wanted: Replay, now: datetime) -> tuple[QueueItem, ...]:
    """Return what ``wanted`` is, asked for at ``now``; may be empty.

    Events are those of the types and sources that the subscription asks for; what of their changes matches is seen
    when they are told, and one of which nothing does is not. Each is told by itself, under the id it had when it was.

    Raises:
        BadParameterError: not exactly one way of the three, or over 1,000 events.
        UnknownSubscriptionError: the delivery is not in the log.
        GoneError: the first version was pruned.
    """
    by_version = wanted.from_version is not None or wanted.to_version is not None
    if (wanted.delivery is not None) + by_version + (wanted.since is not None) != 1:
        message = "a replay is of a delivery, or of from_version and to_version, or since a moment: one of them"
        raise BadParameterError(message, parameter="delivery")
    if wanted.delivery is not None:
        return (await _delivery(store, subscription, wanted.delivery, now),)
    if wanted.since is not None:
        since = wanted.since
        if since.tzinfo is None:
            raise BadParameterError("since needs a zone: 2026-11-23T08:00:00Z", parameter="since")
        events = await _events(store, subscription, Place(0), lambda event: event.at >= since)
    else:
        first, last = await _range(store, wanted)
        is_in = range(first, last + 1).__contains__
        events = await _events(store, subscription, Place(first - 1), lambda event: is_in(event.place.version))
    parcels = [(one, await parcel_told(store, one)) for one in events]
    return tuple(QueueItem(parcel, one.type, now, settled=True) for one, parcel in parcels)


async def _delivery(store: Store, subscription: Subscription, id_: str, now: datetime) -> QueueItem:
    delivery = await store.deliveries.get(subscription.id, id_)
    if delivery.type is EventType.PING:
        raise BadParameterError("a ping is not replayed: send another test", parameter="delivery")
    return QueueItem(delivery.parcel, delivery.type, now, settled=True)


async def _range(store: Store, wanted: Replay) -> tuple[int, int]:
    first, last = wanted.from_version, wanted.to_version
    if first is None:
        raise BadParameterError("from_version is needed with to_version", parameter="from_version")
    newest = (await store.events.newest()).version
    last = newest if last is None else last
    if not 1 <= first <= last <= newest:
        message = f"from_version and to_version are versions from 1 to {newest}, the first not after the last"
        raise BadParameterError(message, parameter="from_version")
    if first < await store.floor.number():
        raise await store.floor.gone(first)
    return first, last


async def _events(
    store: Store, subscription: Subscription, place: Place, is_asked: Callable[[Event], bool]
) -> list[Event]:
    """Return the events after ``place`` that are asked for and that ``subscription`` may want."""
    wanted = filter_of(subscription, await filters_by_name(store))
    found: list[Event] = []
    while events := await store.events.after(place, _READ):
        asked = [event for event in events if is_asked(event) and passes(event, wanted)]
        found += [event for event in asked if (await hearers(store, event))(subscription)]
        if len(found) > MOST:
            raise BadParameterError(f"a replay has at most {MOST:,} events: ask for fewer", parameter="replay")
        place = events[-1].place
    return found
