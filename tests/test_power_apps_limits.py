"""The Power Apps page of limits: goldens of two eras in both forms, and every real page at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from schema.endpoint_set import content_digest
from schema.words import Cloud, Direction
from scrapers.pages.power_apps_limits import RULES
from tests.docs_pages import FIXTURES, FORMS, by_key, corpus_pages, golden, needs_corpus, records, refusal, rendered

PAGES = FIXTURES / "power-apps-limits"
REAL = corpus_pages("power-apps-limits-and-config")
# Three versions of 2017 have the name "graph.microsoft.com?": nobody can tell what was meant.
DAMAGED = ("002", "003", "004")
READABLE = [page for page in REAL if not page.name.startswith(DAMAGED)]


def real(number: str) -> Path:
    return next(page for page in REAL if page.name.startswith(number))


@pytest.mark.parametrize("suffix", FORMS)
@pytest.mark.parametrize("era", ["2017-03", "2023-01"])
def test_a_page_gives_its_golden_records(era: str, suffix: str) -> None:
    """Each era's page gives exactly the records written down for it, as HTML and as Markdown."""
    assert records(RULES, PAGES / f"{era}{suffix}") == golden(PAGES / f"{era}.json")


def test_what_is_no_host_name_is_a_pattern() -> None:
    """A numbered name, the machine itself and its loopback address stand beside names (sources.md D1.12)."""
    found = [record for record in records(RULES, PAGES / "2023-01.md") if record.patterns]
    assert [(record.patterns, record.protocols, record.fqdns, record.prefixes) for record in found] == [
        (("127.0.0.1",), ("http",), (), ()),
        (("*.crm#.dynamics.com",), ("http", "https"), (), ()),
        (("localhost",), ("https",), (), ()),
    ]


def test_deprecated_endpoints_are_none() -> None:
    """The table of old and new addresses, notes below a table and prose give no record (sources.md D1.16)."""
    found = records(RULES, PAGES / "2023-01.md")
    assert {record.heading for record in found} == {("Required services",)}
    assert len(found) == 8


def test_names_in_the_uses_are_not_the_row_s() -> None:
    """A row's uses may list other hosts; only its own column is read (sources.md D1.8)."""
    assert by_key(RULES, PAGES / "2023-01.md")["portal:public:*.powerapps.com"].fqdns == ("*.powerapps.com",)


def test_a_page_with_deprecated_endpoints_alone_is_refused() -> None:
    """What is ignored does not count as endpoints."""
    table = "| Deprecated endpoint | New endpoint |\n|---|---|\n| a.example.com/x | b.example.com/y |\n"
    assert refusal(RULES, f"# T\n\n## Deprecated endpoints\n\n{table}") == ("the page has no table of endpoints",)


def test_a_region_of_2017_and_its_section_under_each_heading() -> None:
    """ "Services", "IP address" and "IP addresses" are the connectors'."""
    table = "| Region | Outbound IP |\n|---|---|\n| Asia | 52.163.91.227 |\n"
    for heading in ("Services", "IP address", "IP addresses"):
        (found,) = records(RULES, f"# T\n\n## {heading}\n\n{table}")
        assert (found.category, found.region, found.direction) == ("connectors", "asia", Direction.INBOUND)


@needs_corpus
def test_there_are_all_12_pages() -> None:
    """The tests below are over every version at hand."""
    assert (len(REAL), len(READABLE)) == (12, 9)


@pytest.mark.parametrize("page", READABLE, ids=lambda page: page.stem[:14])
def test_every_readable_real_page_is_read(page: Path) -> None:
    """Each version gives records of the public cloud, and its HTML the same ones where it is at hand."""
    found = records(RULES, page)
    assert {record.all_clouds for record in found} == {(Cloud.PUBLIC,)}
    if rendered(page).is_file():
        assert records(RULES, rendered(page)) == found


@needs_corpus
@pytest.mark.parametrize("number", DAMAGED)
def test_a_damaged_name_refuses_the_page(number: str) -> None:
    """A name with a question mark is not repaired by guessing."""
    (reason,) = refusal(RULES, real(number))
    assert "'graph.microsoft.com?' is not a host name" in reason


@needs_corpus
def test_headings_and_front_matter_change_no_record() -> None:
    """From March to October 2017 the page was edited five times and moved once; its endpoints stayed."""
    pages = [real(number) for number in ("005", "006", "007", "008", "009", "010", "newpath")]
    assert len({content_digest(records(RULES, page)) for page in pages}) == 1


@needs_corpus
def test_the_page_of_2023_is_read_as_a_careful_reader_would() -> None:
    """18 rows, typed from reading them: names, patterns and protocols."""
    found = records(RULES, real("012"))
    assert {(*record.fqdns, *record.patterns): " ".join(record.protocols) for record in found} == {
        ("api.bap.microsoft.com",): "https",
        ("management.azure.com",): "https",
        ("msmanaged-na.azure-apim.net",): "https",
        (
            "*.odc.officeapps.live.com",
            "login.microsoft.com",
            "login.microsoftonline.com",
            "login.windows.net",
            "secure.aadcdn.microsoftonline-p.com",
        ): "https",
        ("graph.microsoft.com", "graph.windows.net"): "https",
        ("*.azure-apim.net",): "https",
        ("*.powerapps.com",): "https",
        ("*.azureedge.net",): "https",
        ("*.ces.microsoftcloud.com",): "https",
        ("*.blob.core.windows.net",): "https",
        ("*.flow.microsoft.com",): "https",
        ("*.crm#.dynamics.com",): "http https",
        ("vortex.data.microsoft.com",): "https",
        ("localhost",): "https",
        ("127.0.0.1",): "http",
        ("ecs.office.com",): "https",
        ("config.edge.skype.com",): "https",
        ("*.api.powerplatform.com",): "https",
    }
