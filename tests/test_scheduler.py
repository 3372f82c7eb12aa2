"""When a source is asked again, and that the scheduler asks."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from catalog_service.store.connect import Store
from catalog_service.sync.scheduler import JITTER, due_in_s, keep_synced
from schema.event import Place
from schema.version import SourceState
from tests.local_source import NOW, Clock, Shelf, body, local_source

SOURCE = local_source()
chances = st.floats(0, 1)
elapsed = st.integers(0, 10 * SOURCE.interval_s)
failures = st.integers(0, 1000)


def checked(seconds_ago: int, failed: int = 0) -> SourceState:
    return SourceState(checked_at=NOW - timedelta(seconds=seconds_ago), failures=failed)


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel ``task`` and see it end: a cancellation is never lost, wherever it arrives."""
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=20)
    assert done
    assert task.cancelled()


@given(chances)
def test_a_source_never_read_is_due_now(chance: float) -> None:
    """The first run does not wait for the interval."""
    assert due_in_s(SOURCE, SourceState(), NOW, chance) <= 0


@given(elapsed, chances)
def test_a_source_is_due_its_interval_after_the_last_check(since: int, chance: float) -> None:
    """Whoever checked it; jitter moves the moment by up to a tenth of the interval."""
    due = due_in_s(SOURCE, checked(since), NOW, chance)
    assert abs(due - (SOURCE.interval_s - since)) <= SOURCE.interval_s * JITTER + 1e-6


@given(failures, chances)
def test_a_failing_source_is_asked_sooner_and_ever_more_rarely(failed: int, chance: float) -> None:
    """The pause grows with each failure in a row and never beyond the interval."""
    pause, longer = (due_in_s(SOURCE, checked(0, failed=failed + more), NOW, chance) for more in (1, 2))
    assert 0 < pause <= longer <= SOURCE.interval_s * (1 + JITTER)


def test_the_first_retry_is_after_a_minute() -> None:
    """One failure is a transient fault until it is more than one."""
    assert due_in_s(SOURCE, checked(0, failed=1), NOW, 0.5) == 60
    assert due_in_s(SOURCE, checked(0, failed=2), NOW, 0.5) == 120


@given(st.integers(1, 10**9), chances)
def test_a_clock_set_back_does_not_stop_a_source(ahead: int, chance: float) -> None:
    """A check that seems to lie in the future counts as one just made."""
    assert due_in_s(SOURCE, checked(-ahead), NOW, chance) <= SOURCE.interval_s * (1 + JITTER)


async def test_every_source_is_synced_though_one_fails(store: Store) -> None:
    """A source without upstream fails alone; the lease of each is given back when the scheduler ends."""
    good, bad, shelf = local_source("good"), local_source("bad"), Shelf()
    shelf.bodies[good.url] = body({"t": ["20.1.0.0/16"]})
    scheduler = asyncio.create_task(keep_synced((bad, good), shelf, store, Clock(), lambda: 0.0))
    assert await store.events.wait(Place(0), 10_000)
    while not (await store.sources.state(bad.name)).failures:
        assert not scheduler.done()
    await ended(scheduler)
    assert (await store.versions.version(1)).source == good.name
    assert await store.leases.acquire(good.name)
    assert await store.leases.acquire(bad.name)


async def test_a_source_checked_by_another_is_left_alone(store: Store) -> None:
    """A second scheduler on the same store finds it fresh and does not ask upstream."""
    source, shelf = local_source(), Shelf()
    lease = await store.leases.acquire(source.name)
    assert lease
    await store.sources.record(lease, checked(1))
    await store.leases.release(lease)
    scheduler = asyncio.create_task(keep_synced((source,), shelf, store, Clock(), lambda: 0.0))
    assert not await store.events.wait(Place(0), 200)
    await ended(scheduler)
    assert shelf.asked == 0
