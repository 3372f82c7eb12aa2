"""What an attempt comes to: delivered, tried again when, given up, or the subscription disabled. Pure.

The schedule is that of Standard Webhooks and Svix (features.md B6, limits-and-faults.md B1, B2). Called by `settling`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

_MINUTE, _HOUR = 60, 3600
SCHEDULE_S = (
    *(5, 5 * _MINUTE, 30 * _MINUTE),
    *(2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR),
)
"""Seconds before each retry."""
CHALLENGES = 4
"""How often a challenge is sent: a receiver may be started right after it was subscribed."""
JITTER = 0.1
FAILS_FOR = timedelta(days=5)
"""How long a subscription may fail before it is disabled."""
GONE = 410
_OK = range(200, 300)


def succeeded(status: int | None) -> bool:
    """Tell whether an answer is a success: 2xx alone; a redirect is none."""
    return status in _OK


def next_attempt(
    attempt_count: int, now: datetime, chance: float, retry_after_s: float | None, most: int = len(SCHEDULE_S) + 1
) -> datetime | None:
    """Return when to try again after ``attempt_count`` attempts, None: it is given up after ``most``.

    ``chance`` (0 to 1) puts it off by up to 10 %; never before the receiver wants it.
    """
    if attempt_count >= most:
        return None
    pause_s = SCHEDULE_S[attempt_count - 1] * (1 + JITTER * chance)
    return now + timedelta(seconds=max(pause_s, retry_after_s or 0.0))
