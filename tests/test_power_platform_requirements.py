"""The Power Platform requirements page: a golden in both forms, stars put back, tags and ports of prose, refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from schema.words import Direction
from scrapers.docs.page import Page, Table, Text
from scrapers.docs.stars import with_stars
from scrapers.pages.power_platform_requirements import RULES
from tests.docs_pages import FIXTURES, FORMS, by_key, corpus_pages, golden, records, refusal, rendered

PAGES = FIXTURES / "power-platform-requirements"
PAGE = (PAGES / "2025-02.md").read_text()


@pytest.mark.parametrize("form", FORMS)
def test_a_page_gives_its_golden_records(form: str) -> None:
    """The page gives exactly the records written down for it, as HTML (whose emphasis ate stars) and as Markdown."""
    assert records(RULES, PAGES / f"2025-02{form}") == golden(PAGES / "2025-02.json")


def test_a_name_with_a_hole_is_a_pattern() -> None:
    """The region's number is left open: no allowlist holds the name, and both schemes are kept."""
    found = by_key(RULES, PAGE)["dynamics-365:public:crm-dynamics-com"]
    assert (found.fqdns, found.patterns, found.protocols) == ((), ("*.crm#.dynamics.com",), ("http", "https"))


def test_an_empty_justification_is_the_one_above() -> None:
    """Only the first row of a group says why (sources.md D1.25)."""
    found = by_key(RULES, PAGE)
    assert found["dynamics-365:public:login.live.com"].purpose == "People sign in."


def test_ports_of_prose_are_a_record_without_members() -> None:
    """The page says the ports and not the names (sources.md D1.38)."""
    found = by_key(RULES, PAGE)["ports:dataverse"]
    assert (found.tcp_ports, found.kinds, found.direction) == (("1433", "5558"), (), Direction.OUTBOUND)


def test_a_tag_of_an_example_is_none() -> None:
    """The page shows how to search with a tag that does not exist."""
    tags = {tag for one in records(RULES, PAGE) for tag in one.service_tags}
    assert tags == {"AzureCloud", "MicrosoftAzureFluidRelay"}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("- [Public cloud](/powerapps/limits)", "https://make.example.com", "an endpoint stands in a table of links"),
        ("https://login.live.com", "soon", "'soon' is not a host name"),
        ("https://login.live.com", "<del>https://login.live.com</del>", "is struck out"),
        ("ports *1433* and *5558* for", "doors for", "'Dataverse Tabular Data Stream' is missing"),
        ("`AzureCloud` service tag", "whole cloud", "'IP addresses required' is missing"),
        ("### URLs for Dynamics 365 services", "### Other URLs", "'Dynamics 365 services' is missing"),
    ],
)
def test_what_is_not_understood_refuses_the_page(old: str, new: str, reason: str) -> None:
    """A changed shape is never read as a shorter page."""
    page = PAGE.replace(old, new)
    if "whole cloud" in new:
        page = page.replace("`MicrosoftAzureFluidRelay` service tag", "relay")
    assert any(reason in said for said in refusal(RULES, page)), refusal(RULES, page)


@pytest.mark.parametrize(
    ("line", "emphasis", "expected"),
    [
        ("https://.a.com and http://.a.com", ".a.com and http://", "https://*.a.com and http://*.a.com"),
        (".a.com, .b.com", ".a.com,", None),
        (".a.com,.b.com", ".a.com,", "*.a.com,*.b.com"),
        ("x.a.com and x.b.com", ".a.com and x", None),
        ("the a.com.", "a.com", None),
        (".a.com", ".a.com", None),
    ],
)
def test_stars_come_back_only_where_nothing_else_can_have_stood(line: str, emphasis: str, expected: str | None) -> None:
    """Two stars before two dots are certain; any other emphasis stays what it is, to be refused."""
    cell = Text(lines=(line,), emphases=(emphasis,))
    page = with_stars(Page(title="T", metadata=(), blocks=(Table(headings=(), header=(), rows=((cell,),)),)))
    ((mended,),) = page.tables[0].rows
    assert mended == (Text(lines=(expected,)) if expected else cell)


@pytest.mark.parametrize("page", corpus_pages("power-platform-online-requirements"), ids=lambda page: page.name)
def test_the_real_page_is_read(page: Path) -> None:
    """19 rows of URLs, two tags, the ports; HTML equal to Markdown."""
    found = records(RULES, page)
    roles = [one.category for one in found]
    assert {role: roles.count(role) for role in set(roles)} == {"dynamics-365": 19, "ip-addresses": 2, "ports": 1}
    assert {pattern for one in found for pattern in one.patterns} == {"*.crm#.dynamics.com"}
    assert sum(len(one.fqdns) for one in found) == 22
    assert records(RULES, rendered(page)) == found


@pytest.mark.parametrize(
    ("ports", "numbers"),
    [
        ("TCP port 1433 and TCP port 5558", ("1433", "5558")),
        ("ports **1433**, **5558** & 5559", ("1433", "5558", "5559")),
        ("ports 1433, 5558, and 5559", ("1433", "5558", "5559")),
    ],
)
def test_all_ports_of_the_paragraph_are_read(ports: str, numbers: tuple[str, ...]) -> None:
    """However they are joined."""
    assert by_key(RULES, PAGE.replace("ports *1433* and *5558*", ports))["ports:dataverse"].tcp_ports == numbers


def test_a_number_that_may_be_a_port_refuses_the_page() -> None:
    """Half of the ports would be no ports."""
    assert any("5558 in" in said for said in refusal(RULES, PAGE.replace("and *5558*", "to *5558*")))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("## IP addresses required", "## Required IP addresses"),
        ("## Ports", "## Required ports"),
        ("### URLs for Dynamics 365 services", "### Dynamics 365 URLs"),
        ("### URLs for Power Platform services", "### Power Platform URLs"),
    ],
)
def test_a_reworded_heading_is_the_same_section(old: str, new: str) -> None:
    """The same records, wherever their words stand."""
    assert old in PAGE
    assert by_key(RULES, PAGE.replace(old, new)).keys() == by_key(RULES, PAGE).keys()
