"""A biography says what a scan of every file says, however the files came in."""

from __future__ import annotations

import functools
import ipaddress
import json
import random
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from catalog_service.api.reads.biographies import biography
from catalog_service.api.reads.chronicles import chronicles_of
from catalog_service.cli import exits
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from catalog_service.sync.history import Imported, import_history
from catalog_service.sync.run import run_source
from catalog_service.views.biographies import Biography
from schema.errors import BadParameterError, NotReadyError, UnknownEndpointSetError, UnknownVersionError
from schema.guard import GuardLimits
from scrapers.history.files import HistoricFile
from scrapers.sources import SOURCES, source_named
from tests.api_client import DAY, PAGE, PAGE_1, TAGS, TAGS_1, TAGS_2, catalog_client, commit, published, row, tag
from tests.api_client import START as LIVE
from tests.local_source import Clock, Shelf, body, local_source

ANYTHING = GuardLimits(1, max_members_removed_share=1, max_endpoint_sets_removed_share=1, max_members_added_share=99)
SOURCE = local_source(limits=ANYTHING)
INFOS = (SOURCE.info,)
FIRST = datetime(2024, 5, 6, tzinfo=UTC)
Tags = dict[str, list[str]]


def file(folder: Path, tags: Tags, days: int) -> HistoricFile:
    at = FIRST + days * DAY
    path = folder / f"tags_{at:%Y%m%d}.json"
    path.write_bytes(body(tags))
    return HistoricFile(path.name, path, at)


async def taken(store: Store, *files: HistoricFile) -> tuple[Imported, ...]:
    return await import_history(SOURCE, files, store, Clock())


async def live(store: Store, tags: Tags, clock: Clock) -> None:
    shelf = Shelf()
    shelf.bodies[SOURCE.url] = body(tags)
    assert (await run_source(SOURCE, shelf, store, clock)).result == "committed"


async def read(store: Store) -> Reader:
    reader = Reader(store)
    await reader.refresh()
    return reader


async def told(store: Store, query: str, on: str | None = None) -> Biography:
    return await biography(await read(store), INFOS, query, (), on)


def events(found: Biography) -> list[tuple[int, str, str, int | None]]:
    """When, in days since the first file; what; of which record; by which version."""
    return [((one.at - FIRST).days, one.deed, one.id.partition(":")[2], one.version) for one in found.events]


def spans(found: Biography) -> list[tuple[int, int | None]]:
    """The periods of what was asked itself, in days since the first file."""
    return [
        ((one.from_ - FIRST).days, (one.until - FIRST).days if one.until else None) for one in found.lives[0].periods
    ]


async def test_a_prefix_comes_leaves_and_returns(store: Store, tmp_path: Path) -> None:
    """Across an import and live versions, with the number of each; a move between records is no break."""
    weeks: list[Tags] = [
        {"a": ["20.1.0.0/16"], "b": ["20.9.0.0/16"]},
        {"a": ["20.9.1.0/24"], "b": ["20.1.0.0/16", "20.9.0.0/16"]},
        {"b": ["20.9.0.0/16"]},
    ]
    await taken(store, *(file(tmp_path, tags, 7 * number) for number, tags in enumerate(weeks)))
    clock = Clock(FIRST + 28 * DAY)
    await live(store, {"a": ["20.1.0.0/16"], "b": ["20.9.0.0/16"]}, clock)
    found = await told(store, "20.1.0.0/16")
    assert events(found) == [
        (0, "came", "a", 1), (7, "left", "a", 2), (7, "came", "b", 2), (14, "left", "b", 3), (28, "returned", "a", 4),
    ]  # fmt: skip
    assert [one.or_before for one in found.events] == [True, False, False, False, False]
    assert spans(found) == [(0, 14), (28, None)]
    assert (found.subject, found.listed, found.first) == ("prefix", True, found.events[0])
    assert [one.listed for one in (await told(store, "20.9.1.0/24")).lives] == [False, True]


async def test_that_day_names_the_records_that_listed_it(store: Store, tmp_path: Path) -> None:
    """A date means its end; before the first content nothing is known, and a number is no date."""
    await taken(store, file(tmp_path, {"a": ["20.1.0.0/16"]}, 0), file(tmp_path, {"b": ["20.1.0.0/16"]}, 7))
    for on, who in (("2024-05-06", ["a"]), ("2024-05-12", ["a"]), ("2024-05-13", ["b"]), ("2024-05-13T00:00", ["b"])):
        day = (await told(store, "20.1.2.3", on)).on
        assert day is not None
        assert [one.id.partition(":")[2] for one in day.by] == who
    with pytest.raises(UnknownVersionError) as unknown:
        await told(store, "20.1.2.3", "2024-05-05")
    assert unknown.value.facts["parameter"] == "on"
    for on in ("1", "latest", "yesterday's"):
        with pytest.raises((BadParameterError, UnknownVersionError)) as error:
            await told(store, "20.1.2.3", on)
        assert error.value.facts["parameter"] == "on"


async def test_a_closed_upstream_lists_nothing_from_its_end_on(store: Store, tmp_path: Path) -> None:
    """What it listed left then, by no version."""
    closed = replace(SOURCE, closed_at=FIRST + 30 * DAY)
    await import_history(closed, (file(tmp_path, {"a": ["20.1.0.0/16"]}, 0),), store, Clock())
    found = await told(store, "20.1.0.0/16", "2024-07-01")
    assert events(found) == [(0, "came", "a", 1), (30, "left", "a", None)]
    assert found.on is not None
    assert (found.on.listed, found.on.unknown) == (False, ())


async def test_a_version_seen_again_is_a_return(store: Store, tmp_path: Path) -> None:
    """A file between two equal ones, imported later, ends where the second begins (docs/adr/0006)."""
    await taken(store, file(tmp_path, {"a": ["20.1.0.0/16"]}, 0), file(tmp_path, {"a": ["20.1.0.0/16"]}, 60))
    await taken(store, file(tmp_path, {"a": ["20.2.0.0/16"]}, 30))
    found = await told(store, "20.1.0.0/16")
    assert events(found) == [(0, "came", "a", 1), (30, "left", "a", 2), (60, "returned", "a", 1)]


@pytest.mark.parametrize("seed", range(4))
async def test_however_history_comes_in_each_day_is_told_right(store: Store, tmp_path: Path, seed: int) -> None:
    """Files in any portions and order with live versions between: on each day, listed is what its file lists.

    The same reader is asked after each portion, so that what it knows is extended, or read anew where it must.
    """
    chance = random.Random(seed)
    pool = [f"20.{number}.0.0/16" for number in range(12)]
    weeks: list[Tags] = [{tag: chance.sample(pool, 4) for tag in "abc"} for _ in range(20)]
    files = [file(tmp_path, tags, 7 * number) for number, tags in enumerate(weeks)]
    clock, reader = Clock(FIRST + 400 * DAY), await read(store)
    for portion in (sorted(chance.sample(range(20), 7)), sorted(chance.sample(range(20), 7)), list(range(20))):
        await taken(store, *(files[number] for number in portion))
        clock.forward(days=1)
        served: Tags = {tag: chance.sample(pool, 4) for tag in "abc"}
        await live(store, served, clock)
        await reader.refresh()
        assert await chronicles_of(reader) == await chronicles_of(reader)
        found = {prefix: await biography(reader, INFOS, prefix) for prefix in pool}
        assert {prefix for prefix in pool if found[prefix].listed} == {one for each in served.values() for one in each}
    for number, tags in enumerate(weeks):
        on = f"{FIRST + (7 * number + 3) * DAY:%Y-%m-%d}"
        for prefix in pool:
            day = (await biography(reader, INFOS, prefix, (), on)).on
            assert day is not None
            assert {one.id.partition(":")[2] for one in day.by} == {tag for tag in "abc" if prefix in tags[tag]}
    fresh = {prefix: await told(store, prefix) for prefix in pool}
    assert fresh == found


async def test_an_address_was_in_every_prefix_that_ever_held_it(store: Store) -> None:
    """The narrowest first, and a mapped address is the IPv4 address it stands for."""
    await published(store)
    reader = await read(store)
    found = await biography(reader, INFOS, "::ffff:13.66.60.65")
    assert [(one.name, one.relation, one.listed) for one in found.lives] == [
        ("13.66.60.64/26", "covers", True), ("13.66.60.0/24", "covers", True),
    ]  # fmt: skip
    assert (found.subject, found.looked_up) == ("address", "13.66.60.65")
    assert [one.name for one in (await biography(reader, INFOS, "13.66.60.0/24")).lives] == ["13.66.60.0/24"]
    gone = await biography(reader, INFOS, "2603:1000::1")
    assert ([one.name for one in gone.lives], gone.listed) == (["2603:1000::/40"], False)
    never = await biography(reader, INFOS, "198.51.100.1")
    assert (never.lives, never.events, never.first, never.listed) == ((), (), None, False)


async def test_wildcards_that_cover_a_name_are_told_from_the_name(store: Store) -> None:
    """``*.x`` covers what is below ``x`` and not ``x``; a URL's host is looked up."""
    await published(store)
    await commit(store, PAGE, (*PAGE_1, row("exact", "a.flow.microsoft.com")), LIVE + 3 * DAY)
    reader = await read(store)
    found = await biography(reader, INFOS, "https://a.flow.microsoft.com/path")
    assert [(one.name, one.relation) for one in found.lives] == [
        ("a.flow.microsoft.com", "exact"), ("*.flow.microsoft.com", "covers"),
    ]  # fmt: skip
    assert (found.subject, found.looked_up) == ("fqdn", "a.flow.microsoft.com")
    assert (await biography(reader, INFOS, "flow.microsoft.com")).lives == ()


async def test_a_record_tells_each_change_and_its_size_over_time(store: Store) -> None:
    """What it gained, lost and said; a return after it left; and how many members it had when."""
    await published(store)
    await commit(store, TAGS, (*TAGS_1[:2], tag("LogicApps", "20.1.3.0/24", "20.1.4.0/24")), LIVE + 5 * DAY)
    reader = await read(store)
    found = await biography(reader, INFOS, f"{TAGS}:LogicApps", (), "2026-11-05")
    assert [(one.deed, one.version) for one in found.events] == [("came", 1), ("left", 3), ("returned", 4)]
    assert [(one.prefixes, one.version) for one in found.series] == [(1, 1), (0, 3), (2, 4)]
    assert len(found.lives[0].periods) == 2
    assert found.on is not None
    assert not found.on.listed
    changed = (await biography(reader, INFOS, f"{TAGS}:AzureConnectors")).events[1]
    assert changed.deed == "changed"
    assert changed.change is not None
    assert changed.change.prefixes_added == ("13.67.0.0/16",)
    assert [one.name for one in changed.change.attributes] == ["change_number"]


async def test_what_was_never_listed_or_never_read_is_said(store: Store) -> None:
    """An id nobody had, a source nothing is known of, a query that is none of all; nothing yet is not nothing."""
    with pytest.raises(NotReadyError):
        await told(store, "20.1.2.3")
    await commit(store, TAGS, TAGS_1, LIVE)
    reader = await read(store)
    with pytest.raises(UnknownEndpointSetError):
        await biography(reader, INFOS, f"{TAGS}:NoSuchTag")
    with pytest.raises(BadParameterError):
        await biography(reader, INFOS, f"{TAGS}:LogicApps", (PAGE,))
    with pytest.raises(NotReadyError):
        await biography(reader, INFOS, "20.1.2.3", (PAGE,))
    assert (await biography(reader, INFOS, "20.1.2.3")).missing == (SOURCE.name,)
    for query in ("", "not an address", "20.1.2.3/8", "unknown-source:record"):
        with pytest.raises(BadParameterError) as error:
            await biography(reader, INFOS, query)
        assert error.value.facts["parameter"] == "q"


async def test_one_source_can_be_asked_alone(store: Store) -> None:
    """What another source listed has no part in it."""
    await published(store)
    reader = await read(store)
    assert (await biography(reader, INFOS, "make.powerautomate.com", (TAGS,))).lives == ()
    assert (await biography(reader, INFOS, "make.powerautomate.com", (PAGE,))).listed


async def test_pruned_versions_leave_a_gap_that_is_told(store: Store) -> None:
    """The biography begins at the oldest content kept; what changed while versions are gone happened then or before."""
    numbers = (TAGS_1, TAGS_2, TAGS_1, TAGS_2, TAGS_1)
    for days, records in enumerate(numbers):
        await commit(store, TAGS, records, LIVE + days * DAY)
    reader = await read(store)
    before = await biography(reader, INFOS, "20.60.0.0/16")
    assert [one.version for one in before.events] == [2, 3, 4, 5]
    await store.labels.set("prod", 2, "somebody", LIVE + 9 * DAY)
    pruned = await store.retention.prune(1)
    assert pruned.dropped == (1, 3, 4)
    found = await biography(reader, INFOS, "20.60.0.0/16", (), f"{LIVE + 3 * DAY:%Y-%m-%d}")
    assert [(one.deed, one.version, one.or_before) for one in found.events] == [("came", 2, True), ("left", 5, True)]
    assert found.known[0].version == 2
    assert found.on is not None
    assert (found.on.listed, found.on.unknown) == (False, (TAGS,))
    assert [(one.or_before, one.until_or_before) for one in found.lives[0].periods] == [(True, True)]


async def test_rest_and_the_command_line_tell_the_same(store: Store, redis_url: str) -> None:
    """With a date or without; the answer moves with an import and is revalidated by its own bytes."""
    async with catalog_client(store) as opened:
        for query, on in (("x.flow.microsoft.com", "2026-11-03"), (f"{TAGS}:LogicApps", None)):
            answer = await opened.get("/v1/history", params={"q": query, **({"on": on} if on else {})})
            assert answer.status_code == 200
            code, out, _ = said(redis_url, query, "--json", *(("--on", on) if on else ()))
            assert code == exits.FINE
            given, told_ = answer.json(), json.loads(out)
            assert {**given, "missing": None} == {**told_, "missing": None}  # the program knows more sources by name
            again = await opened.get(answer.request.url, headers={"if-none-match": answer.headers["etag"]})
            assert again.status_code == 304
        code, out, err = said(redis_url, "20.1.2.3")
        assert code == exits.FINE
        assert "2026-11-04 06:00Z" in out
        assert "20.1.2.0/24 (covers): 2026-11-02 06:00Z to 2026-11-04 06:00Z; not listed now" in err
        assert said(redis_url, "20.1.2.3", "--on", "2026-11-05")[0] == exits.NOT_FOUND


@pytest.mark.parametrize(
    ("query", "status", "parameter"),
    [
        ("", 400, "q"),
        ("q=nonsense", 400, "q"),
        ("q=20.1.2.3&at=1", 400, "at"),
        ("q=20.1.2.3&on=2026-13-01", 400, "on"),
        ("q=20.1.2.3&on=9999-12-31", 400, "on"),
        ("q=20.1.2.3&on=3", 400, "on"),
        ("q=20.1.2.3&on=2020-01-01", 404, "on"),
        ("q=20.1.2.3&source=nobody", 404, "source"),
        (f"q={TAGS}:Nothing", 404, "q"),
        (f"q={TAGS}:LogicApps&source={PAGE}", 400, "source"),
    ],
)
async def test_what_cannot_be_told_names_the_parameter(store: Store, query: str, status: int, parameter: str) -> None:
    """As a problem document."""
    async with catalog_client(store) as opened:
        answer = await opened.get(f"/v1/history?{query}")
        assert (answer.status_code, answer.json()["parameter"]) == (status, parameter)


def said(redis_url: str, *arguments: str) -> tuple[int, str, str]:
    program = [sys.executable, "-m", "catalog_service", "history", "--redis-url", redis_url]
    done = subprocess.run([*program, *arguments], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


async def test_real_weeks_are_told_as_a_scan_of_their_files_tells_them(
    store: Store, tmp_path: Path, corpus: Path
) -> None:
    """Ten files of the Public cloud: who listed twenty prefixes when, and the records that hold an address."""
    source = source_named(SOURCES, "azure-service-tags-public")
    files = tuple(_weeks(corpus / "service-tags" / "Public-2025.tar.xz", tmp_path, 10))
    assert len(files) == 10
    await import_history(source, files, store, Clock())
    scanned = [(one.at, _scan(one.path)) for one in files]
    chance = random.Random(7)
    ever = sorted(set().union(*(week.keys() for _, week in scanned)))
    moved = [one for one in ever if len({week.get(one, frozenset()) for _, week in scanned}) > 1]
    reader = await read(store)
    for prefix in [*chance.sample(ever, 8), *chance.sample(moved, 12)]:
        found = await biography(reader, (source.info,), prefix)
        itself = [one for one in found.events if one.relation == "exact"]
        assert [(one.at, one.id, one.deed == "left") for one in itself] == sorted(
            _turns(scanned, prefix), key=lambda one: (one[0], not one[2], one[1])
        )
    inside = _network(moved[0])[0]
    for at, week in scanned[::3]:
        day = (await biography(reader, (source.info,), str(inside), (), f"{at:%Y-%m-%d}")).on
        assert day is not None
        held = {(one.member, one.id) for one in day.by}
        assert held == {(one, id_) for one, ids in week.items() if inside in _network(one) for id_ in ids}


def _weeks(archive: Path, folder: Path, count: int) -> Iterator[HistoricFile]:
    """Yield the first weekly files of an archive, without unpacking the rest."""
    with tarfile.open(archive, "r|xz") as opened:
        for member in opened:
            if member.isfile() and count:
                content = opened.extractfile(member)
                assert content is not None
                path = folder / Path(member.name).name
                path.write_bytes(content.read())
                day = datetime.strptime(path.stem[-8:], "%Y%m%d").replace(tzinfo=UTC)
                yield HistoricFile(path.name, path, day)
                count -= 1
            if not count:
                return


@functools.cache
def _network(prefix: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(prefix)


@functools.cache
def _canonical(prefix: str) -> str:
    return str(_network(prefix))


def _scan(path: Path) -> dict[str, frozenset[str]]:
    """Return the ids of the tags that list each prefix, straight from the file."""
    found: dict[str, set[str]] = {}
    for value in json.loads(path.read_bytes())["values"]:
        for prefix in value["properties"]["addressPrefixes"]:
            found.setdefault(_canonical(prefix), set()).add(f"azure-service-tags-public:{value['name']}")
    return {prefix: frozenset(ids) for prefix, ids in found.items()}


def _turns(
    scanned: list[tuple[datetime, dict[str, frozenset[str]]]], prefix: str
) -> Iterator[tuple[datetime, str, bool]]:
    before: frozenset[str] = frozenset()
    for at, week in scanned:
        now = week.get(prefix, frozenset())
        yield from ((at, id_, False) for id_ in now - before)
        yield from ((at, id_, True) for id_ in before - now)
        before = now
