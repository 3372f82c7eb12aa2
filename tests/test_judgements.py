"""What a parcel of versions is about: folded, judged once, and what became of contents that were pruned."""

from __future__ import annotations

import asyncio

import pytest

from catalog_service.catalog.compare import DiffFilter, asked, compare
from catalog_service.events.judgements import Judgements, Told
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from schema.errors import UnknownVersionError
from schema.event import Place
from schema.subscription import Parcel
from schema.version import Point
from tests.api_client import DAY, PAGE, PAGE_1, START, TAGS, TAGS_1, TAGS_2, commit, published

EVERYTHING = DiffFilter()


def parcel(first: int, last: int, source: str | None = None) -> Parcel:
    return Parcel(Place(first), Place(last), source)


async def judgements(store: Store, *, served: bool = True) -> Judgements:
    """Judgements of a process that serves, or of one that has loaded nothing yet."""
    reader = Reader(store)
    if served:
        await reader.refresh()
    return Judgements(reader)


def shown(told: Told) -> object:
    assert told.judged
    return asked(told.judged, EVERYTHING)


@pytest.mark.parametrize("served", [True, False])
async def test_a_version_is_what_the_diff_over_it_is(store: Store, *, served: bool) -> None:
    """Each version, and each run of them, has the entries of the diff from the version before it."""
    await published(store)
    told_by, reader = await judgements(store, served=served), Reader(store)
    await reader.refresh()
    for first, last in ((1, 1), (2, 2), (3, 3), (1, 3), (2, 3)):
        told = await told_by.told(parcel(first, last))
        assert [version.version for version in told.versions] == [*range(first, last + 1)]
        assert told.previous == first - 1
        found = await reader.difference(Point(first - 1), Point(last))
        after = await reader.snapshot(Point(last))
        assert shown(told) == compare(found.changes, after.by_id, EVERYTHING)


async def test_a_parcel_of_one_source_leaves_out_the_others(store: Store) -> None:
    """The versions of another source in between are not told, and what leads to the source's is the version before."""
    await published(store)
    told = await (await judgements(store)).told(parcel(1, 3, TAGS))
    assert [version.version for version in told.versions] == [1, 3]
    assert told.judged
    assert {pair.record.source for pair in told.judged.pairs} == {TAGS}
    (page,) = (await (await judgements(store)).told(parcel(1, 3, PAGE))).versions
    assert page.version == 2


async def test_what_returned_is_not_told_and_shown_as_taken_back(store: Store) -> None:
    """Two versions that undo each other change nothing; each record says what it took back."""
    await commit(store, TAGS, TAGS_1, START)
    await commit(store, TAGS, TAGS_2, START + DAY)
    await commit(store, TAGS, TAGS_1, START + 2 * DAY)
    told = await (await judgements(store)).told(parcel(2, 3, TAGS))
    assert told.judged
    assert told.judged.pairs == ()
    assert [(one.record.title, one.prefixes) for one in told.taken_back] == [
        ("AzureConnectors", ("13.67.0.0/16", "2603:1000::/40")),
        ("LogicApps", ("20.1.2.0/24",)),
        ("Storage", ("20.60.0.0/16",)),
    ]


async def test_many_askers_share_one_judgement(store: Store) -> None:
    """Whoever asks for the same versions, at once or later, gets the very same answer."""
    await published(store)
    told_by = await judgements(store)
    same = await asyncio.gather(*(told_by.told(parcel(3, 3)) for _ in range(20)))
    later = await told_by.told(Parcel(Place(3), Place(3, 1)))
    assert {id(one) for one in (*same, later)} == {id(same[0])}


async def test_a_pruned_content_leaves_what_is_known_of_the_versions(store: Store) -> None:
    """The versions are told, their changes are not."""
    await published(store)
    await commit(store, PAGE, PAGE_1[:1], START + 3 * DAY)
    await store.retention.prune(1)
    told = await (await judgements(store)).told(parcel(1, 2))
    assert ([version.source for version in told.versions], told.judged, told.previous) == ([TAGS, PAGE], None, 0)


@pytest.mark.parametrize("missing", [parcel(4, 9), parcel(2, 2, TAGS), Parcel(Place(0), Place(0, 1))])
async def test_a_parcel_without_a_version_is_unknown(store: Store, missing: Parcel) -> None:
    """Beyond the newest, of another source, or of notices alone: nothing is there to be told."""
    await published(store)
    with pytest.raises(UnknownVersionError):
        await (await judgements(store)).told(missing)
