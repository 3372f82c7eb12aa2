"""The hub: every listener gets every version once, in order, at its own pace."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from catalog_service.api.hub import Hub
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from catalog_service.tasks import stop
from schema.errors import UnknownVersionError
from tests.api_client import DAY, START, TAGS, TAGS_1, TAGS_2, away, commit


async def committed(store: Store, first: int, last: int) -> None:
    """Commit the versions from ``first`` to ``last``."""
    for number in range(first, last + 1):
        await commit(store, TAGS, TAGS_1 if number % 2 else TAGS_2, START + number * DAY)


async def heard(hub: Hub, since: int, count: int) -> list[int]:
    """Return the numbers of the next ``count`` versions after ``since``."""
    found: list[int] = []
    async with aclosing(hub.versions(since)) as versions:
        async for version in versions:
            found.append(version.version)
            if len(found) == count:
                return found
    return found


async def test_listeners_hear_everything_wherever_they_begin(store: Store) -> None:
    """From the beginning, from the middle, from now on: those that come late and those that wait."""
    await committed(store, 1, 5)
    reader = Reader(store)
    await reader.refresh()
    hub, following = Hub(reader), asyncio.create_task(reader.follow())
    listening = [asyncio.create_task(heard(hub, since, 9 - since)) for since in (0, 3, 5, 5, 0)]
    await committed(store, 6, 9)
    found = await asyncio.wait_for(asyncio.gather(*listening), 10)
    await stop(following)
    assert found == [list(range(since + 1, 10)) for since in (0, 3, 5, 5, 0)]


async def test_what_is_no_longer_in_memory_comes_from_the_store(store: Store) -> None:
    """A listener that was away for longer than the hub keeps versions misses none."""
    await committed(store, 1, 12)
    reader = Reader(store)
    await reader.refresh()
    hub = Hub(reader, kept=3, read=2)
    for _ in range(2):
        assert await heard(hub, 0, 12) == list(range(1, 13))
        assert await heard(hub, 10, 2) == [11, 12]


async def test_nobody_hears_of_a_version_before_it_is_served(store: Store) -> None:
    """Who asks for the version that is told gets it: the reader has it by then."""
    await committed(store, 1, 2)
    reader = Reader(store)
    await reader.refresh()
    await committed(store, 3, 3)
    hub = Hub(reader)
    assert await heard(hub, 0, 2) == [1, 2]
    third = asyncio.create_task(heard(hub, 2, 1))
    await asyncio.wait({third}, timeout=0.05)
    assert not third.done()
    await reader.refresh()
    assert await asyncio.wait_for(third, 5) == [3]


async def test_listeners_outlive_an_outage_of_the_store(store: Store) -> None:
    """While Redis is away nothing comes; then everything does."""
    await committed(store, 1, 3)
    reader = Reader(store)
    await reader.refresh()
    reader.store = away()
    listening = asyncio.create_task(heard(Hub(reader, retry_s=0.01), 0, 3))
    await asyncio.wait({listening}, timeout=0.05)
    assert not listening.done()
    reader.store = store
    assert await asyncio.wait_for(listening, 5) == [1, 2, 3]


async def test_what_the_store_lost_is_asked_for_once_in_a_while(store: Store) -> None:
    """A store that was emptied under a service is not asked without end; what is committed anew is heard."""
    await committed(store, 1, 3)
    reader = Reader(store)
    await reader.refresh()
    hub = Hub(reader)
    await store.redis.flushall()
    await store.redis.config_resetstat()
    listening = asyncio.create_task(heard(hub, 0, 3))
    for _ in range(500):
        await store.redis.ping()
    asked = await store.redis.info("commandstats")
    assert asked["cmdstat_zrangebyscore"]["calls"] < 10
    await committed(store, 1, 3)
    assert await asyncio.wait_for(listening, 10) == [1, 2, 3]


@pytest.mark.parametrize("since", [-1, 3, 10**12])
async def test_a_place_that_is_none(store: Store, since: int) -> None:
    """Beyond the newest there is nothing to go on from."""
    await committed(store, 1, 2)
    reader = Reader(store)
    await reader.refresh()
    hub = Hub(reader)
    with pytest.raises(UnknownVersionError) as told:
        hub.check(since)
    assert told.value.facts["parameter"] == "since"
    assert [hub.check(0), hub.check(2)] == [0, 2]
