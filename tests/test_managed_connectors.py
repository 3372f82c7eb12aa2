"""The page of managed connectors: goldens of both its forms as HTML and Markdown, and what is refused."""

from __future__ import annotations

import pytest

from schema.words import Cloud, Direction
from scrapers.pages.managed_connectors import RULES
from tests.docs_pages import CORPUS, FIXTURES, FORMS, by_key, golden, keyed, needs_corpus, records, refusal

PAGES = FIXTURES / "managed-connectors"
TABLE = "# T\n\n## Power Platform\n\n| {} |\n|---|---|\n| {} |\n"


@pytest.mark.parametrize("page", ["addresses", "tags"])
@pytest.mark.parametrize("form", FORMS)
def test_a_page_gives_its_golden_records(page: str, form: str) -> None:
    """Each form gives exactly the records written down for it, as HTML and as Markdown."""
    assert records(RULES, PAGES / f"{page}{form}") == golden(PAGES / f"{page}.json")


def test_a_geography_keeps_all_its_tags_in_one_record() -> None:
    """A geography's tags are needed together: one record, with its region; tags of prose stand beside it."""
    found = by_key(RULES, PAGES / "tags.md")
    canada = found["power-platform:canada"]
    assert canada.service_tags == ("AzureConnectors.CanadaCentral", "AzureConnectors.CanadaEast")
    assert (canada.region, canada.direction, canada.all_clouds) == ("canada", Direction.INBOUND, (Cloud.PUBLIC,))
    assert found["service-tags:PowerPlatformPlex"].service_tags == ("PowerPlatformPlex",)


def test_the_form_of_three_columns_is_two_services() -> None:
    """Addresses of Logic Apps beside those of managed connectors are records of their own."""
    found = by_key(RULES, PAGES / "tags.md")
    assert found["logic-apps-outbound:canadaeast"].service == "Logic Apps"
    assert found["logic-apps:canadaeast"].service == "Managed connectors"


def test_all_of_it_comes_into_the_customer_s_network() -> None:
    """Connectors call the customer's services, in every cloud and under every heading."""
    found = (*records(RULES, PAGES / "tags.md"), *records(RULES, PAGES / "addresses.md"))
    assert {one.direction for one in found} == {Direction.INBOUND}
    assert {cloud for one in found for cloud in one.all_clouds} == {*Cloud} - {Cloud.GERMANY}


@pytest.mark.parametrize(
    ("header", "row", "reason"),
    [
        ("Region | Outbound IP", "Asia | soon", "'soon'"),
        ("Geo (multi-tenant region) | Service tags", "Asia | Azure connectors", "is not a service tag"),
        ("Geo (multi-tenant region) | Service tags", "Asia | ", "there is no service tag"),
        ("Geo (multi-tenant region) | Service tags", " | AzureConnectors.EastAsia", "there is no region"),
        ("Where | Outbound IP", "Asia | 13.75.36.64", "'where' of a table of endpoints are not known"),
        ("Where | What", "Asia | 13.75.36.64", "its header is not known"),
    ],
)
def test_a_row_that_cannot_be_read_refuses_the_page(header: str, row: str, reason: str) -> None:
    """A cell of neither addresses nor tags, a row without its region and an unknown header are refused."""
    assert any(reason in said for said in refusal(RULES, TABLE.format(header, row)))


def test_a_page_without_power_platform_is_another_page() -> None:
    """Logic Apps' rows alone are half of the page, the half the seed page does not ask for."""
    page = TABLE.format("Region | Outbound IP", "East Asia | 13.75.36.64").replace("Power Platform", "Azure Logic Apps")
    (reason,) = refusal(RULES, page)
    assert reason.startswith("the section 'Managed connectors in Power Platform' is missing")


@needs_corpus
def test_real_tables_of_both_older_forms_are_read() -> None:
    """The seed page's region rows of 2021 and the Logic Apps page's table, put under this page's headings, are whole."""
    seed = next((CORPUS / "docs" / "power-automate-ip-address-configuration").glob("016_*.md")).read_text()
    region_rows = "| Region | Outbound IP" + seed.partition("| Region | Outbound IP")[2].partition("\n\n")[0]
    oldest = next((CORPUS / "docs" / "logic-apps-limits-and-config" / "en").glob("oldest_*.md")).read_text()
    header = "| Multi-tenant region | Logic Apps IP |"
    two_services = header + oldest.partition(header)[2].partition("\n\n")[0]
    found = keyed(
        records(RULES, f"# T\n\n## Azure Logic Apps\n\n{two_services}\n\n## Power Platform\n\n{region_rows}\n")
    )
    roles = [key.partition(":")[0] for key in found]
    assert [roles.count(role) for role in ("logic-apps", "logic-apps-outbound", "power-platform")] == [38, 38, 12]
    assert all(one.prefixes for one in found.values())


@pytest.mark.parametrize("header", ["Geo", "Geography", "Multitenant region", "Geo (multitenant region)"])
def test_a_geography_is_one_by_other_words(header: str) -> None:
    """The header of regions changes its spelling, not its meaning."""
    page = TABLE.format(f"{header} | Service tag name", "Canada | AzureConnectors.CanadaEast")
    assert list(by_key(RULES, page)) == ["power-platform:canada"]


@pytest.mark.parametrize(
    "prose",
    [
        "You must also allow `PowerPlatformPlex`.",
        "Also allow these:\n\n- `PowerPlatformPlex`",
        "Calls come from the following service tags: AzureConnectors.CanadaEast and PowerPlatformPlex.",
    ],
)
def test_a_tag_of_prose_needs_no_markup(prose: str) -> None:
    """A tag these pages have is one wherever a sentence asks for it."""
    page = TABLE.format("Geo | Service tags", "Canada | AzureConnectors.CanadaEast") + f"\n{prose}\n"
    assert by_key(RULES, page)["power-platform:PowerPlatformPlex"].direction is Direction.INBOUND
