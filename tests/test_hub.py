"""The hub: every listener gets every event once, in order, at its own pace."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_service.api.hub import Hub
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from catalog_service.tasks import stop
from schema.errors import UnknownVersionError
from schema.event import Place, place_of
from schema.version import SourceState
from tests.api_client import DAY, START, TAGS, TAGS_1, TAGS_2, away, commit


async def committed(store: Store, first: int, last: int) -> None:
    """Commit the versions from ``first`` to ``last``."""
    for number in range(first, last + 1):
        await commit(store, TAGS, TAGS_1 if number % 2 else TAGS_2, START + number * DAY)


async def noticed(store: Store, count: int = 1) -> None:
    """Put notices into the stream, after the newest version."""
    for number in range(count):
        async with store.leases.hold(TAGS) as lease:
            assert lease is not None
            failing = SourceState(checked_at=START + number * DAY, failures=3, error="it does not answer")
            await store.sources.record(lease, failing)


async def serving(store: Store) -> Reader:
    """Return a reader that has the newest version."""
    reader = Reader(store)
    await reader.refresh()
    return reader


@contextlib.asynccontextmanager
async def following(reader: Reader, hub: Hub) -> AsyncIterator[None]:
    """Follow the catalogue for a block, as the application does."""
    tasks = asyncio.create_task(reader.follow()), asyncio.create_task(hub.follow())
    try:
        yield
    finally:
        await stop(*tasks)


async def heard(hub: Hub, since: int, count: int) -> list[int]:
    """Return the numbers of the next ``count`` versions after ``since``."""
    found: list[int] = []
    async with aclosing(hub.versions(since)) as versions:
        async for version in versions:
            found.append(version.version)
            if len(found) == count:
                return found
    return found


async def places(hub: Hub, since: str, count: int) -> list[str]:
    """Return the places of the next ``count`` events after ``since``."""
    found: list[str] = []
    start = place_of(since)
    assert start
    async with aclosing(hub.events(start)) as events:
        async for event in events:
            found.append(str(event.place))
            if len(found) == count:
                return found
    return found


async def test_listeners_hear_everything_wherever_they_begin(store: Store) -> None:
    """From the beginning, from the middle, from now on: those that come late and those that wait."""
    await committed(store, 1, 5)
    reader = await serving(store)
    hub = Hub(reader)
    async with following(reader, hub):
        listening = [asyncio.create_task(heard(hub, since, 9 - since)) for since in (0, 3, 5, 5, 0)]
        await committed(store, 6, 9)
        found = await asyncio.wait_for(asyncio.gather(*listening), 10)
    assert found == [list(range(since + 1, 10)) for since in (0, 3, 5, 5, 0)]


async def test_notices_stand_between_the_versions(store: Store) -> None:
    """A notice comes after the version it followed and before the next, to those that wait and those that resume."""
    await committed(store, 1, 1)
    reader = await serving(store)
    hub = Hub(reader)
    async with following(reader, hub):
        listening = asyncio.create_task(places(hub, "1", 4))
        await noticed(store, 2)
        await committed(store, 2, 2)
        await noticed(store)
        assert await asyncio.wait_for(listening, 10) == ["1-1", "1-2", "2", "2-1"]
        assert await asyncio.wait_for(places(hub, "1-1", 3), 10) == ["1-2", "2", "2-1"]
        assert await asyncio.wait_for(heard(hub, 0, 2), 10) == [1, 2]


async def test_who_listens_from_now_on_hears_nothing_old(store: Store) -> None:
    """A process that begins knows which notices were before."""
    await committed(store, 1, 1)
    await noticed(store)
    reader = await serving(store)
    hub = Hub(reader)
    await hub.refresh()
    assert hub.newest == Place(1, 1)
    await committed(store, 2, 2)
    await hub.refresh()
    assert hub.newest == Place(1, 1)


async def test_a_notice_waits_for_the_version_before_it(store: Store) -> None:
    """Where a version is in the stream and not served yet, what follows it is not told either."""
    await committed(store, 1, 1)
    reader = await serving(store)
    hub = Hub(reader)
    telling = asyncio.create_task(hub.follow())
    await committed(store, 2, 2)
    await noticed(store)
    listening = asyncio.create_task(places(hub, "0", 3))
    await asyncio.wait({listening}, timeout=0.05)
    assert not listening.done()
    assert [str(one.place) for one in await hub.recent()] == ["1"]
    await reader.refresh()
    assert await asyncio.wait_for(listening, 10) == ["1", "2", "2-1"]
    await stop(telling)


async def test_what_is_no_longer_in_memory_comes_from_the_store(store: Store) -> None:
    """A listener that was away for longer than the hub keeps events misses none."""
    await committed(store, 1, 12)
    hub = Hub(await serving(store), kept=3, read=2)
    for _ in range(2):
        assert await heard(hub, 0, 12) == list(range(1, 13))
        assert await heard(hub, 10, 2) == [11, 12]
    assert [one.place.version for one in await hub.recent()] == [10, 11, 12]


async def test_nobody_hears_of_a_version_before_it_is_served(store: Store) -> None:
    """Who asks for the version that is told gets it: the reader has it by then."""
    await committed(store, 1, 2)
    reader = await serving(store)
    await committed(store, 3, 3)
    hub = Hub(reader)
    telling = asyncio.create_task(hub.follow())
    assert await heard(hub, 0, 2) == [1, 2]
    third = asyncio.create_task(heard(hub, 2, 1))
    await asyncio.wait({third}, timeout=0.05)
    assert not third.done()
    await reader.refresh()
    assert await asyncio.wait_for(third, 5) == [3]
    await stop(telling)


async def test_listeners_outlive_an_outage_of_the_store(store: Store) -> None:
    """While Redis is away nothing comes; then everything does."""
    await committed(store, 1, 3)
    reader = await serving(store)
    reader.store = away()
    hub = Hub(reader, retry_s=0.01)
    listening, telling = asyncio.create_task(heard(hub, 0, 4)), asyncio.create_task(hub.follow())
    await asyncio.wait({listening, telling}, timeout=0.05)
    assert not listening.done()
    assert not telling.done()
    reader.store = store
    await committed(store, 4, 4)
    await reader.refresh()
    assert await asyncio.wait_for(listening, 5) == [1, 2, 3, 4]
    await stop(telling)


async def test_what_the_store_lost_is_asked_for_once_in_a_while(store: Store) -> None:
    """A store that was emptied under a service is not asked without end; what is committed anew is heard."""
    await committed(store, 1, 3)
    hub = Hub(await serving(store))
    await store.redis.flushall()
    await store.redis.config_resetstat()
    listening = asyncio.create_task(heard(hub, 0, 3))
    for _ in range(500):
        await store.redis.ping()
    asked = await store.redis.info("commandstats")
    assert 0 < asked["cmdstat_xrange"]["calls"] < 10
    await committed(store, 1, 3)
    assert await asyncio.wait_for(listening, 10) == [1, 2, 3]


async def test_a_thousand_who_wait_ask_the_store_once(store: Store) -> None:
    """However many are woken, what came is read once."""
    await committed(store, 1, 2)
    reader = await serving(store)
    hub = Hub(reader)
    assert await heard(hub, 0, 2) == [1, 2]
    async with following(reader, hub):
        listening = [asyncio.create_task(heard(hub, 2, 1)) for _ in range(1000)]
        await asyncio.wait(listening, timeout=0.05)
        await store.redis.config_resetstat()
        await committed(store, 3, 3)
        assert await asyncio.wait_for(asyncio.gather(*listening), 10) == [[3]] * 1000
        asked = await store.redis.info("commandstats")
    assert asked["cmdstat_xrange"]["calls"] < 10


@pytest.mark.parametrize("since", [Place(-1), Place(3), Place(2, 1), Place(10**12)])
async def test_a_place_that_is_none(store: Store, since: Place) -> None:
    """Beyond the newest there is nothing to go on from."""
    await committed(store, 1, 2)
    hub = Hub(await serving(store))
    with pytest.raises(UnknownVersionError) as told:
        await hub.check(since)
    assert told.value.facts["parameter"] == "since"
    assert [await hub.check(Place(0)), await hub.check(Place(1, 5)), await hub.check(Place(2))]


async def test_a_place_that_another_process_told_of(store: Store) -> None:
    """A client may come from one that was ahead: its place is one as soon as the store has it."""
    await committed(store, 1, 2)
    hub = Hub(await serving(store))
    await committed(store, 3, 3)
    await noticed(store)
    assert await hub.check(Place(3, 1)) == Place(3, 1)


@settings(max_examples=50)
@given(st.builds(Place, st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1)))
def test_a_place_reads_as_it_is_written(place: Place) -> None:
    """The id of an event leads back to its place."""
    assert place_of(str(place)) == place
