"""A commit that Redis lost with its last second is made again, and nobody is told of it under a second id."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from catalog_service.reader import Reader
from catalog_service.store.connect import Store, open_store
from catalog_service.store.fsck import fsck
from catalog_service.store.server_process import spawn, stop
from catalog_service.subscriptions.ids import change_of
from catalog_service.sync.run import run_source
from schema.event import Place
from tests.local_source import NOW, Clock, Shelf, body, local_source
from tests.telling import Receiver, notifying, subscribed, subscription
from tests.whole_store import TAGS

A, B = local_source("a-source"), local_source("b-source")
TWO = {**TAGS, "t1": ["20.1.0.0/17"]}
OTHER = {**TAGS, "t2": ["20.2.0.0/17"]}


class Server:
    """A server of our own, whose power is cut: it forgets all since `remember`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = folder / "kept"
        self._process = spawn(folder, folder / "s")

    @contextlib.asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        while not (self._folder / "s").exists():
            await asyncio.sleep(0.01)
        async with open_store(f"unix://{self._folder / 's'}", self._folder, service=False) as opened:
            yield opened

    def remember(self) -> None:
        shutil.copytree(self._folder / "redis" / "appendonlydir", self._kept)

    def lose_power(self) -> None:
        """Kill the server, and start it again with what was on the disk."""
        self._process.kill()
        self._process.wait()
        (self._folder / "s").unlink()
        shutil.rmtree(self._folder / "redis" / "appendonlydir")
        shutil.copytree(self._kept, self._folder / "redis" / "appendonlydir")
        self._process = spawn(self._folder, self._folder / "s")

    def stop(self) -> None:
        stop(self._process, 10)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    made = Server(tmp_path)
    yield made
    made.stop()


async def tell(store: Store, receiver: Receiver, clock: Clock) -> None:
    async with notifying(store, clock, (receiver.port,)) as notifier:
        await notifier.once()


async def lost(server: Server, receiver: Receiver, clock: Clock, shelf: Shelf) -> Reader:
    """Commit version 2 of A, tell a subscriber of it, and lose it; a reader that served it."""
    async with server.store() as store:
        await store.queues.skip(Place(0))
        await subscribed(store, subscription("sub_a", receiver.url()))
        shelf.bodies = {A.url: body(TAGS), B.url: body(TAGS)}
        await run_source(A, shelf, store, clock)
        await tell(store, receiver, clock)
        server.remember()
        shelf.bodies[A.url] = body(TWO)
        clock.forward(minutes=1)
        assert (await run_source(A, shelf, store, clock)).version == 2
        await tell(store, receiver, clock)
        reader = Reader(store)
        await reader.refresh()
    server.lose_power()
    clock.forward(minutes=1)
    return reader


async def test_the_next_sync_makes_it_again_under_the_id_it_was_told_under(
    server: Server, receiver: Receiver, clock: Clock
) -> None:
    """What the conditional request went by is lost with it, so upstream is read anew: the same digest, the same id."""
    shelf = Shelf()
    served = (await lost(server, receiver, clock, shelf)).current
    async with server.store() as store:
        assert await store.versions.head() == 1
        assert (await run_source(A, shelf, store, clock)).version == 2
        again = await store.versions.version(2)
        assert again.digest == served.by_source[A.name].version.digest
        assert again != served.by_source[A.name].version
        await tell(store, receiver, clock)
        assert (await fsck(store, clock)).findings == ()
    one, two, three = receiver.received
    assert (two.version, three.version, two.id) == (2, 2, three.id)
    assert one.id != two.id


async def test_another_source_may_take_its_number(server: Server, receiver: Receiver, clock: Clock) -> None:
    """It is told under the id it had, and what has its number now under an id of its own."""
    shelf = Shelf()
    reader = await lost(server, receiver, clock, shelf)
    async with server.store() as store:
        reader.store = store
        assert (await reader.refresh()).version == 2
        assert "went back from version 2 to 1" in reader.troubles[0]
        assert (await run_source(B, shelf, store, clock)).version == 2
        assert (await reader.refresh()).by_source.keys() == {A.name, B.name}
        assert reader.troubles == ()
        assert reader.current.by_source[A.name].version.version == 1
        assert (await run_source(A, shelf, store, clock)).version == 3
        await tell(store, receiver, clock)
    _, two, other, three = receiver.received
    assert (other.version, three.version) == (2, 3)
    assert (three.id == two.id, other.id == two.id) == (True, False)


async def test_what_upstream_has_by_then_is_told_as_what_it_is(
    server: Server, receiver: Receiver, clock: Clock
) -> None:
    """Other content under the lost number is other news; who served the lost one serves it as soon as it is there."""
    shelf = Shelf()
    reader = await lost(server, receiver, clock, shelf)
    shelf.bodies[A.url] = body(OTHER)
    async with server.store() as store:
        reader.store = store
        assert (await run_source(A, shelf, store, clock)).version == 2
        served = (await reader.refresh()).by_source[A.name]
        assert {one.title: list(one.prefixes) for one in served.endpoint_sets} == OTHER
        assert reader.troubles == ()
        await tell(store, receiver, clock)
    _, two, three = receiver.received
    assert (two.version, three.version) == (2, 2)
    assert two.id != three.id


async def test_the_same_step_taken_twice_is_two_changes(store: Store) -> None:
    """A source that goes there, back and there again is told three times; a version of another history is another."""
    shelf, clock = Shelf(), Clock()
    for given in (TAGS, TWO, OTHER, TWO):
        shelf.bodies[A.url] = body(given)
        clock.forward(days=1)
        await run_source(A, shelf, store, clock)
    versions = await store.versions.versions(range(1, await store.versions.head() + 1))
    changes = [change_of(after, before) for before, after in zip((None, *versions), versions, strict=False)]
    assert len(versions) >= 3
    assert len(set(changes)) == len(versions)
    elsewhere = replace(versions[0], committed_at=NOW - timedelta(days=9))
    assert change_of(versions[1], elsewhere) != changes[1]
    assert change_of(replace(versions[1], version=9, committed_at=NOW, fetched_at=NOW), versions[0]) == changes[1]
