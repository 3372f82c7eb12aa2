"""However a history came about, a biography, a lookup and a diff say the same of each day."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from msgspec.structs import replace

from catalog_service.api.reads.biographies import biography
from catalog_service.api.reads.lookups import looked_up
from catalog_service.catalog.diff import diff
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from catalog_service.sync.history import import_history
from catalog_service.sync.rollback import rollback
from catalog_service.sync.run import run_source
from catalog_service.views.biographies import ThatDay
from schema.endpoint_set import EndpointSet
from schema.errors import BadParameterError, GoneError, UnknownVersionError
from tests.api_client import DAY
from tests.local_source import Clock, Shelf, body, local_source
from tests.test_biography import ANYTHING, FIRST, Tags, file

DAYS, ARCHIVE_ENDS = 40, 25
POOL = ("20.0.0.0/16", "20.0.8.0/24", "20.1.0.0/16", "20.1.2.3/32", "2603:1000::/40")
ADDRESSES = ("20.0.8.1", "20.1.2.3", "20.1.2.0/24", "2603:1000::1")
SERVED = local_source(limits=ANYTHING)
ARCHIVE = replace(local_source("b-source", ANYTHING), closed_at=FIRST + ARCHIVE_ENDS * DAY)
INFOS = (SERVED.info, ARCHIVE.info)


class Past:
    """A catalogue to which random things happen."""

    def __init__(self, store: Store, folder: Path, seed: int) -> None:
        self.store, self.folder, self.chance = store, folder, random.Random(seed)
        self.clock = Clock(FIRST + 20 * DAY)

    def tags(self) -> Tags:
        """Few contents, so that one is seen again now and then."""
        return {
            tag: sorted(self.chance.sample(POOL, self.chance.randint(0, 2)))
            for tag in "ab"[: self.chance.randint(1, 2)]
        }

    async def import_some(self) -> None:
        source = self.chance.choice((SERVED, ARCHIVE))
        days = sorted(self.chance.sample(range(DAYS), 4))
        files = tuple(file(self.folder, self.tags(), day) for day in days)
        await import_history(source, files, self.store, self.clock)

    async def sync(self) -> None:
        shelf = Shelf()
        dated = self.clock.now - self.chance.randint(0, 3) * DAY if self.chance.random() < 0.6 else None
        shelf.bodies[SERVED.url] = body(self.tags(), dated.isoformat() if dated else None)
        await run_source(SERVED, shelf, self.store, self.clock)

    async def roll_back(self) -> None:
        number = self.chance.randint(1, max(1, await self.store.versions.last()))
        try:
            await rollback(self.store, SERVED.name, number, "somebody", self.clock)
        except (UnknownVersionError, GoneError, BadParameterError):
            return

    async def prune(self) -> None:
        if await self.store.versions.head():
            await self.store.retention.prune(self.chance.randint(1, 4))

    async def step(self) -> None:
        what = self.chance.choices((self.import_some, self.sync, self.roll_back, self.prune), (3, 5, 1, 1))[0]
        await what()
        self.clock.forward(days=self.chance.choice((0, 0.5, 1, 3)))


async def snapshot_at(reader: Reader, spec: str) -> Snapshot | None:
    """Return the catalogue then; None where it is unknown or was pruned."""
    try:
        return await reader.at(spec)
    except (UnknownVersionError, GoneError):
        return None


async def that_day(reader: Reader, query: str, spec: str) -> ThatDay | None:
    try:
        return (await biography(reader, INFOS, query, (), spec)).on
    except UnknownVersionError:
        return None


def specs() -> list[str]:
    """Every day, and the very instants at which files begin."""
    days = [FIRST + number * DAY for number in range(-1, DAYS + 20)]
    return [*(f"{day:%Y-%m-%d}" for day in days), *(day.isoformat() for day in days[::3])]


@pytest.mark.parametrize("seed", range(4))
async def test_a_biography_says_of_each_day_what_a_lookup_says(store: Store, tmp_path: Path, seed: int) -> None:
    """Imports, files seen again, live versions, rollbacks, a closed upstream, pruning: asked of the same reader all along."""
    past, reader = Past(store, tmp_path, seed), Reader(store)
    await past.sync()
    for _ in range(4):
        for _ in range(5):
            await past.step()
        await reader.refresh()
        for spec in specs():
            snapshot = await snapshot_at(reader, spec)
            for query in ADDRESSES:
                on = await that_day(reader, query, spec)
                if snapshot is None:
                    assert on is None or on.unknown
                    continue
                held = [one for one in looked_up(snapshot, INFOS, query, Filter()).matches if one.relation != "inside"]
                assert on is not None
                assert {(one.id, one.member) for one in on.by} == {(one.id, one.prefix) for one in held}
                assert SERVED.name in {*on.unknown, *snapshot.by_source}


def _without(records: tuple[EndpointSet, ...], missing: tuple[str, ...]) -> tuple[EndpointSet, ...]:
    return tuple(one for one in records if one.source not in missing)


@pytest.mark.parametrize("seed", range(4))
async def test_a_diff_of_any_two_points_is_that_of_their_contents(store: Store, tmp_path: Path, seed: int) -> None:
    """Numbers and dates, either way round, across live, imported, rolled back and pruned versions."""
    past, reader = Past(store, tmp_path, seed), Reader(store)
    await past.sync()
    for _ in range(20):
        await past.step()
    await reader.refresh()
    numbers = [str(number) for number in range(await store.versions.last() + 1)]
    for _ in range(150):
        since, until = past.chance.choices([*numbers, *specs()], k=2)
        before, after = await snapshot_at(reader, since), await snapshot_at(reader, until)
        if before is None or after is None:
            continue
        found = await reader.difference(before.point, after.point)
        records = [_without(one.endpoint_sets, found.missing) for one in (before, after)]
        assert found.changes == diff(*records)
        back = await reader.difference(after.point, before.point)
        assert (back.changes, back.missing) == (diff(*reversed(records)), found.missing)
