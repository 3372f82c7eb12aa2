"""Scenarios, references and conflicts on real documents: the pages and a week of service tags."""

from __future__ import annotations

import re
import tarfile
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from catalog_service.catalog.conflict import ConflictKind
from catalog_service.catalog.conflicts import conflicts
from catalog_service.catalog.scenarios import all_scenarios
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot, SourceContent
from catalog_service.catalog.view import view
from catalog_service.export.choose import chosen
from schema.change import Summary
from schema.document import Document, Provenance
from schema.endpoint_set import content_digest
from schema.version import Version, count
from schema.words import Cloud
from scrapers.sources import SOURCES, source_named
from tests.catalogs import CHINA_TAGS, GOV_TAGS, LOGIC_APPS, PUBLIC_TAGS, SEED, WORLDWIDE
from tests.conftest import CORPUS

MAIL, GOVERNMENT = "power-automate-approval-email", "power-automate-us-government"
NOW = datetime(2026, 1, 5, tzinfo=UTC)
FILES = {
    PUBLIC_TAGS: ("Public-2025.tar.xz", "ServiceTags_Public_20251103.json"),
    GOV_TAGS: ("AzureGovernment-2019-2025.tar.xz", "ServiceTags_AzureGovernment_20251229.json"),
    CHINA_TAGS: ("China-2020-2025.tar.xz", "ServiceTags_China_20251229.json"),
}
PAGES = {
    SEED: "power-automate-ip-address-configuration/022_*.md",
    MAIL: "power-automate-approvals-email/003_*.md",
    GOVERNMENT: "power-automate-us-govt/052_*.md",
    LOGIC_APPS: "logic-apps-limits-and-config/en/oldest_*.md",
}
PLACES = [
    (Cloud.PUBLIC, "Europe"),
    (Cloud.USGOV, "US Gov Virginia"),
    (Cloud.USGOV_GCCHIGH, None),
    (Cloud.USGOV_DOD, "DoD"),
    (Cloud.CHINA, None),
]
DOD = ("USDoDCentral", "USDoDEast")
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus of real upstream data here")


def archived(source: str) -> bytes:
    """Return a week's file out of its archive."""
    archive, name = FILES[source]
    with tarfile.open(CORPUS / "service-tags" / archive) as opened:
        member = next(one for one in opened if one.name.endswith(name))
        file = opened.extractfile(member)
        assert file is not None
        return file.read()


def content(number: int, source: str, body: bytes, media_type: str) -> SourceContent:
    """Return what ``source`` makes of a document."""
    provenance = Provenance(f"https://{source}.example/", NOW, f"sha256:{number:02}", media_type=media_type)
    scraper = source_named(SOURCES, source)
    kept = scraper.parse(scraper, Document(body, provenance)).endpoint_sets
    version = Version(
        *(number, source, NOW, NOW, content_digest(kept), count(kept), Summary(), provenance.url, provenance.digest)
    )
    return SourceContent(version, kept)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """The service-tag files."""
    return {source: archived(source) for source in FILES}


def page(source: str) -> bytes:
    """Return a page's Markdown."""
    (path,) = (CORPUS / "docs").glob(PAGES[source])
    return path.read_bytes()


@pytest.fixture(scope="module")
def snapshot(files: dict[str, bytes]) -> Snapshot:
    """Service tags of three clouds, the seed page, those it points to, and Microsoft 365."""
    sets = max((CORPUS / "microsoft-365" / "worldwide").glob("*.json"))
    documents = [
        *((source, body, "application/json") for source, body in files.items()),
        *((source, page(source), "text/markdown") for source in PAGES),
        (WORLDWIDE, sets.read_bytes(), "application/json"),
    ]
    contents = tuple(content(number, *one) for number, one in enumerate(documents, start=1))
    return Snapshot(len(contents), contents)


def upstream(files: dict[str, bytes], source: str, *names: str) -> set[str]:
    """Return the prefixes of tags as the file has them, read without our own parser."""
    values: list[dict[str, Any]] = msgspec.json.decode(files[source])["values"]
    found = {one["name"]: one["properties"]["addressPrefixes"] for one in values}
    return {prefix for name in names for prefix in found[name]}


@pytest.mark.parametrize("name", [one.name for one in all_scenarios()])
@pytest.mark.parametrize(("cloud", "region"), PLACES)
def test_every_question_is_answered_or_said_to_have_no_answer(
    snapshot: Snapshot, name: str, cloud: Cloud, region: str | None
) -> None:
    """Europe, GCC, GCC High, DoD and China: a list, or a sentence."""
    wanted = Filter(scenarios=(name,), clouds=(cloud,), regions=(region,) if region else ())
    assert chosen(snapshot, wanted).entries
    assert view(snapshot, wanted).unpublished == ()


@pytest.mark.parametrize(
    ("scenario", "cloud", "region", "source", "names"),
    [
        (
            "http-actions",
            Cloud.PUBLIC,
            "europe",
            PUBLIC_TAGS,
            [
                f"{tag}.{region}"
                for tag in ("LogicApps", "PowerPlatformInfra", "PowerPlatformPlex")
                for region in ("WestEurope", "NorthEurope")
            ],
        ),
        ("connectors", Cloud.PUBLIC, "France Central", PUBLIC_TAGS, ["AzureConnectors.FranceCentral"]),
        ("connectors", Cloud.PUBLIC, None, PUBLIC_TAGS, ["AzureConnectors"]),
        ("connectors", Cloud.CHINA, None, CHINA_TAGS, ["AzureConnectors"]),
        (
            "azure-sql-firewall",
            Cloud.USGOV_DOD,
            "dod",
            GOV_TAGS,
            [*(f"AzureConnectors.{name}" for name in DOD), *(f"AzureCloud.{name.lower()}" for name in DOD)],
        ),
    ],
)
def test_the_prefixes_are_those_of_the_file(
    snapshot: Snapshot,
    files: dict[str, bytes],
    scenario: str,
    cloud: Cloud,
    region: str | None,
    source: str,
    names: list[str],
) -> None:
    """By way of the page's references and of the scenario's own tags: not one more, not one less."""
    seen = chosen(snapshot, Filter(scenarios=(scenario,), clouds=(cloud,), regions=(region,) if region else ()))
    by_tag = [one for one in seen.records if one.source in (SEED, source)]
    assert {prefix for one in by_tag for prefix in one.prefixes} == upstream(files, source, *names)


ADDRESS = re.compile(r"(?<![\d.])\d+\.\d+\.\d+\.\d+(?:/\d+)?")


@pytest.mark.parametrize(
    ("cloud", "heading"),
    [
        (Cloud.PUBLIC, "## Commercial"),
        (Cloud.USGOV, "## Sovereign Clouds"),
        (Cloud.USGOV_GCCHIGH, "## Sovereign Clouds"),
        (Cloud.USGOV_DOD, "## Sovereign Clouds"),
        (Cloud.CHINA, "## China"),
    ],
)
def test_approval_email_comes_from_what_the_page_lists(snapshot: Snapshot, cloud: Cloud, heading: str) -> None:
    """Every address below the cloud's heading, read without our own parser, and no other."""
    section = page(MAIL).decode().partition(f"{heading}\n")[2].partition("\n## ")[0]
    expected = {one if "/" in one else f"{one}/32" for one in ADDRESS.findall(section)}
    seen = chosen(snapshot, Filter(scenarios=("approval-email",), clouds=(cloud,)))
    assert {prefix for one in seen.records for prefix in one.prefixes} == expected


def test_http_actions_have_the_rows_of_the_logic_apps_page(snapshot: Snapshot) -> None:
    """Outbound rows of both European regions, in the customer's direction; the inbound ones are another question."""
    rows = page(LOGIC_APPS).decode().partition("### Outbound IP addresses")[2].splitlines()
    cells = [row.split("|")[2] for row in rows if row.startswith(("| West Europe |", "| North Europe |"))]
    wanted = Filter(sources=(LOGIC_APPS,), scenarios=("http-actions",), clouds=(Cloud.PUBLIC,), regions=("Europe",))
    plain = [one for one in view(snapshot, wanted).entries if not one.via]
    assert {prefix for one in plain for prefix in one.record.prefixes} == {
        f"{address}/32" for cell in cells for address in ADDRESS.findall(cell)
    }
    assert {use.direction.value for one in plain for use in one.scenarios} == {"inbound"}


def test_a_region_without_every_tag_takes_the_whole_one(snapshot: Snapshot, files: dict[str, bytes]) -> None:
    """There is no PowerPlatformPlex for some regions of the United States (sources.md T5)."""
    seen = chosen(snapshot, Filter(scenarios=("http-actions",), clouds=(Cloud.PUBLIC,), regions=("United States",)))
    vias = {entry.record.id: [via.tag for via in entry.via] for entry in seen.entries}
    assert vias[f"{SEED}:http-actions:PowerPlatformPlex"] == ["PowerPlatformPlex"]
    assert "LogicApps.WestUS3" in vias[f"{SEED}:http-actions:LogicApps"]


def test_every_reference_of_the_page_resolves(snapshot: Snapshot) -> None:
    """No tag that the page names is without prefixes, and each says where they came from."""
    seen = view(snapshot, Filter(sources=(SEED,), resolve=True))
    assert seen.unresolved == ()
    referring = {entry.record.id for entry in seen.entries if entry.via}
    assert referring == {one.id for one in snapshot.by_source[SEED].endpoint_sets if one.service_tags}
    assert all(via.document == "sha256:01" and via.version == 1 for entry in seen.entries for via in entry.via)


def test_the_gateway_in_china_has_the_pages_row(snapshot: Snapshot) -> None:
    """Its certificate servers, and a note that there is no relay."""
    seen = chosen(snapshot, Filter(scenarios=("gateway-relay",), clouds=(Cloud.CHINA,)))
    assert [name for one in seen.records for name in one.fqdns] == ["crl.digicert.cn", "ocsp.digicert.cn"]
    assert "21Vianet" in seen.notes[0].sentence


def test_the_page_and_microsoft_365_disagree_on_ports(snapshot: Snapshot) -> None:
    """The page says https of the admin center, Microsoft 365 opens port 80 too."""
    found = {one.subject: one for one in conflicts(snapshot) if one.kind is ConflictKind.PORTS}
    parties = {party.source: (party.says, party.only) for party in found["admin.microsoft.com"].parties}
    assert parties == {SEED: (("tcp/443",), ()), WORLDWIDE: (("tcp/80", "tcp/443"), ("tcp/80",))}
