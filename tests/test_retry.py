"""When a failed attempt is made again, and when no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog_service.notify.retry import CHALLENGES, JITTER, SCHEDULE_S, next_attempt, succeeded

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
chances = st.floats(0, 1)
counts = st.integers(1, len(SCHEDULE_S))


def test_the_schedule() -> None:
    """After 5 s, 5 and 30 minutes, 2, 5, 10, 14, 20 and 24 hours: three days and a bit, and then no more."""
    pauses = [next_attempt(count, NOW, 0.0, None) for count in range(1, 11)]
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    expected = [timedelta(seconds=5), 5 * minute, 30 * minute, *(count * hour for count in (2, 5, 10, 14, 20, 24))]
    assert pauses == [*(NOW + one for one in expected), None]


@given(counts, chances)
def test_jitter(count: int, chance: float) -> None:
    """Chance puts an attempt off, by a tenth of the pause at most, and never brings it forward."""
    at, pause = next_attempt(count, NOW, chance, None), timedelta(seconds=SCHEDULE_S[count - 1])
    assert at is not None
    assert NOW + pause <= at <= NOW + pause * (1 + JITTER) + timedelta(microseconds=1)


@given(counts, chances, st.floats(0, 24 * 3600))
def test_retry_after(count: int, chance: float, retry_after_s: float) -> None:
    """What the receiver asks for is waited for, and at least the schedule: the later of the two."""
    at, scheduled = next_attempt(count, NOW, chance, retry_after_s), next_attempt(count, NOW, chance, None)
    assert at is not None
    assert scheduled is not None
    assert at == max(scheduled, NOW + timedelta(seconds=retry_after_s))


@given(st.integers(1, 30), chances, st.none() | st.floats(0, 24 * 3600), st.integers(1, len(SCHEDULE_S) + 1))
def test_given_up(count: int, chance: float, retry_after_s: float | None, most: int) -> None:
    """After as many attempts as are made at most there is no other, whatever the receiver asks for; before, there is."""
    assert (next_attempt(count, NOW, chance, retry_after_s, most) is None) is (count >= most)


def test_a_challenge_is_given_up_within_the_hour() -> None:
    """Four times: at once, after 5 s, 5 minutes and 30 minutes."""
    pauses = [next_attempt(count, NOW, 0.0, None, CHALLENGES) for count in range(1, CHALLENGES + 1)]
    assert [at is None for at in pauses] == [False, False, False, True]
    assert sum((at - NOW for at in pauses if at), timedelta()) < timedelta(hours=1)


@pytest.mark.parametrize(
    ("status", "is_success"),
    [(None, False), (100, False), (199, False), (200, True), (202, True), (299, True), (300, False), (304, False)],
)
def test_success_is_2xx(status: int | None, is_success: bool) -> None:
    """Neither a redirect, nor an answer that never came, is one."""
    assert succeeded(status) is is_success
