"""Rollback: a person goes back to an earlier version of one source, and upstream does not undo it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from catalog_service.catalog.diff import diff
from catalog_service.reader import Reader
from catalog_service.store import codec, keys
from catalog_service.store.connect import Store
from catalog_service.sync.held import accept
from catalog_service.sync.history import import_history
from catalog_service.sync.rollback import rollback
from catalog_service.sync.run import Outcome, reparse_source, run_source
from schema.endpoint_set import content_digest
from schema.errors import BadParameterError, LeaseTakenError, UnknownVersionError
from schema.event import Place
from schema.version import AuditEntry, Point
from scrapers.history.files import HistoricFile
from tests.local_source import NOW, Clock, Shelf, body, local_source

SOURCE = local_source()
ONE = {f"t{i}": [f"20.{i}.0.0/16"] for i in range(30)}
TWO = {**ONE, "t1": ["20.1.0.0/17"]}
THREE = {**TWO, "t30": ["20.30.0.0/16"]}
FOUR = {**THREE, "t31": ["20.31.0.0/16"]}
SHRUNK = {"t1": ["20.1.0.0/16"]}
Tags = dict[str, list[str]]


class Bench:
    """A store, an upstream and a clock that goes on by a day with each sync."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.shelf = Shelf()
        self.clock = Clock()

    async def sync(self, tags: Tags, at: str | None = None) -> Outcome:
        self.clock.forward(days=1)
        self.shelf.bodies[SOURCE.url] = body(tags, at)
        return await run_source(SOURCE, self.shelf, self.store, self.clock)

    async def back(self, number: int) -> int | None:
        self.clock.forward(days=1)
        made = await rollback(self.store, SOURCE.name, number, "ann", self.clock)
        return made.version if made else None

    async def served(self) -> Tags:
        content = await self.store.contents.content(SOURCE.name)
        return {one.title: list(one.prefixes) for one in content.endpoint_sets} if content else {}

    async def reader(self) -> Reader:
        reader = Reader(self.store)
        await reader.refresh()
        return reader


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)


async def test_rollback_is_a_new_version_with_the_old_content_and_its_provenance(bench: Bench) -> None:
    """The number goes on, the content and where it came from are the old ones, the person is named."""
    for tags in (ONE, TWO, THREE):
        await bench.sync(tags)
    assert await bench.back(1) == 4
    old, made = await bench.store.versions.versions([1, 4])
    assert await bench.served() == ONE
    assert (made.rolled_back_to, made.accepted_by, made.previous) == (1, "ann", 3)
    assert (made.document, made.url, made.fetched_at, made.digest) == (
        old.document,
        old.url,
        old.fetched_at,
        old.digest,
    )
    assert (made.committed_at, made.summary.endpoint_sets_removed) == (bench.clock.now, 1)
    assert await bench.store.events.newest() == Place(4)
    assert await bench.store.audit.newest() == (
        AuditEntry(bench.clock.now, "ann", "rollback", SOURCE.name, "3", "4"),
    )  # fmt: skip


async def test_what_upstream_serves_is_not_published_again_by_the_next_sync(bench: Bench) -> None:
    """It is listed as rejected, read whole once more, and the head stays; what is newer goes the normal way."""
    for tags in (ONE, TWO):
        await bench.sync(tags)
    await bench.back(1)
    (turned_down,) = await bench.store.sources.held()
    assert (turned_down.rejected_by, turned_down.summary.endpoint_sets_changed) == ("ann", 1)
    state = await bench.store.sources.state(SOURCE.name)
    assert (state.etag, state.validated_url, state.read_at, state.ok_at) == (None, None, None, None)
    for _ in range(2):
        outcome = await bench.sync(TWO)
        assert (outcome.result, outcome.held) == ("rejected", turned_down.id)
    assert (await bench.served(), await bench.store.versions.head()) == (ONE, 3)
    (listed,) = await bench.store.sources.held()
    assert (listed.id, listed.rejected_by, listed.rejected_at) == (turned_down.id, "ann", turned_down.rejected_at)
    assert (await bench.sync(THREE)).result == "committed"
    assert (await bench.served(), await bench.store.sources.held()) == (THREE, ())


@pytest.mark.parametrize("synced", [True, False])
async def test_a_rollback_can_be_taken_back(bench: Bench, synced: bool) -> None:
    """What was turned down with it can be accepted at once, and after upstream was asked again."""
    await bench.sync(ONE)
    await bench.sync(TWO)
    await bench.back(1)
    if synced:
        await bench.sync(TWO)
    (held,) = await bench.store.sources.held()
    made = await accept(bench.store, held.id, "bob", bench.clock)
    assert made is not None
    assert (made.version, await bench.served()) == (4, TWO)
    assert (await bench.sync(TWO)).result == "unchanged"
    assert (await bench.store.sources.state(SOURCE.name)).rejected == ()


async def test_a_rollback_of_a_rollback_is_one_more_version(bench: Bench) -> None:
    """Going forward again takes down what was turned down: upstream serves what is served."""
    await bench.sync(ONE)
    await bench.sync(TWO)
    assert [await bench.back(1), await bench.back(2)] == [3, 4]
    assert (await bench.served(), await bench.store.sources.held()) == (TWO, ())
    assert (await bench.sync(TWO)).result == "unchanged"


async def test_going_back_to_what_is_served_makes_no_version(bench: Bench) -> None:
    """Nothing is written, nothing is turned down."""
    await bench.sync(ONE)
    await bench.sync(TWO)
    before = await bench.store.sources.state(SOURCE.name)
    assert await bench.back(2) is None
    assert (await bench.store.versions.head(), await bench.store.audit.newest()) == (2, ())
    assert await bench.store.sources.state(SOURCE.name) == before


async def test_a_held_version_is_turned_down_with_a_rollback(bench: Bench) -> None:
    """What upstream serves is what is held: the next sync must not publish it because it is nearer to the old content."""
    await bench.sync(SHRUNK)
    held = (await bench.sync(ONE)).held or ""
    await accept(bench.store, held, "ann", bench.clock)
    pending = await bench.sync({"t2": ["20.2.0.0/16"]})
    assert pending.result == "held"
    assert await bench.back(1) == 3
    (listed,) = await bench.store.sources.held()
    assert (listed.id, listed.rejected_by) == (pending.held, "ann")
    assert (await bench.sync({"t2": ["20.2.0.0/16"]})).result == "rejected"
    assert await bench.served() == SHRUNK


async def test_going_back_to_what_upstream_went_back_to_is_no_news(bench: Bench) -> None:
    """A stale mirror's content, once rolled back to, is what is served."""
    await bench.sync(ONE)
    await bench.sync(TWO)
    assert (await bench.sync(ONE)).result == "stale"
    assert await bench.back(1) == 3
    assert (await bench.sync(ONE)).result == "unchanged"
    assert await bench.store.sources.held() == ()
    assert (await bench.sync(TWO)).result == "rejected"


async def test_other_superseded_content_is_still_a_stale_mirrors(bench: Bench) -> None:
    """After going back to 1, content 2 between it and the served one publishes nothing and asks after days."""
    for tags in (ONE, TWO, THREE):
        await bench.sync(tags)
    await bench.back(1)
    assert (await bench.sync(TWO)).result == "stale"
    bench.clock.forward(days=4)
    outcome = await bench.sync(TWO)
    assert (outcome.result, outcome.reasons) == ("held", ("upstream went back to the content of version 2",))
    assert await bench.served() == ONE


async def test_what_is_dated_before_the_version_rolled_back_from_is_no_news(bench: Bench) -> None:
    """A person went back, not upstream: a mirror that lags behind publishes nothing, seen before or not."""
    dates = [f"2026-11-{day:02}T00:00:00+00:00" for day in (2, 9, 16, 30)]
    for tags, at in zip((ONE, TWO, THREE), dates, strict=False):
        await bench.sync(tags, at)
    await bench.back(1)
    assert (await bench.sync(TWO, dates[1])).result == "stale"
    assert (await bench.sync(FOUR, dates[1])).result == "stale"
    assert (await bench.sync(THREE, dates[2])).result == "rejected"
    assert await bench.served() == ONE
    assert (await bench.sync(FOUR, dates[3])).result == "committed"


async def test_a_date_before_the_rollback_is_answered_with_what_was_valid_then(bench: Bench) -> None:
    """The rolled back content counts from the rollback on, whatever its old dates are."""
    await bench.sync(ONE, "2026-11-02T00:00:00+00:00")
    await bench.sync(TWO, "2026-11-09T00:00:00+00:00")
    await bench.sync(TWO, "2026-11-09T00:00:00+00:00")
    await bench.back(1)
    reader = await bench.reader()
    told = {}
    for name, moment in (("before", bench.clock.now - timedelta(seconds=1)), ("after", bench.clock.now)):
        told[name] = [one.prefixes for one in (await reader.at(moment.isoformat())).endpoint_sets if one.title == "t1"]
    assert told == {"before": [("20.1.0.0/17",)], "after": [("20.1.0.0/16",)]}
    await bench.sync(THREE, "2026-11-23T00:00:00+00:00")
    assert len((await (await bench.reader()).at(bench.clock.now.isoformat())).endpoint_sets) == 31


async def test_marks_and_diffs_go_on_over_a_rollback(bench: Bench) -> None:
    """First seen stays, last changed is the rollback; a fold over it equals the diff of both ends."""
    for tags in (ONE, TWO, THREE):
        await bench.sync(tags)
    await bench.back(1)
    await bench.sync(FOUR)
    reader = await bench.reader()
    snapshots = [(await reader.at(str(number))) for number in range(6)]
    for since, before in enumerate(snapshots):
        for until, after in enumerate(snapshots):
            found = await reader.difference(Point(since), Point(until))
            assert found.changes == diff(before.endpoint_sets, after.endpoint_sets)
    mark = snapshots[4].by_source[SOURCE.name].marks[f"{SOURCE.name}:t1"]
    assert (mark.first_seen, mark.last_changed) == (1, 4)


async def test_history_can_be_gone_back_to(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An imported version's content becomes live; the version it was stays history."""
    await bench.sync(TWO)
    path = tmp_path_factory.mktemp("history") / "old.json"
    path.write_bytes(body(ONE))
    await import_history(SOURCE, (HistoricFile(path.name, path, NOW - timedelta(days=400)),), bench.store, bench.clock)
    assert await bench.back(2) == 3
    made = await bench.store.versions.version(3)
    assert (made.imported, made.upstream_at, await bench.served()) == (False, NOW - timedelta(days=400), ONE)
    reader = await bench.reader()
    assert await reader.number_of(SOURCE.name, str((NOW - timedelta(days=100)).date())) == 2


async def test_what_cannot_be_gone_back_to_is_said(bench: Bench) -> None:
    """Nothing served, no such version, another source's, one that lists nothing, a sync under way."""
    with pytest.raises(UnknownVersionError, match="nothing of a-source is served"):
        await bench.back(1)
    await bench.sync(ONE)
    await bench.sync(TWO)
    await run_source(local_source("b-source"), _shelf("b-source"), bench.store, bench.clock)
    for number, message in ((9, "no version 9"), (3, "one of b-source")):
        with pytest.raises(UnknownVersionError, match=message):
            await bench.back(number)
    async with bench.store.leases.hold(SOURCE.name):
        with pytest.raises(LeaseTakenError):
            await bench.back(1)
    empty = replace(await bench.store.versions.version(1), digest=content_digest(()))
    await bench.store.redis.hset(keys.VERSIONS, "1", codec.pack(empty))
    await bench.store.redis.hset(keys.KEYFRAMES, "1", codec.pack_records(()))
    with pytest.raises(BadParameterError, match="lists nothing"):
        await bench.back(1)
    assert await bench.store.versions.head() == 3


async def test_reading_the_last_document_again_does_not_undo_a_rollback(bench: Bench) -> None:
    """What upstream said last is what was turned down."""
    await bench.sync(ONE)
    await bench.sync(TWO)
    await bench.back(1)
    assert (await reparse_source(SOURCE, bench.store, bench.clock)).result == "rejected"
    assert await bench.served() == ONE


def _shelf(name: str) -> Shelf:
    shelf = Shelf()
    shelf.bodies[local_source(name).url] = body(ONE)
    return shelf
