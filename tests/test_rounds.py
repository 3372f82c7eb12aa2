"""When what waits is told, and what of it is told as one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from catalog_service.notify.rounds import due_at, next_digest, round_of, waits
from schema.event import EventType, Place
from schema.subscription import Digest, Every, Parcel, QueueItem, Subscription, Weekday
from tests.api_client import START
from tests.telling import subscription

ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Santiago")
DAYS = tuple(Weekday)
NOTICES = (EventType.HELD, EventType.DEGRADED, EventType.RECOVERED, EventType.DISABLED)
SPRING, AUTUMN = datetime(2027, 3, 27, tzinfo=UTC), datetime(2027, 10, 30, tzinfo=UTC)
hours = st.integers(0, 4 * 365 * 24).map(lambda one: timedelta(hours=one))
nearby = st.integers(0, 10 * 24 * 60).map(lambda one: timedelta(minutes=one))
moments = hours.map(START.__add__) | nearby.map(SPRING.__add__) | nearby.map(AUTUMN.__add__)
times = st.times().map(lambda one: f"{one:%H:%M}")
digests = st.builds(Digest, st.sampled_from(Every), times, st.sampled_from(ZONES), st.sampled_from(Weekday))


@st.composite
def queues(draw: st.DrawFn, of: Sequence[EventType] = (EventType.COMMITTED, *NOTICES)) -> tuple[QueueItem, ...]:
    """Draw items as the relay puts them in: in the order of the stream, each at a place of its own."""
    items: list[QueueItem] = []
    version, notice = 0, 0
    for type_ in draw(st.lists(st.sampled_from(of), min_size=1, max_size=12)):
        is_version = type_ is EventType.COMMITTED
        version, notice = (version + 1, 0) if is_version else (version, notice + 1)
        place, at = Place(version, notice), datetime(2026, 11, 2, tzinfo=UTC) + timedelta(minutes=len(items))
        items.append(QueueItem(Parcel(place, place, draw(st.sampled_from("abc"))), type_, at))
    return tuple(items)


def settling(settle_s: int = 60) -> Subscription:
    return subscription("sub_a", "https://a.example/", settle_s=settle_s)


def digesting(digest: Digest) -> Subscription:
    return subscription("sub_a", "https://a.example/", digest=digest)


def covers(one: QueueItem, item: QueueItem) -> bool:
    """Tell whether ``one`` tells of ``item``."""
    is_same_kind = (one.type is EventType.COMMITTED) is (item.type is EventType.COMMITTED)
    is_source = one.parcel.source in (None, item.parcel.source)
    return is_same_kind and is_source and one.parcel.first <= item.parcel.first and item.parcel.last <= one.parcel.last


def exists(day: datetime, zone: ZoneInfo) -> bool:
    """Tell whether the clocks of ``zone`` ever show ``day``: an hour, or once a day, was left out where they jump."""
    local = day.replace(tzinfo=zone)
    return local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == day.replace(tzinfo=None)


@given(digests, moments)
def test_the_next_digest_is_at_its_time_on_its_day(digest: Digest, after: datetime) -> None:
    """It is in the future, on the day and at the time asked for by the clock of its zone, unless that jumps over it."""
    at, zone = next_digest(digest, after), ZoneInfo(digest.zone)
    assert at > after
    assert at.tzinfo is UTC
    local = at.astimezone(zone)
    assume(local.strftime("%H:%M") == digest.at or exists(datetime.combine(local, time.fromisoformat(digest.at)), zone))
    assert local.strftime("%H:%M") == digest.at
    assert digest.every is Every.DAILY or DAYS[local.weekday()] is digest.weekday


@given(digests, moments)
def test_no_digest_is_left_out(digest: Digest, after: datetime) -> None:
    """The next one comes within its period and the hour that clocks are put back; then the one after it."""
    period = timedelta(days=1 if digest.every is Every.DAILY else 7, hours=1)
    first = next_digest(digest, after)
    assert first - after <= period
    assert timedelta(0) < next_digest(digest, first) - first <= period


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (datetime(2027, 3, 27, 2, tzinfo=UTC), datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),  # no 02:30: an hour later
        (datetime(2027, 3, 28, 1, 30, tzinfo=UTC), datetime(2027, 3, 29, 0, 30, tzinfo=UTC)),
        (datetime(2027, 10, 30, 2, tzinfo=UTC), datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),  # 02:30 twice: the first
        (datetime(2027, 10, 31, 0, 30, tzinfo=UTC), datetime(2027, 11, 1, 1, 30, tzinfo=UTC)),
    ],
)
def test_when_clocks_are_changed(after: datetime, expected: datetime) -> None:
    """One digest a day: where its time is left out an hour later by that clock, where it comes twice at the first."""
    assert next_digest(Digest(Every.DAILY, "02:30", "Europe/Berlin"), after) == expected


@given(queues(), st.booleans())
def test_a_round_keeps_everything_once_in_order(queue: tuple[QueueItem, ...], is_digest: bool) -> None:
    """Each event is told by exactly one of what comes out, in the order of the newest in each, and waits no more."""
    subscribed = digesting(Digest(Every.DAILY)) if is_digest else settling()
    told = round_of(subscribed, queue)
    assert all(sum(covers(one, item) for one in told) == 1 for item in queue)
    assert [one.parcel.last for one in told] == sorted({one.parcel.last for one in told})
    assert not any(waits(subscribed, one) for one in told)
    assert sum(one.type is not EventType.COMMITTED for one in told) == sum(item.type in NOTICES for item in queue)


@given(queues())
def test_one_a_source_or_one_of_a_digest(queue: tuple[QueueItem, ...]) -> None:
    """The versions of a settle window are told as one a source; those of a digest as one."""
    versions = [item.parcel.source for item in queue if item.type is EventType.COMMITTED]
    by_source = [one.parcel.source for one in round_of(settling(), queue) if one.type is EventType.COMMITTED]
    assert sorted(map(str, by_source)) == sorted(set(map(str, versions)))
    digest = round_of(digesting(Digest(Every.DAILY)), queue)
    assert sum(one.type is EventType.COMMITTED for one in digest) == min(1, len(versions))


@given(queues(), st.booleans())
def test_what_is_told_alone_keeps_its_parcel(queue: tuple[QueueItem, ...], is_digest: bool) -> None:
    """One item of a round, and each notice, has the id that it would have had by itself."""
    told = round_of(digesting(Digest(Every.WEEKLY)) if is_digest else settling(), queue)
    for one in told:
        members = [item for item in queue if covers(one, item)]
        if len(members) == 1:
            assert (one.parcel, one.type, one.at) == (members[0].parcel, members[0].type, members[0].at)
        else:
            assert (one.parcel.first, one.parcel.last) == (members[0].parcel.first, members[-1].parcel.last)


@given(queues(), st.integers(1, 86_400), digests)
def test_due(queue: tuple[QueueItem, ...], settle_s: int, digest: Digest) -> None:
    """A settle window holds versions alone, a digest holds notices too; neither holds what a round came to."""
    for item in queue:
        window = timedelta(seconds=settle_s if item.type is EventType.COMMITTED else 0)
        assert due_at(settling(settle_s), item) == item.at + window
        assert waits(settling(settle_s), item) is (item.type is EventType.COMMITTED)
        assert due_at(digesting(digest), item) == next_digest(digest, item.at)
        assert waits(digesting(digest), item)
        assert due_at(settling(0), item) == item.at
        assert not waits(settling(0), item)
    for one in round_of(digesting(digest), queue):
        assert due_at(digesting(digest), one) == one.at
