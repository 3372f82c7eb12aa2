"""The whole pipeline over a mirror of real files: what must make a version does, what must not does not."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalog_service.store.connect import Store
from catalog_service.sync.held import accept
from catalog_service.sync.run import run_source
from scrapers.mirror import FolderMirror
from scrapers.sources import SOURCES, source_named
from tests.local_source import Clock

DOWNLOAD = "download.microsoft.com/download/7/1/d/71d86715-5596-4529-9b13-da13a5de5b63"
PAGES = {"Public": "56519", "AzureGovernment": "57063", "China": "57062"}
HELD = ("20240115", "20250303")
"""68 tags are gone at once; WindowsVirtualDesktop keeps 4 of 272 prefixes (docs/adr/0007)."""
SEED = "learn.microsoft.com/en-us/power-automate/ip-address-configuration"


def put(root: Path, name: str, body: bytes) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


def put_service_tags(root: Path, stem: str, name: str, body: bytes) -> None:
    page = f'<a href="https://{DOWNLOAD}/{name}">{name}</a>'.encode()
    put(root, f"www.microsoft.com/en-us/download/details.aspx?id={PAGES[stem]}", page)
    put(root, f"{DOWNLOAD}/{name}", body)


def weekly(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The files of one archive, oldest first."""
    with tarfile.open(archive) as tar:
        files = {Path(member.name).name: data.read() for member in tar if (data := tar.extractfile(member))}
    yield from sorted(files.items())


def meaning(body: bytes) -> object:
    """What a file says, by itself: tags with their properties, order and the file's own number left out."""
    tags = json.loads(body.decode("utf-8-sig"))["values"]
    return {
        tag["name"]: {
            key: sorted(value) if isinstance(value, list) else value for key, value in tag["properties"].items()
        }
        for tag in tags
    }


async def sync(store: Store, root: Path, name: str) -> str:
    outcome = await run_source(source_named(SOURCES, name), FolderMirror(root), store, Clock(datetime.now(UTC)))
    return outcome.result if outcome.result != "failed" else f"failed: {outcome.message}"


async def release(store: Store) -> None:
    """Accept what is held, as a person does."""
    for held in await store.sources.held():
        await accept(store, held.id, "a person", Clock(datetime.now(UTC)))


@pytest.mark.parametrize(
    ("years", "weeks"), [(("2025",), 38), pytest.param(("2024", "2025"), 88, marks=pytest.mark.soak)]
)
async def test_each_weekly_file_makes_a_version_where_it_changed(
    store: Store, tmp_path: Path, corpus: Path, years: tuple[str, ...], weeks: int
) -> None:
    """Public weeks in order: a version exactly where the content changed; two of two years wait for a person."""
    seen, results, before = {}, {}, None
    for year in years:
        for name, body in weekly(corpus / "service-tags" / f"Public-{year}.tar.xz"):
            put_service_tags(tmp_path, "Public", name, body)
            date = name[-13:-5]
            results[date] = await sync(store, tmp_path, "azure-service-tags-public")
            now = meaning(body)
            changed = "held" if date in HELD else "committed"
            seen[date] = changed if now != before else "unchanged"
            before = now
            await release(store)
    assert len(results) == weeks
    assert results == seen
    assert (results["20250310"], results["20250818"], results["20251028"]) == ("committed", "unchanged", "unchanged")
    assert await store.versions.head() == weeks - list(seen.values()).count("unchanged")


@pytest.mark.parametrize(
    ("stem", "name", "archive"),
    [
        ("AzureGovernment", "azure-service-tags-usgov", "AzureGovernment-2019-2025.tar.xz"),
        ("China", "azure-service-tags-china", "China-2020-2025.tar.xz"),
    ],
)
async def test_other_clouds_replay_without_a_failure(
    store: Store, tmp_path: Path, corpus: Path, stem: str, name: str, archive: str
) -> None:
    """Every file is read, the early form too; what changed is committed, after months without files by a person."""
    before, results = None, []
    for file, body in weekly(corpus / "service-tags" / archive):
        put_service_tags(tmp_path, stem, file, body)
        results.append((meaning(body) != before, await sync(store, tmp_path, name)))
        await release(store)
        before = meaning(body)
    assert {result for changed, result in results if not changed} == {"unchanged"}
    assert {result for changed, result in results if changed} <= {"committed", "held"}
    assert [result for _, result in results].count("held") <= 3


async def test_microsoft_365_is_asked_only_when_its_version_is_newer(
    store: Store, tmp_path: Path, corpus: Path
) -> None:
    """Byte-exact answers of four years, each under a newer version number; the same number is not read again."""
    files = sorted((corpus / "microsoft-365" / "worldwide").glob("*.json"))
    results = []
    for file in files:
        version = file.stem[-10:].replace("-", "") + "00"
        put(
            tmp_path,
            "endpoints.office.com/version/Worldwide",
            json.dumps({"instance": "Worldwide", "latest": version}).encode(),
        )
        put(tmp_path, "endpoints.office.com/endpoints/Worldwide", file.read_bytes())
        results.append(await sync(store, tmp_path, "microsoft-365-worldwide"))
    assert set(results) <= {"committed", "unchanged"}
    put(tmp_path, "endpoints.office.com/endpoints/Worldwide", b"never asked")
    assert await sync(store, tmp_path, "microsoft-365-worldwide") == "unchanged"


async def test_every_era_of_the_seed_page_can_be_the_first_version(store: Store, tmp_path: Path, corpus: Path) -> None:
    """HTML makes a version, and the Markdown of the same page then changes nothing."""
    folder = "power-automate-ip-address-configuration"
    for page in sorted((corpus / "learn-html" / folder).glob("*.html")):
        await store.redis.flushall()
        put(tmp_path, SEED, page.read_bytes())
        assert await sync(store, tmp_path, folder) == "committed", page.name
        put(tmp_path, SEED, (corpus / "docs" / folder / f"{page.stem}.md").read_bytes())
        assert await sync(store, tmp_path, folder) == "unchanged", page.name


async def test_what_came_back_instead_of_a_document_publishes_nothing(
    store: Store, tmp_path: Path, corpus: Path
) -> None:
    """Every stored error page, in the place of every document of every source: the last good version stays."""
    _, body = list(weekly(corpus / "service-tags" / "China-2020-2025.tar.xz"))[-1]
    put_service_tags(tmp_path, "China", "ServiceTags_China_20250101.json", body)
    name = "azure-service-tags-china"
    assert await sync(store, tmp_path, name) == "committed"
    endpoints = max((corpus / "microsoft-365" / "worldwide").glob("*.json")).read_bytes()
    put(tmp_path, "endpoints.office.com/version/Worldwide", b'{"instance":"Worldwide","latest":"2024010100"}')
    put(tmp_path, "endpoints.office.com/endpoints/Worldwide", endpoints)
    assert await sync(store, tmp_path, "microsoft-365-worldwide") == "committed"
    for error in sorted((corpus / "errors").iterdir()):
        put(tmp_path, f"{DOWNLOAD}/ServiceTags_China_20250101.json", error.read_bytes())
        put(tmp_path, "endpoints.office.com/version/Worldwide", b'{"instance":"Worldwide","latest":"2024020100"}')
        put(tmp_path, "endpoints.office.com/endpoints/Worldwide", error.read_bytes())
        put(tmp_path, SEED, error.read_bytes())
        for source in (name, "microsoft-365-worldwide", "power-automate-ip-address-configuration"):
            assert (await sync(store, tmp_path, source)).startswith("failed"), error.name
        put(tmp_path, "endpoints.office.com/version/Worldwide", error.read_bytes())
        assert (await sync(store, tmp_path, "microsoft-365-worldwide")).startswith("failed"), error.name
    assert await store.versions.head() == 2
