"""The Logic Apps page: goldens of two eras in both forms, directions, what is refused, and every real page at hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from schema.words import US_GOVERNMENT, Cloud, Direction
from scrapers.pages.logic_apps_limits import RULES
from tests.docs_pages import CORPUS, FIXTURES, FORMS, by_key, golden, keyed, needs_corpus, records, refusal

PAGES = FIXTURES / "logic-apps"
REAL = CORPUS / "docs" / "logic-apps-limits-and-config"
HTML = CORPUS / "learn-html" / "logic-apps-limits-and-config"
ERAS = ("2021", "2025")
INBOUND = "## Inbound IP addresses\n\n| Region | IP |\n|---|---|\n| East US | 40.117.99.79 |\n\n"
OUTBOUND = "## Outbound IP addresses\n\n| Region | Azure Logic Apps IP |\n|---|---|\n| East US | 13.92.98.111 |\n\n"


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("form", FORMS)
def test_a_page_gives_its_golden_records(era: str, form: str) -> None:
    """Each era's page gives exactly the records written down for it, as HTML and as Markdown."""
    assert records(RULES, PAGES / f"{era}{form}") == golden(PAGES / f"{era}.json")


def test_directions_are_the_customer_s() -> None:
    """What clients call is outbound, what workflows and connectors call from is inbound, for tags as for addresses."""
    for record in records(RULES, PAGES / "2021.md"):
        assert record.direction is (Direction.OUTBOUND if record.category == "inbound" else Direction.INBOUND)


def test_one_address_may_be_of_two_regions_services_or_directions() -> None:
    """An address that stands twice keeps both places (sources.md D1.30), and is one inside a cell (D1.29)."""
    old = by_key(RULES, PAGES / "2021.md")
    assert "40.74.68.85/32" in old["inbound:japanwest"].prefixes
    assert "40.74.68.85/32" in old["outbound:japanwest"].prefixes
    assert old["outbound:westus2"].prefixes == ("13.66.210.167/32", "52.183.30.169/32")
    assert "51.116.60.192/27" in old["managed-connectors:germanynorth"].prefixes
    assert "51.116.60.192/32" not in old["managed-connectors:germanynorth"].prefixes


def test_two_columns_are_two_services() -> None:
    """A row with addresses of Logic Apps and of managed connectors is a record of each."""
    old = by_key(RULES, PAGES / "2021.md")
    assert (old["outbound:japanwest"].service, old["outbound:japanwest"].prefixes[-1]) == (
        "Logic Apps",
        "104.214.137.243/32",
    )
    connectors = old["managed-connectors:japanwest"]
    assert (connectors.service, connectors.prefixes) == ("Managed connectors", ("40.74.100.224/28", "104.215.27.24/32"))


@pytest.mark.parametrize(
    ("key", "clouds"),
    [
        ("outbound:switzerlandwest", (Cloud.PUBLIC,)),
        ("inbound:usgovvirginia", US_GOVERNMENT),
        ("outbound:usdodcentral", (Cloud.USGOV_DOD,)),
        ("inbound:chinaeast2", (Cloud.CHINA,)),
        ("outbound:chinaeast2", (Cloud.CHINA,)),
    ],
)
def test_clouds_are_told_by_region_and_heading(key: str, clouds: tuple[Cloud, ...]) -> None:
    """Public, Azure Government, DoD and China have sections and regions of their own."""
    assert by_key(RULES, PAGES / "2025.md")[key].all_clouds == clouds


def test_a_tag_has_its_section_wherever_it_is_named() -> None:
    """Nested bullets and sentences name three tags: one for calls to Logic Apps, two for calls from them."""
    tags = "Use [service tags](t.md):\n\n* They save work:\n\n  * **LogicAppsManagement**: in.\n\n  * **LogicApps**: out.\n\n"
    found = keyed(
        records(RULES, f"# T\n\n## Firewall\n\n{tags}{INBOUND}{OUTBOUND}".replace("They save", "Service tags save"))
    )
    said = {key: (one.service, one.direction, one.service_tags) for key, one in found.items() if one.service_tags}
    assert said == {
        "inbound:LogicAppsManagement": ("Logic Apps", Direction.OUTBOUND, ("LogicAppsManagement",)),
        "outbound:LogicApps": ("Logic Apps", Direction.INBOUND, ("LogicApps",)),
    }
    one = "Name the **LogicApps**, **LogicAppsManagement** and **AzureConnectors** service tags.\n\n"
    assert {"inbound:LogicAppsManagement", "outbound:LogicApps", "managed-connectors:AzureConnectors"} < set(
        by_key(RULES, f"# T\n\n{one}{INBOUND}{OUTBOUND}")
    )


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (f"# T\n\n{INBOUND}", "'Logic Apps outbound addresses' is missing"),
        (f"# T\n\n{OUTBOUND}", "'Logic Apps inbound addresses' is missing"),
        (f"# T\n\n{INBOUND}{OUTBOUND}".replace("40.117.99.79", "40.117.99.79, tbd"), "'tbd'"),
        (f"# T\n\n{INBOUND}{OUTBOUND}".replace("40.117.99.79", ""), "there is no address"),
        (f"# T\n\n{INBOUND}{OUTBOUND}".replace("East US |", " |"), "there is no region"),
        (f"# T\n\n{INBOUND}{OUTBOUND}".replace("| IP |", "| Dirección IP |"), "holds endpoints, but its header is not known"),
        (f"# T\n\n{INBOUND}{OUTBOUND}".replace("Inbound IP", "Other IP"), "in which direction traffic goes"),
    ],
)  # fmt: skip
def test_a_page_that_cannot_be_read_whole_is_refused(page: str, reason: str) -> None:
    """Half a page, a cell that cannot be read, an unknown header or an unknown section refuses the page."""
    assert any(reason in said for said in refusal(RULES, page))


@needs_corpus
def test_the_oldest_real_page_gives_every_row() -> None:
    """The page of 2021 has 42 regions inbound, 42 rows of two services outbound, and two tags, in both forms."""
    found = records(RULES, next(REAL.glob("en/oldest_*.md")))
    assert Counter(one.category for one in found) == {"inbound": 42, "outbound": 43, "managed-connectors": 43}
    assert found == records(RULES, next(HTML.glob("oldest_*.html")))
    west = keyed(found)["managed-connectors:uksouth"]
    assert west.prefixes == (
        "51.105.77.96/27",
        "51.140.61.124/32",
        "51.140.74.150/32",
        "51.140.80.51/32",
        "51.140.148.0/28",
    )


@needs_corpus
def test_a_part_of_a_real_page_is_refused_and_two_parts_make_one() -> None:
    """The inbound half lacks its outbound section, the outbound half begins inside a table; together they are read."""
    newer, older = (next(REAL.glob(f"en/{era}_*.md")) for era in ("newer", "older"))
    assert refusal(RULES, newer) == refusal(RULES, next(HTML.glob("newer_*.html")))
    assert [reason.split(":")[0] for reason in refusal(RULES, newer)] == [
        "the section 'Logic Apps outbound addresses' is missing"
    ]
    assert any("a table that is not one" in reason for reason in refusal(RULES, older))
    rest = older.read_text().partition('<a name="outbound"></a>')[2]
    whole = f"# T\n\n### Inbound IP addresses\n\n{newer.read_text()}\n\n{rest}"
    found = records(RULES, whole)
    assert Counter(one.category for one in found) == {"inbound": 50, "outbound": 47, "managed-connectors": 1}
    assert "13.71.199.128/27" in keyed(found)["outbound:westcentralus"].prefixes


LOCALIZED = sorted(REAL.glob("[ez][sh]-*/*.md"))


@needs_corpus
@pytest.mark.parametrize("path", LOCALIZED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_localized_page_is_refused_for_its_words(path: Path) -> None:
    """Translated headers stand over addresses and are not known; five of the ten say every phrase twice."""
    reasons = refusal(RULES, path)
    assert sum("holds endpoints, but its header is not known" in reason for reason in reasons) == 2
    assert any("two languages" in reason for reason in reasons) is (path.stem[:3] in {"002", "004"})


def test_shorter_headings_and_both_directions_in_one_table_are_read() -> None:
    """ "Inbound" and "Outbound" alone, or as columns of one table, keep their direction."""
    short = (INBOUND + OUTBOUND).replace(" IP addresses\n", "\n")
    one = "## Inbound and outbound IP addresses\n\n| Region | Inbound IP | Outbound IP |\n|---|---|---|\n"
    both = f"{one}| East US | 40.117.99.79 | 13.92.98.111 |\n"
    for page in (short, both):
        found = by_key(RULES, page)
        assert {key: one.direction for key, one in found.items()} == {
            "inbound:eastus": Direction.OUTBOUND,
            "outbound:eastus": Direction.INBOUND,
        }
