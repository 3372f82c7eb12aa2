"""When what waits in a queue is told, and what of it is told as one. Pure; called by relay and notifier.

In: a subscription, and items of its queue. Each version is told by itself unless a settle window or a digest makes it
wait: then all that waits when it is due becomes a round, one item a source, or one for all of a digest.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from schema.event import EventType
from schema.subscription import Digest, Every, Parcel, QueueItem, Subscription, Weekday

_DAYS = tuple(Weekday)


def due_at(subscription: Subscription, item: QueueItem) -> datetime:
    """Return when ``item`` is to be told at the earliest; ``item.at`` where nothing makes it wait."""
    if item.settled:
        return item.at
    if subscription.digest:
        return next_digest(subscription.digest, item.at)
    waits_s = subscription.settle_s if item.type is EventType.COMMITTED else 0
    return item.at + timedelta(seconds=waits_s)


def waits(subscription: Subscription, item: QueueItem) -> bool:
    """Tell whether ``item`` has to become part of a round before it is told."""
    in_rounds = subscription.digest or (subscription.settle_s and item.type is EventType.COMMITTED)
    return bool(in_rounds) and not item.settled


def round_of(subscription: Subscription, queue: tuple[QueueItem, ...]) -> tuple[QueueItem, ...]:
    """Return what is told in place of the items of ``queue`` that wait, in the order of the newest in each."""
    groups: dict[object, list[QueueItem]] = {}
    for item in queue:
        if item.type is EventType.COMMITTED:
            groups.setdefault(None if subscription.digest else item.parcel.source, []).append(item)
        else:
            groups[item.parcel.first] = [item]
    told = (_as_one(items, None if subscription.digest else items[0].parcel.source) for items in groups.values())
    return tuple(sorted(told, key=lambda one: one.parcel.last))


def next_digest(digest: Digest, after: datetime) -> datetime:
    """Return the first time past ``after`` at which ``digest`` is sent, UTC."""
    zone = ZoneInfo(digest.zone)
    day, clock = after.astimezone(zone).date(), time.fromisoformat(digest.at)
    for _ in range(9):
        moment = datetime.combine(day, clock, zone).astimezone(UTC)
        is_day = digest.every is Every.DAILY or _DAYS[day.weekday()] is digest.weekday
        if is_day and moment > after:
            return moment
        day += timedelta(days=1)
    raise AssertionError("a week has every weekday")


def _as_one(items: list[QueueItem], source: str | None) -> QueueItem:
    """Return ``items`` as one; a single one keeps its parcel, and so the id of its delivery."""
    first, last = items[0], items[-1]
    if first is last:
        return QueueItem(first.parcel, first.type, first.at, settled=True)
    parcel = Parcel(first.parcel.first, last.parcel.last, source, last.parcel.made)
    return QueueItem(parcel, first.type, last.at, settled=True)
