"""What follows the store in the background: nothing ends it but being cancelled, and its trouble is told."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from structlog.typing import EventDict

from catalog_service.api.app import create_app
from catalog_service.api.hub import Hub
from catalog_service.reader import Reader
from catalog_service.store import keys
from catalog_service.store.connect import Store
from catalog_service.store.leases import Ask
from catalog_service.tasks import forever, stop
from schema.errors import CorruptContentError
from schema.event import Place
from tests.api_client import DAY, SOURCES, START, TAGS, TAGS_1, TAGS_2, client, commit, published

WAIT_S = 10.0


@pytest.fixture
async def reader(store: Store) -> Reader:
    """A reader that serves version 3."""
    await published(store)
    made = Reader(store)
    await made.refresh()
    return made


async def test_again_and_again_whatever_happens(logged: list[EventDict]) -> None:
    """A step that fails is done again, and each kind of failure is logged once for as long as it lasts."""
    failures = iter(
        [OSError("away"), OSError("away"), ValueError("oops"), ValueError("oops"), None, ValueError("oops")]
    )
    done = asyncio.Event()

    async def step() -> None:
        if (failure := next(failures, done)) is done:
            done.set()
        elif isinstance(failure, Exception):
            raise failure

    going = asyncio.create_task(forever(step, "it fails", retry_s=0.0))
    await asyncio.wait_for(done.wait(), WAIT_S)
    await stop(going)
    assert [(one["event"], one["log_level"]) for one in logged] == [
        ("it fails", "warning"),
        ("it fails", "error"),
        ("it fails", "error"),
    ]
    assert isinstance(logged[1]["exc_info"], ValueError)


@pytest.mark.parametrize(
    ("damage", "repair", "trouble"),
    [
        (("SET", keys.HEAD, "oops"), ("SET", keys.HEAD, "4"), "a stored number cannot be read"),
        (("ZADD", keys.line(TAGS), "4.5", "oops"), ("ZREM", keys.line(TAGS), "oops"), "ValueError"),
    ],
    ids=["head", "line"],
)
async def test_a_damaged_store_is_a_trouble_until_it_is_repaired(
    store: Store, reader: Reader, damage: tuple[str, ...], repair: tuple[str, ...], trouble: str
) -> None:
    """A reader that cannot read the newest version says so in /readyz, and serves it once it can be read."""
    await commit(store, TAGS, TAGS_1, START + 3 * DAY)
    ask: Ask = store.redis.execute_command
    await ask(*damage)
    async with client(create_app(reader, SOURCES)) as http:
        following = asyncio.create_task(reader.follow())
        async with asyncio.timeout(WAIT_S):
            while not (told := (await http.get("/readyz")).json())["troubles"]:
                await asyncio.sleep(0.01)
            assert (told["version"], told["troubles"]) == (3, [f"the newest version cannot be read: {trouble}"])
            assert (await http.get("/", headers={"Accept": "text/html"})).status_code == 200
            await ask(*repair)
            await reader.wait_past(3)
            while reader.troubles or reader.away:
                await asyncio.sleep(0.01)
        assert not following.done()
        await stop(following)


async def test_damaged_numbers_are_corrupt_content(store: Store) -> None:
    """A number that is none is told as damage, wherever it is read."""
    await store.redis.mset({keys.HEAD: "oops", keys.LAST: "oops", keys.FLOOR: "oops"})
    for read in (store.versions.head, store.versions.last, store.floor.number, store.numbers.read):
        with pytest.raises(CorruptContentError):
            await read()


async def test_an_event_of_an_unknown_kind_holds_up_what_follows_it(store: Store, reader: Reader) -> None:
    """Listeners wait at an entry that cannot be read, and feeds say it is damaged; once it has gone all goes on."""
    await store.redis.xadd(keys.EVENTS, {"kind": "future"}, id="3-5")
    hub = Hub(reader, retry_s=0.01)
    tasks = [asyncio.create_task(one.follow()) for one in (reader, hub)]
    async with client(create_app(reader, SOURCES)) as http:
        feed = await http.get("/v1/feed.atom")
    assert (feed.status_code, feed.json()["code"]) == (500, "CORRUPT_CONTENT")
    await commit(store, TAGS, TAGS_1, START + 3 * DAY)
    await asyncio.wait_for(reader.wait_past(3), WAIT_S)
    assert await hub.after(Place(3)) == ()
    with pytest.raises(CorruptContentError, match="unknown kind at 3-5"):
        await store.events.after(Place(3), 9)
    await store.redis.xdel(keys.EVENTS, "3-5")
    heard = hub.versions(3)
    assert (await asyncio.wait_for(anext(heard), WAIT_S)).version == 4
    await commit(store, TAGS, TAGS_2, START + 4 * DAY)
    assert (await asyncio.wait_for(anext(heard), WAIT_S)).version == 5
    await heard.aclose()
    assert not any(one.done() for one in tasks)
    await stop(*tasks)


async def test_a_listener_that_hears_nothing_is_looked_at(reader: Reader) -> None:
    """Who may listen no more is found out in a quiet time, too."""
    rounds = itertools.count()

    async def idle() -> None:
        if next(rounds) == 2:
            raise PermissionError

    heard = Hub(reader, idle_s=0.01).versions(3, idle)
    with pytest.raises(PermissionError):
        await asyncio.wait_for(anext(heard), WAIT_S)
    assert next(rounds) == 3
