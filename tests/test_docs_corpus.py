"""Every real page at hand: HTML equal to Markdown, counts and contents as read by eye, no name glued."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schema.document import Document, Provenance
from schema.endpoint_set import EndpointSet, content_digest
from schema.errors import ParseError
from schema.words import EVERY_CLOUD, US_GOVERNMENT, Cloud
from scrapers.docs.page import Page
from scrapers.docs.reader import read_page
from scrapers.docs.tables import stars_eaten
from scrapers.sources import SOURCES, source_named

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
SEED = CORPUS / "docs" / "power-automate-ip-address-configuration"
SOURCE = source_named(SOURCES, "power-automate-ip-address-configuration")
PUBLIC, GCC, GCCHIGH, DOD, CHINA = EVERY_CLOUD

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus of real upstream data here")

# Read by eye: page -> rows of each section, and (row, name) entries.
COUNTS: dict[str, tuple[dict[str, int], int]] = {
    "001": ({"connectors": 11, "portal": 9, "desktop-flows-runtime": 4}, 25),
    **dict.fromkeys(("002", "003", "005"), ({"connectors": 12, "portal": 9, "desktop-flows-runtime": 4}, 25)),
    "007": ({"connectors": 12, "portal": 9, "desktop-flows-runtime": 5}, 26),
    **dict.fromkeys(
        ("006", "008", "009", "010", "011", "012", "013", "014"),
        ({"connectors": 12, "portal": 10, "desktop-flows-runtime": 4}, 26),
    ),
    **dict.fromkeys(("015", "016"), ({"connectors": 12, "portal": 10, "desktop-flows-runtime": 5}, 27)),
    "017": ({"portal": 10, "desktop-flows-runtime": 6}, 28),
    "019": ({"portal": 25, "mobile-app": 3, "desktop-flows-runtime": 23}, 65),
    "020": ({"connectors": 1, "portal": 23, "mobile-app": 3, "desktop-flows-runtime": 23}, 70),
    "022": (
        {
            "connectors": 1,
            "http-actions": 3,
            "portal": 27,
            "mobile-app": 3,
            "http-trigger": 5,
            "desktop-flows-runtime": 25,
            "desktop-installer": 2,
            "hosted-machines": 4,
            "desktop-flows-fail-through-our-proxy-server": 3,
        },
        104,
    ),
}

# The page of 2022-01-14, typed from reading it: clouds, protocol, names, uses.
ADAL = "Access to Active Directory Authentication Library (ADAL)."
OFFICE = "Access to Office for header and search. Please see the Office 365 urls and ranges for more details."
GATEWAY = "Needed when connecting through the on-premises data gateway."
PAGE_2022 = {
    "portal:public:management.azure.com": (
        (PUBLIC,),
        "https",
        "management.azure.com",
        "Access to the Azure Resource Manager.",
    ),
    "portal:public:login.microsoft.com": (
        (PUBLIC,),
        "https",
        "login.microsoft.com login.microsoftonline.com login.windows.net secure.aadcdn.microsoftonline-p.com",
        ADAL,
    ),
    "portal:public:graph.microsoft.com": (
        (PUBLIC,),
        "https",
        "graph.microsoft.com graph.windows.net",
        "Access to Microsoft graph - for getting user information such as a profile photo.",
    ),
    "portal:public:*.azure-apim.net": ((PUBLIC,), "https", "*.azure-apim.net", "Access to the Runtime for Connectors."),
    "portal:public:*.flow.microsoft.com": (
        (PUBLIC,),
        "https",
        "*.flow.microsoft.com",
        "Access to the Power Automate site.",
    ),
    "portal:public:*.powerapps.com": ((PUBLIC,), "https", "*.powerapps.com", "Access to the Power Apps site."),
    "portal:public:*.azureedge.net": ((PUBLIC,), "https", "*.azureedge.net", "Access to the Power Automate CDN."),
    "portal:public:nps.onyx.azure.net": (
        (PUBLIC,),
        "https",
        "nps.onyx.azure.net",
        "Access to NPS (Net Promoter Score).",
    ),
    "portal:public:webshell.suite.office.com": ((PUBLIC,), "https", "webshell.suite.office.com", OFFICE),
    "portal:public:*.dynamics.com": ((PUBLIC,), "https", "*.dynamics.com", "Access to Dataverse tables"),
    "desktop-flows-runtime:public:ocsp.digicert.com": (
        (PUBLIC,),
        "http",
        "crl3.digicert.com crl4.digicert.com mscrl.microsoft.com ocsp.digicert.com ocsp.msocsp.com",
        f"Access to the CRL server for the public cloud. {GATEWAY}",
    ),
    "desktop-flows-runtime:usgov+usgov-gcchigh:ocsp.digicert.com": (
        (GCC, GCCHIGH),
        "http",
        "crl3.digicert.com crl4.digicert.com ocsp.digicert.com",
        f"Access to the CRL server for US government cloud. {GATEWAY}",
    ),
    "desktop-flows-runtime:china:crl.digicert.cn": (
        (CHINA,),
        "http",
        "crl.digicert.cn ocsp.digicert.cn",
        f"Access to the CRL servers for 21Vianet operated cloud. {GATEWAY}",
    ),
    "desktop-flows-runtime:all:msedgedriver.azureedge.net": (
        EVERY_CLOUD,
        "https",
        "chromedriver.storage.googleapis.com msedgedriver.azureedge.net",
        "Access to UI Flows WebDriver downloaders.",
    ),
    "desktop-flows-runtime:public:*.servicebus.windows.net": (
        (PUBLIC,),
        "https",
        "*.servicebus.windows.net",
        "Listens on Service Bus Relay over TCP. Needed for new machine connectivity.",
    ),
    "desktop-flows-runtime:usgov-all:*.servicebus.usgovcloudapi.net": (
        US_GOVERNMENT,
        "https",
        "*.servicebus.usgovcloudapi.net",
        "Listens on Service Bus Relay for US government cloud. Needed for new machine connectivity.",
    ),
}

# Clouds by (section, first name), read by eye; every other row of these pages is public.
CLOUDS_2023 = {
    ("portal", "s2s.config.ecs.infra.gov.teams.microsoft.us"): US_GOVERNMENT,
    ("portal", "*.api.bap.microsoft.us"): US_GOVERNMENT,
    ("portal", "*.api.bap.appsplatform.us"): (DOD,),
    ("portal", "*.api.bap.partner.microsoftonline.cn"): (CHINA,),
    ("portal", "*.api.gov.powerplatform.microsoft.us"): (GCC,),
    ("portal", "*.api.high.powerplatform.microsoft.us"): (GCCHIGH,),
    ("portal", "*.api.appsplatform.us"): (DOD,),
    ("portal", "*.api.powerplatform.partner.microsoftonline.cn"): (CHINA,),
    ("mobile-app", "*mobile.events.data.microsoft.com"): (PUBLIC, *US_GOVERNMENT),
    ("mobile-app", "collector.azure.cn"): (CHINA,),
    ("desktop-flows-runtime", "server.events.data.microsoft.com"): EVERY_CLOUD,
    ("desktop-flows-runtime", "msedgedriver.azureedge.net"): EVERY_CLOUD,
    ("desktop-flows-runtime", "*.servicebus.usgovcloudapi.net"): US_GOVERNMENT,
    ("desktop-flows-runtime", "*.gateway.gov.island.powerapps.us"): (GCC, GCCHIGH),
    ("desktop-flows-runtime", "*.gateway.gov.island.appsplatform.us"): (DOD,),
    ("desktop-flows-runtime", "tb.events.data.microsoft.com"): US_GOVERNMENT,
    ("desktop-flows-runtime", "*.api.gov.powerplatform.microsoft.us"): (GCC,),
    ("desktop-flows-runtime", "*.api.high.powerplatform.microsoft.us"): (GCCHIGH,),
    ("desktop-flows-runtime", "*.api.appsplatform.us"): (DOD,),
    ("desktop-flows-runtime", "*.microsoftdynamics.us"): (GCCHIGH,),
    ("desktop-flows-runtime", "*.crm.appsplatform.us"): (DOD,),
    ("desktop-flows-runtime", "crl.digicert.cn"): (CHINA,),
    ("desktop-flows-runtime", "apac.events.data.microsoft.com"): (CHINA,),
    ("desktop-flows-runtime", "*.api.powerplatform.partner.microsoftonline.cn"): (CHINA,),
    ("desktop-flows-runtime", "*.dynamics.cn"): (CHINA,),
}
CLOUDS_2025 = {
    key: clouds
    for key, clouds in CLOUDS_2023.items()
    if key[1] not in ("*mobile.events.data.microsoft.com", "*.api.bap.microsoft.us")
    and not key[1].startswith("*.api.bap.")
} | {
    ("mobile-app", "*.events.data.microsoft.com"): (PUBLIC, *US_GOVERNMENT),
    ("http-trigger", "*.api.gov.powerplatform.microsoft.us"): (GCC,),
    ("http-trigger", "*.api.high.powerplatform.microsoft.us"): (GCCHIGH,),
    ("http-trigger", "*.api.appsplatform.us"): (DOD,),
    ("http-trigger", "*.api.powerplatform.partner.microsoftonline.cn"): (CHINA,),
    ("desktop-installer", "aka.ms"): EVERY_CLOUD,
    ("desktop-installer", "builds.dotnet.microsoft.com"): EVERY_CLOUD,
    ("desktop-flows-runtime", "*.gateway.mooncake.island.powerapps.cn"): (CHINA,),
    ("desktop-flows-runtime", "*.api.powerautomate.cn"): (CHINA,),
}
# One first name with several scopes in the section of desktop flows.
SEVERAL = {
    ("*.dynamics.com", (PUBLIC, GCC)),
    ("*.dynamics.com", (PUBLIC, *US_GOVERNMENT)),
    ("ocsp.digicert.com", (PUBLIC,)),
    ("ocsp.digicert.com", US_GOVERNMENT),
}


def seed_pages() -> list[Path]:
    return sorted(SEED.glob("*.md")) if SEED.is_dir() else []


def rendered(page: Path) -> Path:
    return CORPUS / "learn-html" / SEED.name / f"{page.stem}.html"


def parse(path: Path) -> tuple[EndpointSet, ...]:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    media_type = "text/html" if path.suffix == ".html" else "text/markdown"
    provenance = Provenance(url=SOURCE.url, fetched_at=now, digest="sha256:0", media_type=media_type)
    return SOURCE.records(Document(path.read_bytes(), provenance)).endpoint_sets


def seed(number: str) -> tuple[EndpointSet, ...]:
    return parse(next(page for page in seed_pages() if page.name.startswith(number)))


@pytest.mark.parametrize("page", seed_pages(), ids=lambda page: page.stem[:14])
def test_html_and_markdown_say_the_same(page: Path) -> None:
    """Both forms of a page give the same records, headings included."""
    assert parse(rendered(page)) == parse(page)


def test_no_real_page_in_html_is_taken_for_damaged() -> None:
    """No seed page lost a star; the rendered page of URLs with ``crm#`` did (sources.md D1.5)."""
    pages = {page.stem: read_page(rendered(page).read_bytes(), "text/html") for page in seed_pages()}
    assert [name for name, page in pages.items() if stars_eaten(page)] == []
    (damaged,) = (CORPUS / "learn-html" / "power-platform-online-requirements").glob("001_2025-02-26*.html")
    assert stars_eaten(read_page(damaged.read_bytes(), "text/html"))


@pytest.mark.parametrize("page", seed_pages(), ids=lambda page: page.stem[:14])
def test_rows_and_names_are_as_many_as_a_reader_counts(page: Path) -> None:
    """Each section has its rows, and the page its (row, name) entries."""
    rows, entries = COUNTS[page.stem[:3]]
    found = parse(page)
    assert Counter(record.category for record in found) == rows
    assert sum(len(record.fqdns) for record in found) == entries


def test_the_page_of_2022_is_read_as_a_careful_reader_would() -> None:
    """Ten required-service rows and six desktop-flow rows, with their names, protocols, clouds and uses."""
    found = {
        record.id.removeprefix(f"{SOURCE.name}:"): (
            record.all_clouds,
            " ".join(record.protocols),
            " ".join(record.fqdns),
            record.purpose,
        )
        for record in seed("017")
    }
    assert found == PAGE_2022
    assert Counter(key.partition(":")[0] for key in found) == {"portal": 10, "desktop-flows-runtime": 6}


@pytest.mark.parametrize(("number", "expected"), [("019", CLOUDS_2023), ("022", CLOUDS_2025)])
def test_every_row_speaks_for_the_clouds_a_careful_reader_would_say(
    number: str, expected: dict[tuple[str, str], tuple[Cloud, ...]]
) -> None:
    """Rows under headings and parentheses of clouds are theirs, all others public."""
    stated = dict(expected)
    several = set()
    for record in seed(number):
        if not record.fqdns:
            assert record.all_clouds == (PUBLIC,)
            continue
        role, _, first = record.id.removeprefix(f"{SOURCE.name}:").split(":")
        if role == "desktop-flows-runtime" and first in ("*.dynamics.com", "ocsp.digicert.com"):
            several.add((first, record.all_clouds))
        else:
            assert (first, record.all_clouds) == (first, stated.pop((role, first), (PUBLIC,)))
    assert several == SEVERAL
    assert not stated


def test_service_tags_of_2025_are_referred_to() -> None:
    """The tags the page asks to allow, each once."""
    tags = {record.id.removeprefix(f"{SOURCE.name}:"): record.required for record in seed("022") if record.service_tags}
    assert tags == {
        "connectors:AzureConnectors": None,
        "http-actions:LogicApps": True,
        "http-actions:PowerPlatformInfra": True,
        "http-actions:PowerPlatformPlex": True,
    }


def test_sizes_agree_with_the_count_of_names_per_table() -> None:
    """2020: 25 names in tables, 22 different; seed: 28 and 25; 2023: 65 and 55 (sources.md D3)."""
    sizes = []
    for number in ("001", "017", "019"):
        names = [(record.heading, name) for record in seed(number) for name in record.fqdns]
        sizes.append((len(names), len({name for _, name in names})))
    assert sizes == [(25, 22), (28, 25), (65, 55)]


@pytest.mark.parametrize(
    "numbers", [("002", "003", "005"), ("006", "008", "009", "010", "011", "012"), ("013", "014"), ("015", "016")]
)
def test_pages_that_differ_in_form_alone_have_one_content(numbers: tuple[str, ...]) -> None:
    """Link forms, front matter, headings and prose make no version (sources.md D3)."""
    assert len({content_digest(seed(number)) for number in numbers}) == 1


def test_a_translated_page_is_refused() -> None:
    """Headers in another language are not skipped: the page's tables hold endpoints."""
    with pytest.raises(ParseError) as refused:
        parse(next((CORPUS / "docs" / "localized").glob("pa_ja-jp_ip-address*.md")))
    assert len(refused.value.reasons) == 3


@pytest.mark.parametrize("path", sorted((CORPUS / "errors").glob("*")), ids=lambda path: path.name)
def test_every_body_that_is_no_page_is_refused(path: Path) -> None:
    """Error bodies of real upstreams publish nothing."""
    with pytest.raises(ParseError):
        parse(path)


GLUED = re.compile(r"\.(?:com|net)(?:https?:|\*|[a-z]+\.[a-z])", re.IGNORECASE)


def pages_of_all_sources() -> list[Path]:
    return sorted([*CORPUS.glob("docs/**/*.md"), *CORPUS.glob("learn-html/**/*.html"), *CORPUS.glob("html/*.html")])


def glued(page: Page) -> list[str]:
    lines = (line for table in page.tables for row in table.rows for cell in row for line in cell.lines)
    return [line for line in lines if GLUED.search(line)]


def test_every_page_of_every_source_is_read_without_gluing_names() -> None:
    """The generic reader takes every page at hand, and no cell holds two names run together."""
    assert GLUED.search("login.microsoft.comlogin.windows.net")
    tables = 0
    for path in pages_of_all_sources():
        page = read_page(path.read_bytes(), "text/html" if path.suffix == ".html" else "text/markdown")
        assert not glued(page), path
        tables += len(page.tables)
    assert tables > 1500
