"""The regions overview page: geographies in its three forms, and records that no allowlist sees."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from catalog_service.catalog.diff import diff
from catalog_service.catalog.guard import unsafe_reasons
from catalog_service.catalog.regions import unknown_regions
from catalog_service.catalog.select import Filter, allowlist
from catalog_service.catalog.snapshot import Snapshot, SourceContent
from catalog_service.export.choose import chosen
from schema.change import Summary, summarize
from schema.document import Document, Provenance
from schema.endpoint_set import EndpointSet
from schema.errors import NoMatchError, ParseError
from schema.guard import GuardLimits
from schema.version import Version, count
from schema.words import Cloud
from scrapers.docs.fetch import fetch_docs_page
from scrapers.pages.power_automate_regions import parse_regions_overview
from scrapers.source import Source
from tests.docs_pages import FIXTURES, corpus_pages, golden, rendered
from tests.records import record

PAGES = FIXTURES / "power-automate-regions"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS = GuardLimits(min_endpoint_sets=6, max_endpoint_sets_removed_share=0.35, small=2)
SOURCE = Source(
    name="power-automate-regions",
    title="Power Automate regions overview",
    cloud=Cloud.PUBLIC,
    url="https://learn.microsoft.com/en-us/power-automate/regions-overview",
    fetch=fetch_docs_page,
    parse=parse_regions_overview,
    guard=LIMITS,
    interval_s=86400,
)
MAPPING = "# T\n\n## Region mappings\n\nPower Platform region|Gateway region\n---|---\n"
LIST = "# T\n\n## What regions are available?\n\n"


def page_records(page: Path | str) -> tuple[EndpointSet, ...]:
    """The records of a file (its suffix tells the form) or of Markdown text."""
    body = page.read_bytes() if isinstance(page, Path) else page.encode()
    html = isinstance(page, Path) and page.suffix == ".html"
    provenance = Provenance(SOURCE.url, NOW, "sha256:0", media_type="text/html" if html else "text/markdown")
    return SOURCE.records(Document(body, provenance)).endpoint_sets


def refusal(page: Path | str) -> tuple[str, ...]:
    """Every reason why a page is refused."""
    with pytest.raises(ParseError) as refused:
        page_records(page)
    return refused.value.reasons


def snapshot(*contents: tuple[EndpointSet, ...]) -> Snapshot:
    """A catalogue with one source for each of ``contents``."""
    made = (
        Version(at, one[0].source, NOW, NOW, "sha256:0", count(one), Summary(), "https://h/", "sha256:1")
        for at, one in enumerate(contents, 1)
    )
    return Snapshot(len(contents), tuple(map(SourceContent, made, contents)))


@pytest.mark.parametrize("page", ["2017-05.md", "2020-03.md", "2020-03.html", "2022-10.md", "2022-10.html"])
def test_a_page_gives_its_golden_records(page: str) -> None:
    """A list, a list beside a table, and a table alone give exactly the records written down for them."""
    assert page_records(PAGES / page) == golden(PAGES / f"{page[:7]}.json")


def test_unknown_spellings_are_kept_and_reported() -> None:
    """Junk of a draft and regions that nobody knows stand in the records as written (sources.md D1.37)."""
    found = page_records(PAGES / "2022-10.md")
    assert [(one.spelling, one.endpoint_set_count) for one in unknown_regions(snapshot(found))] == [
        ("atlantis east", 1),
        ("fdfdf", 1),
        ("new atlantis", 1),
        ("uk east", 1),
    ]


def test_a_new_gateway_region_is_a_change() -> None:
    """The list of regions is the content: one more of them, or another geography, is seen."""
    before = page_records(MAPPING + "Asia|East Asia\n")
    (change,) = diff(before, page_records(MAPPING + "Asia|East Asia, Southeast Asia\n"))
    assert [one.name for one in change.attributes] == ["gateway_regions"]
    assert diff(before, page_records(MAPPING + "Asia|  East Asia \n")) == ()
    assert (
        summarize(diff(before, page_records(MAPPING + "Asia|East Asia\nIndia|South India\n"))).endpoint_sets_added == 1
    )


def test_a_renamed_geography_stays_the_same_record() -> None:
    """Asia that became Asia Pacific is one record with another title (sources.md D3)."""
    (change,) = diff(page_records(MAPPING + "Asia|East Asia\n"), page_records(MAPPING + "Asia Pacific|East Asia\n"))
    assert [one.name for one in change.attributes] == ["title"]


def test_records_without_members_are_in_no_allowlist() -> None:
    """They add nothing to an allowlist, and nothing but them is no allowlist at all."""
    tags = (record("AzureConnectors.EastAsia", prefixes=("20.1.0.0/16",), region="eastasia"),)
    found = page_records(PAGES / "2022-10.md")
    both = snapshot(found, tags)
    assert allowlist(chosen(both, Filter(regions=("Asia",))).records).prefixes == ("20.1.0.0/16",)
    for regions in (("New Atlantis",), ("Asia", "New Atlantis")):
        with pytest.raises(NoMatchError):
            chosen(both, Filter(regions=regions))
    assert both.index.lookup("20.1.2.3")


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("# T\n\n## Gateways\n\nNone.\n", "the page names no region"),
        (MAPPING + "Brazil|\n", "there is no gateway region"),
        (MAPPING + "| |East Asia|\n", "there is no region"),
        (MAPPING + "Brazil|Brazil South\nSouth America|Brazil South\n", "Brazil and South America are one region"),
        (MAPPING + "Asia|<del>East Asia</del>\n", "is struck out"),
        (MAPPING.replace("Gateway region", "Gateway place") + "Asia|East Asia\n", "is not one of gateway regions"),
        (MAPPING + "Asia|East Asia\n\n|Domains|Uses|\n|---|---|\n|a.example.com|x|\n", "is not one of gateway regions"),
        (LIST + "* <del>Asia</del>\n", "is struck out"),
        (LIST + "* Asia\n* Asia Pacific\n", "Asia and Asia Pacific are one region"),
    ],
)
def test_a_page_that_cannot_be_read_whole_is_refused(page: str, reason: str) -> None:
    """One row, bullet or table that is not understood refuses the page."""
    assert any(reason in said for said in refusal(page)), refusal(page)


# 036 to 039 lost the list before they had the table; 046 is a draft with an empty row.
REFUSED = {
    **dict.fromkeys(("036", "037", "038", "039"), "the page names no region"),
    "046": "there is no gateway region",
}
COUNTS = {"001": 9, "007": 6, "010": 7, "024": 9, "026": 10, "028": 11, "035": 11, "040": 10, "042": 11, "048": 11}


@pytest.mark.parametrize("page", corpus_pages("power-automate-regions-overview"), ids=lambda page: page.name[:14])
def test_every_real_page_is_read_or_refused_for_its_reason(page: Path) -> None:
    """48 pages of 2016-2021: HTML equal to Markdown, counts as read by eye, nothing unknown."""
    number = page.name[:3]
    if number in REFUSED:
        assert any(REFUSED[number] in said for said in refusal(page))
        return
    found = page_records(page)
    assert len(found) == COUNTS.get(number, len(found))
    assert unknown_regions(snapshot(found)) == ()
    if (html := rendered(page)).exists():
        assert page_records(html) == found


def test_the_guard_lets_every_real_change_through() -> None:
    """Years of edits pass; half of the list gone does not."""
    pages = [page for page in corpus_pages("power-automate-regions-overview") if page.name[:3] not in REFUSED]
    readings = [page_records(page) for page in pages]
    if not readings:
        pytest.skip("no corpus of real upstream data here")
    for before, after in pairwise(readings):
        assert unsafe_reasons(LIMITS, before, after, diff(before, after)) == ()
    half = readings[-1][:6]
    assert unsafe_reasons(LIMITS, readings[-1], half, diff(readings[-1], half))
