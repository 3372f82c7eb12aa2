"""Retention: old contents go, what is kept stays exact, and what went is said to be gone."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from catalog_service.catalog.diff import diff
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.reader import Reader
from catalog_service.store import codec, keys
from catalog_service.store.commits import KEYFRAME_EVERY
from catalog_service.store.connect import Store
from catalog_service.store.leases import Ask
from catalog_service.store.retention import Pruned
from catalog_service.sync.history import import_history
from catalog_service.sync.run import run_source
from catalog_service.sync.scheduler import keep_synced
from catalog_service.tasks import stop
from schema.errors import CorruptContentError, GoneError
from schema.version import Label, Point
from scrapers.history.files import HistoricFile
from tests.local_source import NOW, Clock, Shelf, body, local_source

NAMES = ("a-source", "b-source", "c-source")
MANY = {f"t{i}": [f"22.{i}.0.0/16"] for i in range(30)}
COUNT = KEYFRAME_EVERY + 14
Tags = dict[str, list[str]]


async def commit(store: Store, name: str, tags: Tags, at: datetime) -> None:
    """Let ``name``'s upstream have ``tags`` at ``at``."""
    source, shelf = local_source(name), Shelf()
    shelf.bodies[source.url] = body(tags)
    assert (await run_source(source, shelf, store, Clock(at))).result == "committed"


async def filled(store: Store, count: int = COUNT, seed: int = 0, names: tuple[str, ...] = NAMES) -> None:
    """Commit ``count`` versions, an hour apart: of ``names[0]`` most, records changing, leaving and returning."""
    dice, contents = random.Random(seed), {name: dict(MANY) for name in names}
    for number in range(1, count + 1):
        name = names[number - 1] if number <= len(names) else dice.choice((names[0], *names))
        tags = contents[name]
        if number > len(names):
            tag = f"t{dice.randrange(8)}"
            if tag in tags and dice.random() < 0.3:
                del tags[tag]
            else:
                tags[tag] = [f"20.{number}.0.0/16"]
        await commit(store, name, tags, NOW + timedelta(hours=number))


async def reading(store: Store) -> Reader:
    """A reader of another process."""
    reader = Reader(Store(store.redis))
    await reader.refresh()
    return reader


async def snapshots(store: Store, count: int = COUNT) -> list[Snapshot]:
    reader = await reading(store)
    return [await reader.store.contents.snapshot(Point(number)) for number in range(count + 1)]


def said(snapshot: Snapshot) -> list[object]:
    return [(one.version, one.endpoint_sets, dict(one.marks)) for one in snapshot.contents]


@pytest.mark.parametrize(("seed", "keep", "labelled"), [(1, 1, (3, 9)), (2, 5, ()), (3, 15, (1, 2, 20)), (4, 24, (1,))])
async def test_what_is_kept_stays_exact_and_the_rest_is_gone(
    store: Store, seed: int, keep: int, labelled: tuple[int, ...]
) -> None:
    """Every kept point has its records and marks, every pair of them its diff; every other answers 410."""
    await filled(store, seed=seed)
    before = await snapshots(store)
    for number in labelled:
        await store.labels.set(f"l{number}", number, "ann", NOW)
    floor = COUNT - keep + 1
    pruned = await store.retention.prune(keep)
    assert (pruned.floor, pruned.labelled) == (floor, tuple(one for one in labelled if one < floor))
    reader = await reading(store)
    kept = {0, *labelled, *range(floor, COUNT + 1)}
    for number in range(COUNT + 1):
        if number in kept:
            assert said(await reader.at(str(number))) == said(before[number])
        else:
            await _gone(reader, number, {*labelled, floor})
    for since in kept:
        for until in kept:
            expected = diff(before[since].endpoint_sets, before[until].endpoint_sets)
            assert (await reader.difference(Point(since), Point(until))).changes == expected
    stored = {int(number) for number in await store.redis.hkeys(keys.CHANGESETS)}
    assert not stored & {*pruned.dropped}
    await _goes_on(store, before[COUNT])


async def _gone(reader: Reader, number: int, kept: set[int]) -> None:
    with pytest.raises(GoneError) as refused:
        await reader.resolve(str(number))
    nearest = refused.value.facts["nearest"]
    assert nearest in kept
    assert abs(int(str(nearest)) - number) == min(abs(one - number) for one in kept)
    with pytest.raises(GoneError):
        await reader.store.contents.snapshot(Point(number))
    with pytest.raises(GoneError):
        await reader.difference(Point(number), Point(0))


async def _goes_on(store: Store, newest: Snapshot) -> None:
    """Commit on, past the next keyframe: each version loads, first seen and last changed go on."""
    tags: Tags = {one.title: list(one.prefixes) for one in newest.by_source["b-source"].endpoint_sets}
    for number in range(1, KEYFRAME_EVERY + 3):
        tags["t9"] = [f"23.{number}.0.0/16"]
        await commit(store, "b-source", tags, NOW + timedelta(days=number + 9))
    content = (await reading(store)).current.by_source["b-source"]
    assert {one.title: list(one.prefixes) for one in content.endpoint_sets} == tags
    old = newest.by_source["b-source"].marks["b-source:t9"]
    assert content.marks["b-source:t9"] == type(old)(old.first_seen, content.version.version)
    assert content.marks["b-source:t29"] == newest.by_source["b-source"].marks["b-source:t29"]


async def test_a_version_that_is_kept_tells_its_changes(store: Store) -> None:
    """From the floor on, and where it is labelled; one that went does not."""
    await filled(store)
    versions = await store.versions.versions(range(1, COUNT + 1))
    before = [await store.contents.changes_of(version) for version in versions]
    await store.labels.set("prod", 8, "ann", NOW)
    pruned = await store.retention.prune(10)
    for number in (8, *range(pruned.floor, COUNT + 1)):
        assert await store.contents.changes_of(versions[number - 1]) == before[number - 1]
    with pytest.raises(GoneError):
        await store.contents.changes_of(versions[pruned.dropped[-1] - 1])
    assert [one.version for one in await store.versions.after(0, 99)] == list(range(1, COUNT + 1))


async def test_a_date_is_gone_with_the_version_that_was_valid(store: Store) -> None:
    """A moment answers as before, or not at all."""
    await filled(store, 12, names=("a-source",))
    moments = [NOW + timedelta(hours=number, minutes=30) for number in range(1, 13)]
    reader = await reading(store)
    before = [said(await reader.at(moment.isoformat())) for moment in moments]
    await store.labels.set("prod", 3, "ann", NOW)
    await store.retention.prune(4)
    reader = await reading(store)
    for number, moment in enumerate(moments, start=1):
        if number in {3, 9, 10, 11, 12}:
            assert said(await reader.at(moment.isoformat())) == before[number - 1]
        else:
            with pytest.raises(GoneError):
                await reader.at(moment.isoformat())


async def test_a_date_of_a_label_that_was_deleted_goes_in_every_process(store: Store) -> None:
    """Pruned once more below the same floor, a snapshot in memory answers no longer than any other."""
    await filled(store, 8, names=("a-source",))
    await store.labels.set("prod", 3, "ann", NOW)
    await store.retention.prune(2)
    moment = (NOW + timedelta(hours=3, minutes=30)).isoformat()
    reader = await reading(store)
    await reader.at(moment)
    await store.labels.delete("prod", "ann", NOW)
    assert (await store.retention.prune(2)).dropped == (3,)
    await reader.refresh()
    with pytest.raises(GoneError):
        await reader.at(moment)


async def test_the_nearest_kept_is_a_live_version(store: Store, tmp_path: Path) -> None:
    """The number of an imported one names another time, however near it is."""
    await filled(store, 3, names=("a-source",))
    path = tmp_path / "old.json"
    path.write_bytes(body({"t1": ["21.1.0.0/16"]}))
    await import_history(
        local_source("z-source"), (HistoricFile(path.name, path, NOW - timedelta(days=99)),), store, Clock()
    )
    await store.labels.set("then", 4, "ann", NOW)
    for number in range(5, 10):
        await commit(store, "a-source", {**MANY, "t1": [f"20.{number}.0.0/16"]}, NOW + timedelta(hours=number))
    await store.retention.prune(2)
    with pytest.raises(GoneError) as refused:
        await (await reading(store)).resolve("5")
    assert refused.value.facts["nearest"] == 8


async def test_a_label_of_history_keeps_what_was_live_then(store: Store, tmp_path: Path) -> None:
    """The instant of an imported version is a state of every source: none of it goes."""
    await filled(store, 6, names=("a-source", "b-source"))
    path = tmp_path / "old.json"
    path.write_bytes(body({"t1": ["21.1.0.0/16"]}))
    await import_history(
        local_source("z-source"), (HistoricFile(path.name, path, NOW + timedelta(hours=3)),), store, Clock()
    )
    await store.labels.set("then", 7, "ann", NOW)
    before = said(await (await reading(store)).at("then"))
    assert len(before) == 3
    pruned = await store.retention.prune(1)
    assert pruned.dropped
    assert said(await (await reading(store)).at("then")) == before


async def test_a_deleted_label_gives_its_version_up(store: Store) -> None:
    """It is gone at once, and dropped the next time; the floor never goes down."""
    await filled(store, 12, names=("a-source",))
    await store.labels.set("prod", 6, "ann", NOW)
    await store.retention.prune(2)
    await store.labels.delete("prod", "ann", NOW)
    reader = await reading(store)
    with pytest.raises(GoneError):
        await reader.resolve("6")
    assert await store.retention.prune(9) == Pruned(11, (6,), ())
    assert await store.retention.prune(9) == Pruned(11, (), ())


async def test_where_there_is_no_more_than_is_kept_nothing_goes(store: Store) -> None:
    """Neither in an empty store nor in one that has just as many."""
    assert await store.retention.prune(1) == Pruned(0, (), ())
    await filled(store, 4)
    assert (await store.retention.prune(5)).dropped == (await store.retention.prune(4)).dropped == ()
    assert (await (await reading(store)).at("1")).version == 1


async def test_a_dry_run_tells_and_writes_nothing(store: Store) -> None:
    """What it tells is what pruning then does."""
    await filled(store, 20)
    before = await _dumped(store)
    told = await store.retention.prune(3, dry_run=True)
    assert await _dumped(store) == before
    assert await store.retention.prune(3) == told
    assert told.dropped


async def _dumped(store: Store) -> dict[object, object]:
    return {key: await store.redis.dump(key) for key in sorted(await store.redis.keys("*"))}


async def test_damage_in_what_stays_stops_pruning(store: Store) -> None:
    """Nothing is dropped on the word of a keyframe that cannot be written."""
    await filled(store, 12, names=("a-source",))
    changesets = await store.redis.hlen(keys.CHANGESETS)
    await store.redis.hset(keys.CHANGESETS, "8", b"damaged")
    await store.labels.set("prod", 8, "ann", NOW)
    with pytest.raises(CorruptContentError):
        await store.retention.prune(1)
    assert (await store.redis.hlen(keys.CHANGESETS), await store.floor.number()) == (changesets, 0)


async def test_readers_get_whole_versions_or_are_told_they_are_gone(store: Store) -> None:
    """While it is pruned to ever fewer, committed on and labelled: no read is short, wrong or called damaged."""
    await filled(store)
    before = [said(one) for one in await snapshots(store)]
    reads, dice, writing = [0, 0], random.Random(7), True

    async def read() -> None:
        own = Store(store.redis)
        while writing:
            number = dice.randint(1, COUNT)
            try:
                assert said(await own.contents.snapshot(Point(number))) == before[number]
                reads[0] += 1
            except GoneError:
                reads[1] += 1

    readers = [asyncio.create_task(read()) for _ in range(4)]
    tags = {**MANY, "new": ["25.0.0.0/16"]}
    for keep in range(COUNT - 1, 0, -2):
        tags["new"] = [f"25.{keep}.0.0/16"]
        other = commit(store, "d-source", tags, NOW + timedelta(days=COUNT - keep))
        label = store.labels.set(f"l{keep % 3}", await store.versions.head(), "ann", NOW)
        await asyncio.gather(store.retention.prune(keep), other, label, Store(store.redis).retention.prune(keep + 1))
    writing = False
    await asyncio.gather(*readers)
    assert all(reads)
    reader = await reading(store)
    for one in await store.labels.all():
        assert (await reader.at(one.name)).version == one.version


async def test_several_may_prune_at_once(store: Store) -> None:
    """What one planned with another one drops: it plans anew, and all of them succeed."""
    await filled(store)
    keeps = (30, 8, 22, 1, 15, 3) * 3
    done = await asyncio.gather(*(Store(store.redis).retention.prune(keep) for keep in keeps))
    assert max(one.floor for one in done) == await store.floor.number() == COUNT
    assert sorted(number for one in done for number in one.dropped) == sorted(await store.floor.dropped())


async def test_a_label_set_while_its_version_is_pruned_is_kept_or_refused(store: Store) -> None:
    """Never a name that answers nothing."""
    await filled(store, 24, names=("a-source", "b-source"))
    outcomes: set[type[object]] = set()
    for keep in range(22, 0, -2):
        number = 25 - keep - 2
        label = store.labels.set(f"l{number}", number, "ann", NOW)
        tasks = (store.retention.prune(keep), label) if keep % 4 else (label, store.retention.prune(keep))
        outcomes.update(type(one) for one in await asyncio.gather(*tasks, return_exceptions=True))
        reader = await reading(store)
        for one in await store.labels.all():
            assert (await reader.at(one.name)).version == one.version
    assert outcomes <= {Pruned, Label, GoneError}


async def test_years_of_versions_go_at_once(store: Store) -> None:
    """More than a script can unpack: who prunes for the first time has thousands."""
    await filled(store, 1)
    await _repeat_the_first(store, 5000)
    assert len((await store.retention.prune(1)).dropped) == 4999
    assert (await reading(store)).current.version == 5000


async def _repeat_the_first(store: Store, last: int) -> None:
    """Write versions 2 to ``last`` as commits would that change nothing."""
    (first,) = await store.versions.versions([1])
    ask: Ask = store.redis.execute_command
    numbers = range(2, last + 1)
    versions = (codec.pack(replace(first, version=number, previous=number - 1)) for number in numbers)
    await ask("HSET", keys.VERSIONS, *(part for pair in zip(numbers, versions, strict=True) for part in pair))
    await ask("HSET", keys.CHANGESETS, *(part for number in numbers for part in (number, codec.pack_changes(()))))
    for line in (keys.LINE, keys.line(first.source)):
        await ask("ZADD", line, *(part for number in numbers for part in (number, number)))
    await ask("ZADD", keys.keyframed(first.source), last - 1, last - 1)
    for content in (keys.KEYFRAMES, keys.MARKS):
        await store.redis.hset(content, str(last - 1), await store.redis.hget(content, "1"))
    await store.redis.hset(keys.LIVE, first.source, last)
    await store.redis.mset({keys.HEAD: last, keys.LAST: last})


async def test_a_full_server_can_be_pruned(store: Store) -> None:
    """Pruning is how an operator gets out of it."""
    await filled(store, 20)
    await store.redis.config_set("maxmemory", "1mb")
    try:
        assert (await store.retention.prune(2)).dropped
    finally:
        await store.redis.config_set("maxmemory", "0")
    assert (await reading(store)).current.version == 20


async def test_a_file_from_a_time_that_was_pruned_is_refused(store: Store, tmp_path: Path) -> None:
    """What it would have changed cannot be told any more; an older file is taken."""
    await filled(store, 8, names=("a-source",))
    await store.retention.prune(2)
    files = []
    for hours in (-100, 3):
        path = tmp_path / f"{hours}.json"
        path.write_bytes(body({**MANY, "t1": [f"21.{abs(hours)}.0.0/16"]}))
        files.append(HistoricFile(path.name, path, NOW + timedelta(hours=hours, minutes=30)))
    done = await import_history(local_source("a-source"), tuple(files), store, Clock())
    assert [one.result for one in done] == ["imported", "refused"]
    assert "was pruned" in done[1].reasons[0]


async def test_the_scheduler_prunes_after_a_commit(store: Store) -> None:
    """With a number to keep; the newest versions are served on."""
    await filled(store, 6, names=("a-source",))
    source, shelf = local_source("b-source"), Shelf()
    shelf.bodies[source.url] = body(MANY)
    scheduler = asyncio.create_task(keep_synced((source,), shelf, store, Clock(), lambda: 0.0, versions_kept=3))
    try:
        for _ in range(1000):
            if await store.floor.number():
                break
            await asyncio.sleep(0.005)
        assert await store.floor.number() == 5
    finally:
        await stop(scheduler)
    with pytest.raises(GoneError):
        await (await reading(store)).at("3")
