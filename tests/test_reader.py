"""The reader: waiting for news, resuming after a number, and what one version changed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from catalog_service.catalog.diff import added, diff
from catalog_service.reader import Reader
from catalog_service.store import keys
from catalog_service.store.connect import Store
from catalog_service.sync.history import import_history
from catalog_service.sync.run import run_source
from schema.errors import UnknownVersionError
from scrapers.history.files import HistoricFile
from tests.local_source import NOW, Clock, Shelf, body, local_source

MANY = {f"t{i}": [f"22.{i}.0.0/16"] for i in range(30)}
SOURCE = local_source()


async def sync(store: Store, number: int, name: str = SOURCE.name) -> None:
    """Commit a version whose content is told by ``number``."""
    source, shelf = local_source(name), Shelf()
    shelf.bodies[source.url] = body({**MANY, "t1": [f"20.{number}.0.0/16"]})
    await run_source(source, shelf, store, Clock(NOW + timedelta(hours=number)))


async def imported(store: Store, folder: Path, number: int, days: int) -> None:
    """Import one file, in a run of its own."""
    path = folder / f"{days}.json"
    path.write_bytes(body({**MANY, "t1": [f"20.{number}.0.0/16"], f"d{days}": ["21.0.0.0/16"]}))
    await import_history(SOURCE, (HistoricFile(path.name, path, NOW - timedelta(days=days)),), store, Clock())


async def test_all_who_wait_hear_of_a_newer_version(store: Store) -> None:
    """Everybody behind it is woken, who is not goes on waiting, who stopped waiting troubles nobody."""
    await sync(store, 1)
    reader = Reader(store)
    await reader.refresh()
    await reader.wait_past(0)
    waiting = [asyncio.create_task(reader.wait_past(1)) for _ in range(100)]
    patient = asyncio.create_task(reader.wait_past(2))
    given_up = waiting.pop()
    await asyncio.wait(waiting, timeout=0)
    given_up.cancel()
    await sync(store, 2)
    await reader.refresh()
    await asyncio.wait_for(asyncio.gather(*waiting), 10)
    assert (given_up.cancelled(), patient.done()) == (True, False)
    await sync(store, 3)
    await reader.refresh()
    await asyncio.wait_for(patient, 10)


async def test_latest_and_those_before_it_are_told_of_one_line(store: Store) -> None:
    """What another process committed and this one does not serve yet moves neither."""
    for number in (1, 2):
        await sync(store, number)
    reader = Reader(store)
    await reader.refresh()
    await sync(store, 3)
    assert [(await reader.resolve(spec)).version for spec in ("latest", "latest~1", "latest~2")] == [2, 1, 0]
    with pytest.raises(UnknownVersionError):
        await reader.resolve("latest~3")


async def test_who_follows_is_woken_by_the_stream(store: Store) -> None:
    """A commit of another process ends the wait."""
    reader = Reader(store)
    following = asyncio.create_task(reader.follow())
    try:
        waiting = asyncio.create_task(reader.wait_past(0))
        await sync(store, 1)
        await asyncio.wait_for(waiting, 10)
        assert reader.current.version == 1
    finally:
        following.cancel()


async def test_live_versions_after_a_number_come_in_order(store: Store, tmp_path: Path) -> None:
    """Imported ones are not among them, the count bounds them, and a trimmed stream takes nothing away."""
    await sync(store, 1)
    await imported(store, tmp_path, 9, 100)
    for number in (3, 4, 5):
        await sync(store, number)
    await store.redis.xtrim(keys.EVENTS, maxlen=1, approximate=False)
    told = {after: [one.version for one in await store.versions.after(after, 2)] for after in (0, 1, 2, 3, 5, 99)}
    assert told == {0: [1, 3], 1: [3, 4], 2: [3, 4], 3: [4, 5], 5: [], 99: []}


async def test_no_list_has_a_version_that_is_not_served_yet(store: Store, tmp_path: Path) -> None:
    """An answer is of one version: newer ones are listed once they are loaded; imported ones are in no one's way."""
    reader = Reader(store)
    for number in (1, 2):
        await sync(store, number)
    await imported(store, tmp_path, 3, 30)
    await reader.refresh()
    for number in (4, 5):
        await sync(store, number)
    for source in (None, SOURCE.name):
        listed = [one.version for one in await reader.versions(source=source, limit=2)]
        assert listed == ([3, 2] if source is None else [2, 1])
    await reader.refresh()
    assert [one.version for one in await reader.versions(limit=3)] == [5, 4, 3]


async def test_what_a_version_changed_is_relative_to_the_one_before_it(store: Store, tmp_path: Path) -> None:
    """Live or imported; a source's first version, and its first import, added all that they list."""
    await imported(store, tmp_path, 1, 300)
    await imported(store, tmp_path, 2, 200)
    await sync(store, 3)
    await sync(store, 4)
    versions = await store.versions.versions(range(1, 5))
    contents = [(await store.contents.content_of(version)).endpoint_sets for version in versions]
    expected = (
        tuple(map(added, contents[0])),
        diff(contents[0], contents[1]),
        tuple(map(added, contents[2])),
        diff(contents[2], contents[3]),
    )
    for version, changes in zip(versions, expected, strict=True):
        assert await store.contents.changes_of(version) == changes


async def test_a_sources_version_at_any_name_is_found(store: Store) -> None:
    """The number that rollback takes: of that source, at a number of another one, a label or a date."""
    for number, name in ((1, "a-source"), (2, "b-source"), (3, "a-source"), (4, "b-source")):
        await sync(store, number, name)
    reader = Reader(store)
    await reader.refresh()
    await store.labels.set("prod", 2, "ann", NOW)
    specs = ("1", "2", "4", "latest", "latest~2", "prod", (NOW + timedelta(hours=3)).isoformat())
    assert [await reader.number_of("a-source", spec) for spec in specs] == [1, 1, 3, 3, 1, 1, 3]
    with pytest.raises(UnknownVersionError, match="b-source had no version"):
        await reader.number_of("b-source", "1")


async def test_versions_in_memory_share_the_records_that_are_equal(store: Store) -> None:
    """Of what did not change there is one in memory, in the version served, one before and one after it."""
    await sync(store, 1)
    await sync(store, 2)
    reader = Reader(store)
    served, old = await reader.refresh(), await reader.at("1")
    await sync(store, 3)
    newest = await reader.refresh()
    records = await reader.records_of(await store.versions.version(2))
    several = (old.endpoint_sets, served.endpoint_sets, newest.endpoint_sets, records)
    assert [len({id(record) for record in same}) for same in zip(*several, strict=True)].count(1) == len(MANY) - 1
    for snapshot in (old, served, newest):
        assert snapshot.endpoint_sets == (await store.contents.snapshot(snapshot.point)).endpoint_sets
