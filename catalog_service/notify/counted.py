"""What came of an attempt, for whoever watches: its metrics and its one line in the log. Called by `notifier`."""

from __future__ import annotations

import structlog

from catalog_service import metrics
from catalog_service.notify.settling import Tried
from catalog_service.store.queues import Settlement
from schema.event import EventType
from schema.subscription import DeliveryState, Status

_DELIVERED, _RETRIED, _DEAD = "delivered", "retried", "dead"
_log = structlog.get_logger()


def count_attempt(told: Settlement, id_: str, tried: Tried | None) -> None:
    """Count and log what came of the head of a claimed queue, under ``id_``; ``tried`` None: nothing was sent."""
    channel, outcome = told.claim.subscription.channel.value, _outcome(told, tried)
    metrics.DELIVERIES.labels(channel, outcome).inc()
    if tried is None:
        return
    metrics.DELIVERY_ATTEMPT_SECONDS.labels(channel).observe(tried.attempt.latency_ms / 1000)
    attempt_count = len(told.delivery.attempts) if told.delivery else 1
    if outcome == _DELIVERED:
        metrics.DELIVERY_ATTEMPTS.labels(channel).observe(attempt_count)
        if told.claim.item.type is not EventType.PING and not told.claim.subscription.digest:
            waited_s = (told.now - told.claim.item.at).total_seconds()
            metrics.DELIVERY_SECONDS.labels(channel).observe(max(0.0, waited_s))
    _logged(told, id_, tried, outcome, attempt_count)


def _outcome(told: Settlement, tried: Tried | None) -> str:
    if tried is None:
        return DeliveryState.NOTHING.value
    if not tried.attempt.error:
        return _DELIVERED
    if told.after and told.after.status is Status.DISABLED:
        return Status.DISABLED.value
    return _DEAD if told.is_done else _RETRIED


def _logged(told: Settlement, id_: str, tried: Tried, outcome: str, attempt_count: int) -> None:
    item, attempt = told.claim.item, tried.attempt
    log = _log.warning if attempt.error else _log.info
    log(
        "delivery",
        delivery=id_,
        subscription=told.claim.subscription.id,
        channel=told.claim.subscription.channel.value,
        type=item.type.value,
        place=str(item.parcel.last),
        outcome=outcome,
        attempts=attempt_count,
        ms=attempt.latency_ms,
        status=attempt.status,
        **({"error": attempt.error} if attempt.error else {}),
    )
