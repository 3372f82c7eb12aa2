"""The US Government page: goldens of three eras in both forms, which cloud each cell and bullet is for, refusals."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from catalog_service.catalog.diff import diff
from catalog_service.catalog.guard import unsafe_reasons
from schema.guard import GuardLimits
from schema.words import US_GOVERNMENT, Cloud, Direction
from scrapers.pages.power_automate_us_government import RULES
from tests.docs_pages import FIXTURES, FORMS, by_key, corpus_pages, golden, records, refusal, rendered

PAGES = FIXTURES / "power-automate-us-government"
LIMITS = GuardLimits(
    min_endpoint_sets=6,
    max_members_removed_share=0.25,
    max_endpoint_sets_removed_share=0.25,
    max_members_added_share=1.0,
)
URLS = "# T\n\n## Service URLs\n\nCommercial version|US Government version\n---|---\n"
TABLE = f"{URLS}https://flow.example.com|https://gov.example.us (GCC)\n"
DOMAINS = f"{TABLE}\n### GCC High Customers:\n\n"
GCC, GCC_HIGH, DOD = US_GOVERNMENT


@pytest.mark.parametrize("era", ["2019-03", "2019-08", "2021-06"])
@pytest.mark.parametrize("form", FORMS)
def test_a_page_gives_its_golden_records(era: str, form: str) -> None:
    """Each era's page gives exactly the records written down for it, as HTML and as Markdown."""
    assert records(RULES, PAGES / f"{era}{form}") == golden(PAGES / f"{era}.json")


@pytest.mark.parametrize(
    ("cell", "clouds"),
    [
        ("https://a.example.us (GCC)", (GCC,)),
        ("https://a.example.us (GCC High)", (GCC_HIGH,)),
        ("[https://a.example.us/ (DoD)](https://a.example.us (DoD))", (DOD,)),
        ("[https://a.example.us](https://a.example.us) (DoD)", (DOD,)),
        ("https://a.example.us", US_GOVERNMENT),
    ],
)
def test_a_government_url_says_for_which_cloud_it_is(cell: str, clouds: tuple[Cloud, ...]) -> None:
    """The remark behind a URL, inside its link or after it, names the cloud; without one it is all of them."""
    found = records(RULES, f"{URLS}https://flow.example.com|{cell}\n")
    government, commercial = sorted(found, key=lambda one: one.fqdns)
    assert (government.fqdns, government.all_clouds, government.protocols) == (("a.example.us",), clouds, ("https",))
    assert (commercial.fqdns, commercial.all_clouds) == (("flow.example.com",), (Cloud.PUBLIC,))
    assert {one.direction for one in found} == {Direction.OUTBOUND}


@pytest.mark.parametrize("between", [" and ", " </br> ", " </b> ", "<br />", ", and ", ", "])
def test_urls_of_one_cell_stand_apart(between: str) -> None:
    """Every separator the cells ever had gives two records of two clouds (sources.md D1.1, D1.3)."""
    cell = between.join(("https://gov.example.us (GCC)", "https://high.example.us (GCC High)"))
    found = by_key(RULES, f"{URLS}https://flow.example.com|{cell}\n")
    assert set(found) == {
        "service-urls:public:flow.example.com",
        "service-urls:usgov:gov.example.us",
        "service-urls:usgov-gcchigh:high.example.us",
    }


@pytest.mark.parametrize(
    ("bullet", "key", "fqdns"),
    [
        (".azure.us", "usgov-gcchigh:*.azure.us", ("*.azure.us", "azure.us")),
        (". azure.us", "usgov-gcchigh:*.azure.us", ("*.azure.us", "azure.us")),
        (".crm.example.us(GCC High)", "usgov-gcchigh:*.crm.example.us", ("*.crm.example.us", "crm.example.us")),
        ("*.crm.example.us (DoD)", "usgov-dod:*.crm.example.us", ("*.crm.example.us",)),
    ],
)
def test_a_domain_is_for_its_heading_s_cloud_or_that_of_its_remark(
    bullet: str, key: str, fqdns: tuple[str, ...]
) -> None:
    """A leading dot is the domain and all below it; a remark goes before the heading (sources.md D1.7)."""
    assert by_key(RULES, f"{DOMAINS}* {bullet}\n")[f"domains:{key}"].fqdns == fqdns


def test_tags_of_azure_government_lead_out() -> None:
    """Tags named in prose and regions named in their place are records for the clouds that the page says."""
    found = by_key(RULES, PAGES / "2021-06.md")
    dod = found["dataverse:usgov-dod:AzureCloud.usdodeast"]
    assert (dod.service_tags, dod.direction, dod.service) == (
        ("AzureCloud.usdodeast",),
        Direction.OUTBOUND,
        "Dataverse",
    )
    assert found["dataverse:usgov+usgov-gcchigh:AzureCloud.usgovtexas"].all_clouds == (GCC, GCC_HIGH)


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (f"{URLS}https://flow.example.com|https://a.example.us (Mars)\n", "names no known cloud"),
        (f"{URLS}https://flow.example.com|\n", "there is no URL"),
        (f"{URLS}https://flow.example.com|soon\n", "'soon' is not a host name"),
        (f"{DOMAINS}* the usual ones\n", "is not a host name"),
        (f"{DOMAINS}* .azure.us (Mars)\n", "names no known cloud"),
        (f"{DOMAINS}* <del>.azure.us</del>\n", "is struck out"),
        (f"{DOMAINS}- DoD: Focus on the usual ones\n", "is not a region of Azure Government"),
        (f"{DOMAINS}- DoD: Focus on West Europe\n", "is not a region of Azure Government"),
        (f"{DOMAINS}- DoD: Focus on USDoD East\n- And more\n", "does not say which regions"),
        (f"{DOMAINS}- Mars: Focus on USDoD East\n", "does not say which regions"),
        ("# T\n\n## Service URLs\n\nNone.\n", "the page has no table of endpoints"),
    ],
)
def test_what_cannot_be_read_refuses_the_page(page: str, reason: str) -> None:
    """A cloud, a name or a region that is not understood is never left out in silence."""
    assert any(reason in said for said in refusal(RULES, page)), refusal(RULES, page)


COUNTS = {"001": 2, "002": 6, "009": 6, "010": 30, "041": 30, "042": 35, "052": 35}


@pytest.mark.parametrize("page", corpus_pages("power-automate-us-govt"), ids=lambda page: page.name[:14])
def test_every_real_page_is_read(page: Path) -> None:
    """52 pages of 2019-2021: counts as read by eye, HTML equal to Markdown, every name of the list there."""
    found = records(RULES, page)
    assert len(found) == COUNTS.get(page.name[:3], len(found))
    names = {name for one in found for name in one.fqdns}
    assert {f"{line.strip('* .').split('(')[0]}" for line in page.read_text().splitlines() if _is_domain(line)} <= {
        name.removeprefix("*.") for name in names
    }
    if (html := rendered(page)).exists():
        assert records(RULES, html) == found


def _is_domain(line: str) -> bool:
    return line.startswith(("* .", "* *.")) and " (" not in line


def test_most_edits_of_the_real_page_change_nothing() -> None:
    """Of 51 edits four changed what is published; the guard holds the first list of domains, and the first for DoD too."""
    readings = [records(RULES, page) for page in corpus_pages("power-automate-us-govt")]
    if not readings:
        pytest.skip("no corpus of real upstream data here")
    changesets = [diff(before, after) for before, after in pairwise(readings)]
    assert sum(map(bool, changesets)) == 4
    held = [
        at
        for at, ((before, after), changes) in enumerate(zip(pairwise(readings), changesets, strict=True), 2)
        if unsafe_reasons(LIMITS, before, after, changes)
    ]
    assert held == [10, 42]


@pytest.mark.parametrize(
    ("heading", "cloud"),
    [
        ("### GCC tenants:", GCC),
        ("### GCC", GCC),
        ("### DoD:", DOD),
        ("### Department of Defense (DoD) Customers:", DOD),
        ("**GCC Customers:**", GCC),
    ],
)
def test_domains_stand_under_any_heading_that_is_a_cloud_s_name(heading: str, cloud: Cloud) -> None:
    """Whoever is called a customer, and in bold as well."""
    found = by_key(RULES, f"{TABLE}\n{heading}\n\n* .example.us\n* . example.net\n")
    domains = [one for one in found.values() if one.category == "domains"]
    assert [(one.fqdns, one.all_clouds) for one in domains] == [
        (("*.example.net", "example.net"), (cloud,)),
        (("*.example.us", "example.us"), (cloud,)),
    ]


def test_domains_under_no_known_heading_refuse_the_page() -> None:
    """For which cloud they are, nothing says."""
    (reason,) = refusal(RULES, f"{TABLE}\n## Domains\n\n* .example.us and more\n")
    assert "names .example.us, which is in no record" in reason
