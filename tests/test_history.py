"""History from files: valid from upstream's dates, beside the version line."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from catalog_service.catalog.diff import diff
from catalog_service.reader import Reader
from catalog_service.store import keys
from catalog_service.store.commits import KEYFRAME_EVERY
from catalog_service.store.connect import Store
from catalog_service.sync.history import Imported, import_history
from catalog_service.sync.run import run_source
from schema.document import Document, Reading
from schema.endpoint_set import EndpointSet
from schema.errors import LeaseTakenError, UnknownVersionError
from schema.version import Point
from scrapers.history.files import HistoricFile
from scrapers.source import Source
from tests.api_client import TAGS, TAGS_1, commit
from tests.local_source import Clock, Shelf, body, local_source, parse

SOURCE = local_source()
DAY = timedelta(days=1)
FIRST = datetime(2024, 5, 6, tzinfo=UTC)
Tags = dict[str, list[str]]


def week(number: int) -> Tags:
    """Thirty tags, of which each week changes one."""
    return {f"t{i}": [f"20.{i}.{number if i == number % 30 else 0}.0/24"] for i in range(30)}


def file(folder: Path, tags: Tags | bytes, days: int, name: str = "") -> HistoricFile:
    at = FIRST + days * DAY
    path = folder / (name or f"tags_{at:%Y%m%d}.json")
    path.write_bytes(tags if isinstance(tags, bytes) else body(tags))
    return HistoricFile(path.name, path, at)


async def taken(store: Store, *files: HistoricFile) -> tuple[Imported, ...]:
    return await import_history(SOURCE, files, store, Clock())


async def live(store: Store, tags: Tags, clock: Clock, at: str | None = None) -> str:
    shelf = Shelf()
    shelf.bodies[SOURCE.url] = body(tags, at)
    return (await run_source(SOURCE, shelf, store, clock)).result


async def read(store: Store) -> Reader:
    reader = Reader(store)
    await reader.refresh()
    return reader


def records(tags: Tags) -> tuple[EndpointSet, ...]:
    document = HistoricFile("x", Path(__file__), FIRST).document(FIRST)
    return parse(SOURCE, type(document)(body(tags), document.provenance)).endpoint_sets


async def test_history_answers_by_date_and_moves_no_head(store: Store, tmp_path: Path) -> None:
    """Each file is valid from its date to the next; nothing is newest, no event is sent, no state is written."""
    done = await taken(store, *(file(tmp_path, week(number), 7 * number) for number in range(3)))
    assert [(one.result, one.version) for one in done] == [("imported", 1), ("imported", 2), ("imported", 3)]
    reader = await read(store)
    for days, number in ((0, 0), (6, 0), (7, 1), (13, 1), (14, 2), (900, 2)):
        snapshot = await reader.at(f"{FIRST + days * DAY:%Y-%m-%d}")
        assert snapshot.endpoint_sets == records(week(number))
    assert (await reader.at("2")).endpoint_sets == records(week(1))
    with pytest.raises(UnknownVersionError):
        await reader.resolve("2024-05-05")
    assert (reader.current.version, await store.versions.head(), await store.redis.xlen(keys.EVENTS)) == (0, 0, 0)
    assert (await store.sources.state(SOURCE.name)).checked_at is None


async def test_importing_twice_changes_nothing(store: Store, tmp_path: Path) -> None:
    """What is known, and what says nothing new at its time, is not added."""
    files = [file(tmp_path, week(max(1, number)), 7 * number) for number in range(4)]
    assert [one.result for one in await taken(store, *files)] == ["imported", "unchanged", "imported", "imported"]
    assert {one.result for one in await taken(store, *files)} == {"unchanged"}
    assert await store.versions.last() == 3


async def test_what_was_seen_unchanged_stays_valid_when_a_gap_is_filled(store: Store, tmp_path: Path) -> None:
    """A file between two equal ones ends where the second begins, whenever it is imported; so does one before a check."""
    await taken(store, file(tmp_path, week(1), 0), file(tmp_path, week(1), 60))
    await taken(store, file(tmp_path, week(2), 30))
    clock = Clock(FIRST + 400 * DAY)
    await live(store, week(5), clock)
    clock.forward(days=30)
    await live(store, week(5), clock)
    await taken(store, file(tmp_path, week(6), 415))
    reader = await read(store)
    told = {days: (await reader.at(f"{FIRST + days * DAY:%Y-%m-%d}")).endpoint_sets for days in (10, 40, 70, 420, 430)}
    assert told == {days: records(week(number)) for days, number in ((10, 1), (40, 2), (70, 1), (420, 6), (430, 5))}
    assert {one.result for one in await taken(store, file(tmp_path, week(1), 60))} == {"unchanged"}


async def test_a_closed_upstream_has_nothing_after_its_end(store: Store, tmp_path: Path) -> None:
    """Its history answers until then; files from after it are refused."""
    closed = replace(SOURCE, closed_at=FIRST + 30 * DAY)
    files = (file(tmp_path, week(1), 0), file(tmp_path, week(1), 14), file(tmp_path, week(2), 44))
    done = await import_history(closed, files, store, Clock())
    assert [one.result for one in done] == ["imported", "unchanged", "refused"]
    reader = await read(store)
    assert len((await reader.at(f"{FIRST + 29 * DAY:%Y-%m-%d}")).endpoint_sets) == 30
    assert (await reader.at("2026-11-01")).endpoint_sets == ()


async def test_a_fault_in_a_parser_refuses_one_file(store: Store, tmp_path: Path) -> None:
    """The others go on."""

    def faulty(source: Source, document: Document) -> Reading:
        if b"21.1.1.0" in document.body:
            raise RecursionError("too deep")
        return parse(source, document)

    files = (file(tmp_path, {"t1": ["21.1.1.0/24"]}, 0), file(tmp_path, week(1), 7))
    done = await import_history(replace(SOURCE, parse=faulty), files, store, Clock())
    assert [(one.result, one.reasons) for one in done] == [
        ("refused", ("unexpected RecursionError: too deep",)), ("imported", ()),
    ]  # fmt: skip


async def test_a_bad_file_is_refused_with_its_reasons_and_the_others_go_on(store: Store, tmp_path: Path) -> None:
    """Neither a file that is none nor one that lists a loopback address gets into history."""
    files = (
        file(tmp_path, week(0), 0),
        file(tmp_path, b"<html>gone</html>", 7),
        file(tmp_path, {**week(0), "t1": ["127.0.0.1/32"]}, 14),
        file(tmp_path, week(3), 21),
    )
    done = await taken(store, *files)
    assert [one.result for one in done] == ["imported", "refused", "refused", "imported"]
    assert "127.0.0.1/32" in done[2].reasons[0]
    assert done[1].reasons


@pytest.mark.parametrize("seed", range(6))
async def test_however_history_comes_in_each_day_has_its_content(store: Store, tmp_path: Path, seed: int) -> None:
    """Files in any portions and order, live versions before, between or after: a date's content is the last before it."""
    chance = random.Random(seed)
    weeks = [week(chance.randrange(5)) for _ in range(40)]
    files = [file(tmp_path, tags, 7 * number) for number, tags in enumerate(weeks)]
    portions = [sorted(chance.sample(range(40), 15)), list(range(40)), sorted(chance.sample(range(40), 10))]
    clock = Clock(FIRST + 400 * DAY)
    for portion in portions:
        await taken(store, *(files[number] for number in portion))
        clock.forward(days=1)
        await live(store, week(100 + chance.randrange(9)), clock)
    reader = await read(store)
    for number, tags in enumerate(weeks):
        at = f"{FIRST + (7 * number + 3) * DAY:%Y-%m-%d}"
        assert (await Reader(store).at(at)).endpoint_sets == records(tags)
    assert (await reader.at("2030-01-01")).endpoint_sets == reader.current.endpoint_sets


async def test_differences_lead_from_any_point_to_any_other(store: Store, tmp_path: Path) -> None:
    """By date, by number, across imports and live versions: what is said leads there, in both directions."""
    await taken(store, *(file(tmp_path, week(number), 7 * number) for number in range(0, 8, 2)))
    await taken(store, *(file(tmp_path, week(number), 7 * number) for number in range(1, 8, 2)))
    clock = Clock(FIRST + 400 * DAY)
    for number in (20, 21):
        await live(store, week(number), clock)
        clock.forward(days=7)
    reader = await read(store)
    specs = ["0", "latest", "latest~1", *(f"{FIRST + days * DAY:%Y-%m-%d}" for days in (0, 8, 20, 50)), "5", "3"]
    points = [await reader.resolve(spec) for spec in specs]
    for since in points:
        for until in points:
            before, after = (await store.contents.snapshot(since)), (await store.contents.snapshot(until))
            assert (await reader.difference(since, until)).changes == diff(before.endpoint_sets, after.endpoint_sets)
            assert (await reader.difference(since, until)).missing == ()


async def test_what_nobody_knows_of_an_instant_is_no_change(store: Store, tmp_path: Path) -> None:
    """A source without history did not come on the day its first version did: it is named, not listed as added."""
    await taken(store, file(tmp_path, week(0), 0), file(tmp_path, week(1), 7))
    await commit(store, TAGS, TAGS_1, FIRST + 400 * DAY)
    reader = await read(store)
    since, until = await reader.resolve("2024-05-10"), await reader.resolve("latest~1")
    difference = await reader.difference(since, await reader.resolve("2026-01-01"))
    assert difference.missing == (TAGS,)
    both = difference.changes
    assert {change.id.partition(":")[0] for change in both} == {SOURCE.name}
    assert until == Point(0)
    added = (await reader.difference(until, await reader.resolve("latest"))).changes
    assert {change.id.partition(":")[0] for change in added} == {TAGS}


async def test_history_longer_than_a_keyframe_loads_at_every_version(store: Store, tmp_path: Path) -> None:
    """Any imported version is its chain's keyframe and the changesets since."""
    weeks = [week(number) for number in range(2 * KEYFRAME_EVERY + 2)]
    await taken(store, *(file(tmp_path, tags, 7 * number) for number, tags in enumerate(weeks)))
    for number, tags in enumerate(weeks, 1):
        content = await store.contents.content_of(await store.versions.version(number))
        assert content.endpoint_sets == records(tags)
    assert await store.redis.hlen(keys.KEYFRAMES) == 3


async def test_a_live_version_goes_on_from_what_was_imported_before_it(store: Store, tmp_path: Path) -> None:
    """Its records were first seen, and last changed, in history, where they were the same there."""
    await taken(store, *(file(tmp_path, week(number), 7 * number) for number in (0, 1)))
    await live(store, {**week(1), "t2": ["20.2.9.0/24"], "new": ["20.200.0.0/16"]}, Clock())
    marks = (await read(store)).current.by_source[SOURCE.name].marks
    told = {key: marks[f"{SOURCE.name}:{key}"] for key in ("t0", "t1", "t2", "new")}
    assert {key: (mark.first_seen, mark.last_changed) for key, mark in told.items()} == {
        "t0": (1, 1), "t1": (1, 2), "t2": (1, 3), "new": (3, 3),
    }  # fmt: skip


async def test_a_record_that_returns_was_first_seen_when_it_was(store: Store) -> None:
    """Marks outlive a record's absence, and keyframes."""
    clock, odd = Clock(), {**week(0), "odd": ["20.200.0.0/16"]}
    for number in range(KEYFRAME_EVERY + 3):
        tags = {**week(number), **({} if number == 3 else {"odd": odd["odd"]})}
        clock.forward(days=7)
        assert await live(store, tags, clock) == "committed"
    content = await Store(store.redis).contents.content(SOURCE.name)
    assert content is not None
    found = content.marks[f"{SOURCE.name}:odd"]
    assert (found.first_seen, found.last_changed) == (1, 5)


async def test_upstream_going_back_to_imported_content_publishes_nothing(store: Store, tmp_path: Path) -> None:
    """History counts as superseded (sources.md T2): a stale mirror may serve what was only ever imported."""
    await taken(store, *(file(tmp_path, week(number), 7 * number) for number in (0, 1)))
    clock = Clock()
    assert await live(store, week(2), clock) == "committed"
    clock.forward(hours=6)
    assert await live(store, week(1), clock) == "stale"
    assert (await store.versions.head(), await store.versions.last()) == (3, 3)


async def test_upstream_going_on_to_imported_content_publishes_it(store: Store, tmp_path: Path) -> None:
    """What was imported of a time after the served version, or before there was one, is no stale mirror's."""
    await taken(store, file(tmp_path, week(0), 0))
    clock = Clock(FIRST + 2 * DAY)
    assert await live(store, week(0), clock) == "committed"
    await taken(store, file(tmp_path, week(1), 7))
    clock.forward(days=7)
    assert await live(store, week(1), clock) == "committed"


async def test_numbers_of_the_line_are_counted_past_imports(store: Store, tmp_path: Path) -> None:
    """latest~1 is the live version before the newest, whatever was imported between."""
    clock = Clock(FIRST + 400 * DAY)
    await live(store, week(20), clock)
    await taken(store, *(file(tmp_path, week(number), 7 * number) for number in range(3)))
    clock.forward(days=7)
    await live(store, week(21), clock)
    reader = await read(store)
    assert [(await reader.resolve(spec)) for spec in ("latest", "latest~1", "latest~2")] == [
        Point(5),
        Point(1),
        Point(0),
    ]
    assert [one.version for one in await reader.versions(source=SOURCE.name)] == [5, 1, 4, 3, 2]
    assert [one.version for one in await reader.versions(source=SOURCE.name, before=1, limit=2)] == [4, 3]
    assert [one.version for one in await reader.versions(before=5, limit=2)] == [4, 3]


async def test_a_source_being_synced_is_not_imported_into(store: Store, tmp_path: Path) -> None:
    """One runner at a time writes a source."""
    assert await store.leases.acquire(SOURCE.name)
    with pytest.raises(LeaseTakenError):
        await taken(store, file(tmp_path, week(0), 0))
