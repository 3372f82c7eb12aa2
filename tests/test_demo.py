"""The demo: a bundled upstream in the real formats, at three dates."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec import structs

from catalog_service.catalog.conflict import ConflictKind
from catalog_service.catalog.conflicts import conflicts
from catalog_service.catalog.diff import diff
from catalog_service.catalog.guard import unsafe_reasons
from catalog_service.catalog.scenarios import all_scenarios
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import view
from schema.change import Changeset
from schema.document import Document
from schema.endpoint_set import EndpointSet
from schema.errors import BadParameterError
from schema.version import SourceState
from schema.words import Cloud, Disposition
from scrapers import demo
from scrapers.demo import DATES, demo_folders, demo_mirror, demo_sources
from scrapers.mirror import FolderMirror, fill
from scrapers.pages.sources import DOCS_PAGES
from scrapers.source import Source, synced
from scrapers.sources import SOURCES
from tests.catalogs import snapshot_of

NOW = datetime(2026, 5, 19, tzinfo=UTC)
DEMO = demo_sources(SOURCES)
PAGES = DEMO[-len(DOCS_PAGES) :]


Folders = tuple[Path, ...]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """The demo's upstream at each date, written once: nobody here changes it."""
    return tuple(folder for _, folder in demo_folders(tmp_path_factory.mktemp("demo")))


async def history(folders: Folders, source: Source) -> list[tuple[EndpointSet, ...]]:
    """The source's records at each date."""
    contents = []
    for folder in folders:
        document = await source.read(FolderMirror(folder), SourceState(), NOW)
        assert document is not None
        contents.append(source.records(document).endpoint_sets)
    return contents


@pytest.mark.parametrize("source", DEMO, ids=lambda source: source.name)
async def test_every_source_is_there(folders: Folders, source: Source) -> None:
    """Every source reads at every date from its default address, through fetch, parse and guard, unheld."""
    contents = await history(folders, source)
    assert len(contents) == len(DATES) >= 3
    previous: tuple[EndpointSet, ...] = ()
    for current in contents:
        assert unsafe_reasons(source.guard, previous, current, diff(previous, current)) == ()
        previous = current


async def changes(folders: Folders) -> list[Changeset]:
    """Every changeset between two dates, of all sources."""
    found = []
    for source in DEMO:
        contents = await history(folders, source)
        found += [diff(before, after) for before, after in pairwise(contents)]
    return found


async def test_there_is_something_to_see(folders: Folders) -> None:
    """Between the dates records come, change and go, prefixes and names too, and one week changes nothing."""
    all_changes = await changes(folders)
    flat = [change for changeset in all_changes for change in changeset]
    assert {change.disposition for change in flat} == set(Disposition)
    changed = [change for change in flat if change.disposition is Disposition.CHANGE]
    for members in ("prefixes_added", "prefixes_removed", "fqdns_added"):
        assert any(getattr(change, members) for change in changed), members
    assert any(change.fqdns_removed for change in flat)
    purposes = {attribute.name for change in flat for attribute in change.attributes}
    assert "purpose" in purposes
    assert () in all_changes


async def last(folders: Folders) -> Snapshot:
    """The catalogue at the last date."""
    return snapshot_of([record for source in DEMO for record in (await history(folders[-1:], source))[-1]])


async def test_every_question_has_an_answer(folders: Folders) -> None:
    """Each scenario finds records for Europe, from sources that are all there, and every tag that it needs."""
    snapshot = await last(folders)
    for scenario in all_scenarios():
        found = view(snapshot, Filter(scenarios=(scenario.name,), regions=("Europe",), clouds=(Cloud.PUBLIC,)))
        assert found.entries, scenario.name
        assert (found.unresolved, found.missing) == ((), ()), scenario.name


async def test_tags_of_the_pages_are_in_the_files(folders: Folders) -> None:
    """Whatever tag a page names, its cloud's file has it."""
    assert view(await last(folders), Filter(resolve=True)).unresolved == ()


async def test_sources_disagree(folders: Folders) -> None:
    """There is a conflict of ports, one of prefixes and a pattern to show."""
    kinds = {one.kind for one in conflicts(await last(folders))}
    assert kinds == {ConflictKind.PORTS, ConflictKind.PREFIXES, ConflictKind.PATTERN}


@pytest.mark.parametrize("source", PAGES, ids=lambda source: source.name)
@pytest.mark.parametrize("date", DATES)
async def test_html_and_markdown_agree(tmp_path: Path, source: Source, date: str) -> None:
    """A docs page reads the same in both of its forms."""
    demo_mirror(tmp_path, date)
    mirror = FolderMirror(tmp_path)
    page = await source.read(mirror, SourceState(), NOW)
    markdown = await mirror.get(f"{source.url}?accept=text/markdown")
    assert page is not None
    assert markdown is not None
    assert (page.provenance.media_type, markdown.media_type) == ("text/html", "text/markdown")
    other = Document(markdown.body, structs.replace(page.provenance, url=markdown.url, media_type="text/markdown"))
    assert source.records(page).endpoint_sets == source.records(other).endpoint_sets


async def test_it_can_be_mirrored(tmp_path: Path) -> None:
    """A mirror filled from the demo holds every source and reads the same."""
    original, copy = FolderMirror(tmp_path / "demo"), FolderMirror(tmp_path / "copy")
    demo_mirror(tmp_path / "demo", DATES[0])
    filled = await fill(tmp_path / "copy", original, DEMO, NOW)
    assert [(one.source, one.error) for one in filled] == [(source.name, None) for source in DEMO]
    for source in DEMO:
        assert await source.read(copy, SourceState(), NOW) == await source.read(original, SourceState(), NOW)


def test_it_says_what_it_is() -> None:
    """Titles are marked, names and addresses are the default ones."""
    assert all(source.title.endswith(" (demo)") for source in DEMO)
    assert [(one.name, one.url) for one in DEMO] == [(one.name, one.url) for one in synced(SOURCES)]


def test_dates(tmp_path: Path) -> None:
    """Dates are in order, and another date is refused."""
    assert list(DATES) == sorted(DATES)
    assert [path.name for _, path in demo_folders(tmp_path)] == list(DATES)
    with pytest.raises(BadParameterError):
        demo_mirror(tmp_path, "2026-05-05")


def test_it_is_small() -> None:
    """The bundled files are under 300 kB, with names that every file system takes."""
    files = [path for path in Path(demo.__file__).parent.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 300_000
    assert not any(character in path.name for path in files for character in '?*:"<>|')
