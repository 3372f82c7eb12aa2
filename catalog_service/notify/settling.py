"""What an attempt leaves behind: the delivery's log, the subscription's health, and whether it is tried again. Pure.

In: a claim, the attempt made, and the time. Out: a `Settlement`, written by `Queues.settle`. Called by `notifier`.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from catalog_service.notify.retry import CHALLENGES, FAILS_FOR, GONE, SCHEDULE_S, next_attempt
from catalog_service.store.queues import Claim, Settlement
from schema.event import EventType, Notice
from schema.subscription import Attempt, Delivery, DeliveryState, Health, Status


class Tried(Struct, frozen=True):
    """An attempt, and what the receiver said beside it."""

    attempt: Attempt
    retry_after_s: float | None = None
    confirms: bool = False
    """It answered the challenge."""


def settled(claim: Claim, delivery_id: str, tried: Tried, now: datetime, chance: float) -> Settlement:
    """Return what ``tried`` makes of the head of ``claim``'s queue. ``chance`` (0 to 1): see `next_attempt`."""
    if claim.item.type is EventType.PING:
        return _pinged(claim, delivery_id, tried, now, chance)
    delivery = _logged(claim, delivery_id, tried, now)
    if not tried.attempt.error:
        return Settlement(claim, now, _well(claim.health, now), is_done=True, delivery=delivery)
    health = _failing(claim.health, tried.attempt, now)
    if why := _given_up_on(health, tried.attempt, now):
        return _disabled(claim, replace(delivery, state=DeliveryState.RETRYING), health, why, now)
    due_at = next_attempt(len(delivery.attempts), now, chance, tried.retry_after_s)
    if due_at is None:
        dead = replace(health, dead_count=health.dead_count + 1)
        return Settlement(claim, now, dead, is_done=True, delivery=delivery)
    retried = replace(delivery, state=DeliveryState.RETRYING, next_at=due_at)
    return Settlement(claim, now, health, is_done=False, delivery=retried, due_at=due_at)


def nothing_told(claim: Claim, delivery_id: str, now: datetime) -> Settlement:
    """Return that the head of the queue tells its subscriber nothing (any more).

    Logged where it is several versions, or was tried before: its filter was another one then.
    """
    parcel, before, delivery = claim.item.parcel, _attempts(claim, delivery_id), None
    if parcel.first != parcel.last or before:
        delivery = _delivery(claim, delivery_id, DeliveryState.NOTHING, before, now)
    return Settlement(claim, now, claim.health, is_done=True, delivery=delivery)


def _pinged(claim: Claim, delivery_id: str, tried: Tried, now: datetime, chance: float) -> Settlement:
    """A ping has no part in health; a challenge that is not answered is sent a few times more."""
    delivery = _logged(claim, delivery_id, tried, now)
    is_challenge = claim.subscription.status is Status.UNVERIFIED
    if not tried.attempt.error:
        active = replace(claim.subscription, status=Status.ACTIVE) if is_challenge and tried.confirms else None
        return Settlement(claim, now, claim.health, is_done=True, delivery=delivery, after=active)
    most = CHALLENGES if is_challenge else 1
    due_at = next_attempt(len(delivery.attempts), now, chance, tried.retry_after_s, most)
    if due_at is None:
        return Settlement(claim, now, claim.health, is_done=True, delivery=delivery)
    retried = replace(delivery, state=DeliveryState.RETRYING, next_at=due_at)
    return Settlement(claim, now, claim.health, is_done=False, delivery=retried, due_at=due_at)


def _logged(claim: Claim, delivery_id: str, tried: Tried, now: datetime) -> Delivery:
    """Return the delivery with its attempt; of one that failed as if it were the last."""
    state = DeliveryState.DEAD if tried.attempt.error else DeliveryState.DELIVERED
    attempts = (*_attempts(claim, delivery_id), tried.attempt)[-len(SCHEDULE_S) - 1 :]
    return _delivery(claim, delivery_id, state, attempts, now)


def _attempts(claim: Claim, delivery_id: str) -> tuple[Attempt, ...]:
    return claim.trying.attempts if claim.trying and claim.trying.id == delivery_id else ()


def _delivery(claim: Claim, id_: str, state: DeliveryState, attempts: tuple[Attempt, ...], now: datetime) -> Delivery:
    return Delivery(id_, claim.subscription.id, claim.item.type, claim.item.parcel, state, now, attempts)


def _well(health: Health, now: datetime) -> Health:
    return replace(health, failing_since=None, succeeded_at=now, error="", delivered_count=health.delivered_count + 1)


def _failing(health: Health, attempt: Attempt, now: datetime) -> Health:
    return replace(health, failing_since=health.failing_since or now, failed_at=now, error=attempt.error)


def _given_up_on(health: Health, attempt: Attempt, now: datetime) -> str:
    """Return why nothing more is to be sent, empty where it is."""
    if attempt.status == GONE:
        return "the receiver answered 410 Gone"
    if health.failing_since and now - health.failing_since >= FAILS_FOR:
        return f"every attempt failed for {FAILS_FOR.days} days: {attempt.error}"
    return ""


def _disabled(claim: Claim, delivery: Delivery, health: Health, why: str, now: datetime) -> Settlement:
    """Disable the subscription; what it was to be told waits until a person resumes it."""
    after = replace(claim.subscription, status=Status.DISABLED, why=why)
    notice = Notice(EventType.DISABLED, now, claim.subscription.id, (why,), since=health.failing_since)
    return Settlement(claim, now, health, is_done=False, delivery=delivery, due_at=now, after=after, notice=notice)
