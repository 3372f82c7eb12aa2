"""The Power Automate page of limits: goldens of four eras in both forms, refusals, and every real page at hand."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from schema.endpoint_set import content_digest
from schema.words import EVERY_CLOUD, Cloud, Direction
from scrapers.pages.power_automate_limits import RULES
from tests.docs_pages import FIXTURES, FORMS, by_key, corpus_pages, golden, needs_corpus, records, refusal, rendered

PAGES = FIXTURES / "power-automate-limits"
FOLDER = "power-automate-limits-and-config"
REAL = corpus_pages(FOLDER)
# From 2020-10-29 to 2020-11-24 the page held limits alone: its endpoints had gone to another page (sources.md D3).
WITHOUT_ENDPOINTS = tuple(f"{number}" for number in range(109, 119))
WITH_ENDPOINTS = [page for page in REAL if not page.name.startswith(WITHOUT_ENDPOINTS)]


def real(number: str) -> Path:
    return next(page for page in REAL if page.name.startswith(number))


@pytest.mark.parametrize("suffix", FORMS)
@pytest.mark.parametrize("era", ["2018-06", "2020-05", "2020-11", "2022-06"])
def test_a_page_gives_its_golden_records(era: str, suffix: str) -> None:
    """Each era's page gives exactly the records written down for it, as HTML and as Markdown."""
    assert records(RULES, PAGES / f"{era}{suffix}") == golden(PAGES / f"{era}.json")


def test_one_heading_stands_over_addresses_and_names() -> None:
    """Until 2018 "Services" held the connectors' addresses and the portal's names."""
    found = by_key(RULES, PAGES / "2018-06.md")
    under_services = {key: record.direction for key, record in found.items() if record.heading[-1] == "Services"}
    assert under_services["connectors:united-kingdom"] is Direction.INBOUND
    assert under_services["portal:public:login.microsoft.com"] is Direction.OUTBOUND
    assert {key.partition(":")[0] for key in under_services} == {"connectors", "portal"}


def test_an_end_tag_of_a_break_separates_names() -> None:
    """``</br>`` glues no names in either form (sources.md D1.1)."""
    for form in ("2018-06.md", "2018-06.html"):
        names = by_key(RULES, PAGES / form)["portal:public:login.microsoft.com"].fqdns
        assert names == ("login.microsoft.com", "login.windows.net", "secure.aadcdn.microsoftonline-p.com")


def test_a_repeated_header_in_the_body_is_no_row() -> None:
    """The rows under the second header are the table's (sources.md D1.19)."""
    found = by_key(RULES, PAGES / "2020-11.md")
    assert {key: record.all_clouds for key, record in found.items()} == {
        "ip-addresses:asia": (Cloud.PUBLIC,),
        "ip-addresses:germany": (Cloud.PUBLIC,),
        "ip-addresses:gcc": (Cloud.USGOV,),
        "ip-addresses:dod": (Cloud.USGOV_DOD,),
    }


def test_a_namespace_is_one_record_however_often_it_is_written() -> None:
    """One name a row with its region; a row written twice is one record, names are lower case."""
    found = by_key(RULES, PAGES / "2022-06.md")
    assert [(record.fqdns[0].partition(".")[0], record.region, record.purpose) for record in found.values()] == [
        ("prdnorwaywestmmrns-v2-2-c3d4", "norway", None),
        ("prdnzammrns-1-e5f6", "south-africa", None),
        ("prdsouthafricawestmmrns-1-g7", "south-africa", None),
        ("previeweastusmmrns-2-hwd3", "united-states", "Preview"),
        ("prodnorwayeastmmrns-1-a1b2", "norway", None),
    ]


def test_a_namespace_in_two_regions_is_two_records() -> None:
    """Neither row is lost, and their ids tell the regions."""
    table = "| URI | Power Platform Region | Is preview |\n|---|---|---|\n"
    rows = "| a.servicebus.windows.net | Norway | No |\n| a.servicebus.windows.net | Korea | No |\n"
    found = by_key(RULES, f"# T\n\n## Allowlist of namespaces\n\n{table}{rows}")
    assert {key.rpartition(":")[2]: record.region for key, record in found.items()} == {
        "desktop-flows-runtime-namespaces-korea": "korea",
        "desktop-flows-runtime-namespaces-norway": "norway",
    }


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("| a.servicebus.windows.net | | No |", "there is no region"),
        ("| a.servicebus.windows.net | Norway | Perhaps |", "'Perhaps' does not say whether the row is a preview"),
        ("| | Norway | No |", "there is no host name"),
        ("| a.servicebus.windows.net | Norway | No | b.servicebus.windows.net |", "stands under no header"),
    ],
)
def test_a_namespace_row_that_cannot_be_read_is_refused(row: str, reason: str) -> None:
    """A row without a name, a region, or with a word that is no answer refuses the page."""
    table = "| URI | Power Platform Region | Is preview |\n|---|---|---|\n| b.servicebus.windows.net | Norway | No |\n"
    (given,) = refusal(RULES, f"# T\n\n## Allowlist of namespaces\n\n{table}{row}\n")
    assert reason in given


def test_a_page_of_limits_alone_is_refused() -> None:
    """An empty list is never published: the page that lost its endpoints is an error."""
    page = "# T\n\n## Limits\n\n| Name | Limit |\n|---|---|\n| Actions | 500 |\n"
    assert refusal(RULES, page) == ("the page has no table of endpoints",)


@needs_corpus
def test_there_are_all_119_pages_and_the_list_of_namespaces() -> None:
    """The replay below is over every version at hand."""
    assert len(REAL) == 119
    assert len(WITH_ENDPOINTS) == 109


@pytest.mark.parametrize("page", WITH_ENDPOINTS, ids=lambda page: page.stem[:14])
def test_every_real_page_with_endpoints_is_read(page: Path) -> None:
    """Each version since 2017 gives records, and its HTML the same ones where it is at hand."""
    found = records(RULES, page)
    assert found
    if rendered(page).is_file():
        assert records(RULES, rendered(page)) == found


@needs_corpus
def test_real_pages_without_endpoints_are_refused() -> None:
    """While the endpoints stood on another page, nothing could be read here, for that reason alone."""
    for number in WITHOUT_ENDPOINTS:
        assert refusal(RULES, real(number)) == ("the page has no table of endpoints",)


@needs_corpus
def test_most_edits_of_the_page_change_no_record() -> None:
    """Of 108 steps between versions, half to 70 % are prose, limits and form (sources.md D3)."""
    digests = [content_digest(records(RULES, page)) for page in WITH_ENDPOINTS]
    unchanged = sum(before == after for before, after in pairwise(digests))
    assert 0.5 <= unchanged / (len(digests) - 1) <= 0.7


# Typed from reading the pages: rows of each section.
COUNTS = {
    "001": {"logic-apps": 6, "connectors": 18},
    "002": {"logic-apps": 6, "connectors": 8},
    "017": {"logic-apps": 7, "connectors": 8, "portal": 8},
    "033": {"logic-apps": 7, "connectors": 10, "portal": 8},
    "053": {"connectors": 10, "portal": 8},
    "108": {"connectors": 12, "portal": 9, "desktop-flows-runtime": 4},
    "119": {"ip-addresses": 13},
    "later": {"desktop-flows-namespaces": 21},
}


@needs_corpus
@pytest.mark.parametrize("number", COUNTS)
def test_rows_are_as_many_as_a_reader_counts(number: str) -> None:
    """Each section has its rows, and addresses alone come in."""
    found = records(RULES, real(number))
    roles = [str(record.category) for record in found]
    assert {role: roles.count(role) for role in roles} == COUNTS[number]
    assert all((record.direction is Direction.INBOUND) == bool(record.prefixes) for record in found)


@needs_corpus
def test_the_first_page_names_azure_regions() -> None:
    """In January 2017 the connectors' addresses stood by Azure region, one each."""
    found = by_key(RULES, real("001"))
    assert found["connectors:eastus2"].prefixes == ("104.208.233.100/32",)
    assert found["logic-apps:europe"].service == "Logic Apps"
    assert "104.40.51.248/32" in found["connectors:westus"].prefixes


@needs_corpus
def test_the_last_page_before_the_move_is_read_as_a_careful_reader_would() -> None:
    """October 2020: a row of four names between ``</br>``, four clouds of desktop flows, "and" before the last address."""
    found = by_key(RULES, real("108"))
    assert found["portal:public:login.microsoft.com"].fqdns == (
        "login.microsoft.com",
        "login.microsoftonline.com",
        "login.windows.net",
        "secure.aadcdn.microsoftonline-p.com",
    )
    assert [record.all_clouds for key, record in found.items() if key.startswith("desktop-flows-runtime")] == [
        EVERY_CLOUD,
        (Cloud.CHINA,),
        (Cloud.PUBLIC,),
        (Cloud.USGOV, Cloud.USGOV_GCCHIGH),
    ]
    assert found["connectors:germany"].prefixes == (
        "51.116.60.192/32",
        "51.116.158.96/32",
        "51.116.158.97/32",
        "51.116.211.212/32",
        "51.116.236.78/32",
    )


@needs_corpus
def test_a_range_is_one_block() -> None:
    """October 2019: ranges as one block each, beside single addresses (sources.md D1.25)."""
    assert by_key(RULES, real("053"))["connectors:south-america"].prefixes == (
        "13.65.86.57/32",
        "104.41.59.51/32",
        "104.214.19.48/28",
        "191.233.203.192/28",
    )


@needs_corpus
def test_a_typing_error_that_is_a_name_is_kept_as_published() -> None:
    """``mscrl.microsoft.comt`` stood there for three days of May 2020 (sources.md D1.13)."""
    typed = by_key(RULES, real("081"))["desktop-flows-runtime:public:mscrl.microsoft.comt"]
    assert (typed.fqdns, typed.protocols) == (("mscrl.microsoft.comt",), ("https",))
    assert "desktop-flows-runtime:public:mscrl.microsoft.com" in by_key(RULES, real("086"))


@needs_corpus
def test_a_renamed_region_is_the_same_record() -> None:
    """037 calls Asia "Asia Pacific" and the early-access region "Preview": no record goes (sources.md D3)."""
    before = {key for key in by_key(RULES, real("036")) if key.startswith("connectors:")}
    assert before == {key for key in by_key(RULES, real("037")) if key.startswith("connectors:")}


@needs_corpus
def test_the_last_table_of_addresses_has_its_regions() -> None:
    """November 2020, with a header inside its body: 13 regions, ranges and single addresses."""
    found = by_key(RULES, real("119"))
    assert (
        found["ip-addresses:brazil" if "ip-addresses:brazil" in found else "ip-addresses:south-america"].title
        == "Brazil"
    )
    assert found["ip-addresses:united-arab-emirates"].prefixes == (
        "20.37.74.192/28",
        "20.45.67.28/32",
        "20.45.67.36/32",
        "40.120.8.0/27",
    )


@needs_corpus
def test_real_namespaces_have_region_and_preview() -> None:
    """22 rows of which one is written twice; six previews of the United States."""
    found = records(RULES, real("later"))
    regions = [record.region for record in found]
    assert {region: regions.count(region) for region in regions} == {
        "norway": 4,
        "korea": 4,
        "south-africa": 3,
        "united-states": 10,
    }
    assert sum(record.purpose == "Preview" for record in found) == 6
