"""The Power Automate page: goldens of three eras in both forms, every refusal, and the sections' stability."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from schema.document import Document, Provenance
from schema.endpoint_set import EndpointSet
from schema.errors import ParseError
from schema.words import Cloud, Direction
from scrapers.source import Source
from scrapers.sources import SOURCES, source_named

FIXTURES = Path(__file__).parent / "fixtures" / "power-automate"
ERAS = ("2021-02", "2022-01", "2025-12")
SOURCE: Source = source_named(SOURCES, "power-automate-ip-address-configuration")
PORTAL = "# T\n\n## Required services\n\n"
REGIONS = "| Region | Outbound IP |\n|---|---|\n"
HEADER = "| Domains | Protocols | Uses |\n|---|---|---|\n"


def document(body: bytes, media_type: str = "text/markdown") -> Document:
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Document(body, Provenance(url=SOURCE.url, fetched_at=now, digest=digest, media_type=media_type))


def records(markdown: str) -> tuple[EndpointSet, ...]:
    return SOURCE.records(document(markdown.encode())).endpoint_sets


def refusal(markdown: str) -> tuple[str, ...]:
    with pytest.raises(ParseError) as refused:
        records(markdown)
    return refused.value.reasons


def bare_id(record: EndpointSet) -> str:
    return record.id.removeprefix(f"{SOURCE.name}:")


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(("suffix", "media_type"), [(".md", "text/markdown"), (".html", "text/html")])
def test_a_page_gives_its_golden_records(era: str, suffix: str, media_type: str) -> None:
    """Each era's page gives exactly the records written down for it, as HTML and as Markdown."""
    golden = msgspec.json.decode((FIXTURES / f"{era}.json").read_bytes(), type=tuple[EndpointSet, ...])
    page = document((FIXTURES / f"{era}{suffix}").read_bytes(), media_type)
    assert SOURCE.records(page).endpoint_sets == golden


def test_the_reading_knows_the_page_s_own_date_and_commit() -> None:
    """HTML tells commit and date, Markdown the date of its front matter."""
    html = SOURCE.records(document((FIXTURES / "2022-01.html").read_bytes(), "text/html"))
    assert (html.upstream_version, html.upstream_at) == (
        "0123456789abcdef" * 2 + "01234567",
        datetime(2022, 1, 14, 8, tzinfo=UTC),
    )
    markdown = SOURCE.records(document((FIXTURES / "2022-01.md").read_bytes()))
    assert (markdown.upstream_version, markdown.upstream_at) == (None, None)


@pytest.mark.parametrize(
    ("headings", "role"),
    [
        ("## Required services", "portal"),
        ("## Required endpoints for Power Automate service", "portal"),
        ("## Allow users\n\n### Use the Power Automate web portal", "portal"),
        ("## UI flows required services", "desktop-flows-runtime"),
        ("## Desktop flows required services", "desktop-flows-runtime"),
        ("## Desktop flows services required for runtime", "desktop-flows-runtime"),
        ("## Services required for desktop flows runtime", "desktop-flows-runtime"),
        ("## Desktop flows services required for runtime\n\n### Global endpoints", "desktop-flows-runtime"),
        ("## A\n\n### B\n\n#### Public endpoints for desktop flows runtime", "desktop-flows-runtime"),
        (
            "## A\n\n### Allow machines & users on your network to access Power Automate desktop services",
            "desktop-flows-runtime",
        ),
        ("## Required services\n\n### Endpoints needed to use Power Automate mobile app", "mobile-app"),
        ("### Allow users on your network to use Power Automate mobile app", "mobile-app"),
        ("#### Global endpoints for Power Automate for desktop MSI installer", "desktop-installer"),
        ("#### Public endpoints for hosted machines and hosted machine groups", "hosted-machines"),
        ('### Allow users to use "When an HTTP request is received" trigger', "http-trigger"),
        ("## Connectors", "connectors"),
        ("### Allow connector calls to your services", "connectors"),
        ("### Allowlist 'HTTP' and 'HTTP + Swagger' calls to your services", "http-actions"),
        ("## Desktop flows fail through our proxy server", "desktop-flows-fail-through-our-proxy-server"),
        ("## Something new", "something-new"),
    ],
)
def test_a_section_keeps_its_role_under_every_heading_it_had(headings: str, role: str) -> None:
    """Renamed, moved and deepened headings do not change ids."""
    (record,) = records(f"# T\n\n{headings}\n\n{HEADER}| a.example.com | https | U |\n")
    assert record.category == role
    assert bare_id(record).split(":")[0] == role


def test_a_renamed_page_has_the_same_content() -> None:
    """Only the headings differ when a section is renamed and moved (sources.md D3)."""
    table = f"{HEADER}| a.example.com | https | U |\n"
    (before,) = records(f"# T\n\n## Required services\n{table}")
    (after,) = records(f"# T\n\n## Allow users\n\n### Use the Power Automate web portal\n\n{table}")
    assert before.heading != after.heading
    assert msgspec.structs.replace(before, heading=()) == msgspec.structs.replace(after, heading=())


def test_links_breaks_and_white_space_of_uses_are_not_content() -> None:
    """A link's target, a break and white space may flip without a change (sources.md D3)."""
    uses = ("See [x](https://docs.microsoft.com/x).<br>More.", "See [x](/x). <br/>More.", "See  x. More. ")
    found = {records(f"{PORTAL}{HEADER}| a.example.com | https | {use} |\n") for use in uses}
    assert len(found) == 1
    assert {record.purpose for each in found for record in each} == {"See x. More."}


def test_when_and_endpoint_type_are_kept_verbatim() -> None:
    """The columns' words are attributes; an endpoint type that is no cloud leaves the source's (007 of 2021)."""
    (record,) = records(
        "# T\n\n## Desktop flows required services\n\n| Endpoint type | Domains | Protocols | Uses | When |\n"
        "| --- | --- | --- | --- | --- |\n| XRM | dynamics.com | https | Access to XRM | Authoring |\n"
    )
    assert record.attributes is not None
    assert (record.attributes.endpoint_type, record.attributes.when) == ("XRM", "Authoring")
    assert (record.cloud, record.fqdns) == (Cloud.PUBLIC, ("dynamics.com",))


def test_both_protocols_of_a_row_are_its_protocols() -> None:
    """ "http, https" are two, and a URL adds its scheme."""
    found = records(f"{PORTAL}{HEADER}| a.example.com | HTTP, https | U |\n| https://b.example.com/x | | U |\n")
    assert [record.protocols for record in found] == [("http", "https"), ("https",)]


def test_one_name_in_several_scopes_is_several_records() -> None:
    """``*.dynamics.com`` keeps its three scopes (sources.md D2)."""
    page = (FIXTURES / "2025-12.md").read_text()
    scopes = [record.all_clouds for record in records(page) if record.fqdns == ("*.dynamics.com",)]
    government = (Cloud.USGOV, Cloud.USGOV_GCCHIGH, Cloud.USGOV_DOD)
    assert scopes == [(Cloud.PUBLIC, *government), (Cloud.PUBLIC, Cloud.USGOV), (Cloud.PUBLIC,)]


def test_a_row_in_another_place_keeps_its_id() -> None:
    """Ids do not tell where a row or a table stands."""
    rows = ["| a.example.com | https | A |", "| b.example.com | https | B |", "| a.example.com | http | C |"]
    forward = records(PORTAL + HEADER + "\n".join(rows))
    assert forward == records(PORTAL + HEADER + "\n".join(reversed(rows)))
    assert [bare_id(record) for record in forward] == [
        "portal:public:a.example.com:http",
        "portal:public:a.example.com:https",
        "portal:public:b.example.com",
    ]


def test_region_rows_are_inbound_prefixes() -> None:
    """A region's addresses are where calls come from; its words are the title, its cloud told by its name."""
    found = records((FIXTURES / "2021-02.md").read_text())
    regions = {record.region: record for record in found if record.region}
    germany = regions["germany"]
    assert (germany.direction, germany.title) == (Direction.INBOUND, "Germany")
    assert germany.prefixes == ("51.116.60.192/27", "51.116.158.97/32", "51.116.211.212/32", "51.116.236.78/32")
    assert regions["gcc"].title == "United States Government (GCC)"
    assert regions["gcc"].all_clouds == (Cloud.USGOV,)
    assert regions["gcc"].prefixes == ("127.0.0.1/32",)
    assert regions["dod"].all_clouds == (Cloud.USGOV_DOD,)


def test_service_tags_are_records_once() -> None:
    """A table's tags, a section's tag and what a FAQ repeats of them are one record a tag and section."""
    found = [record for record in records((FIXTURES / "2025-12.md").read_text()) if record.service_tags]
    assert [(bare_id(record), record.required, record.direction) for record in found] == [
        ("connectors:AzureConnectors", None, Direction.INBOUND),
        ("http-actions:LogicApps", True, Direction.INBOUND),
        ("http-actions:PowerPlatformInfra", True, Direction.INBOUND),
        ("http-actions:PowerPlatformPlex", True, Direction.INBOUND),
    ]


def test_a_service_tag_that_only_a_general_section_names_is_kept() -> None:
    """What no section of its own states is not dropped as a repetition."""
    page = f"{PORTAL}{HEADER}| a.example.com | https | U |\n\n## FAQ\n\nService tags:\n- `PowerPlatformInfra` -- all\n"
    assert [bare_id(record) for record in records(page)][1:] == ["service-tags:PowerPlatformInfra"]


def test_a_service_tag_may_be_optional() -> None:
    """ "no" is said, an empty cell says nothing."""
    table = "| Service tag | Required? |\n|---|---|\n| **LogicApps** | No |\n| AzureConnectors | |\n"
    assert [(record.service_tags, record.required) for record in records(f"# T\n\n## Tags\n\n{table}")] == [
        (("AzureConnectors",), None),
        (("LogicApps",), False),
    ]


def test_bullets_of_host_names_are_records() -> None:
    """Bullets that begin with a name below a sentence that asks to allow it (sources.md D1.38)."""
    found = [record for record in records((FIXTURES / "2025-12.md").read_text()) if "proxy" in str(record.category)]
    assert [(record.fqdns, record.protocols, record.purpose) for record in found] == [
        (("*.microsoftonline.com",), ("https",), "authentication"),
        (("*.servicebus.windows.net",), ("https",), "relay"),
    ]


def test_a_bullet_gives_every_host_name_it_begins_with() -> None:
    """Names in several spans, between commas, "and" and breaks, and plain names, are all read; prose after them is not."""
    page = (
        f"{PORTAL}{HEADER}| a.example.com | https | U |\n\n## D\n\nAllow traffic to:\n"
        "- `*.b.example.com` and `*.c.example.com` (relay)\n- `d.example.com`, e.example.com: mail (GCC only)\n"
        "- `f.example.com`<br>`g.example.com`\n- h.example.com runs Node.js on i.example.com\n"
    )
    assert [(each.fqdns, each.purpose, each.all_clouds) for each in records(page)][:-1] == [
        (("*.b.example.com", "*.c.example.com"), "relay", (Cloud.PUBLIC,)),
        (("f.example.com", "g.example.com"), None, (Cloud.PUBLIC,)),
        (("h.example.com",), "runs Node.js on i.example.com", (Cloud.PUBLIC,)),
        (("d.example.com", "e.example.com"), "mail (GCC only)", (Cloud.USGOV,)),
    ]


def test_regions_under_a_heading_of_a_cloud_are_its_own() -> None:
    """A region's words state the cloud before its headings do."""
    page = (
        f"# T\n\n## Connectors\n\n### U.S. Government endpoints\n\n{REGIONS}| Virginia | 1.1.1.1 |\n"
        "| USGov Arizona | 1.1.1.2 |\n| US DoD East | 1.1.1.3 |\n| China East | 1.1.1.4 |\n"
    )
    government = (Cloud.USGOV, Cloud.USGOV_GCCHIGH, Cloud.USGOV_DOD)
    assert {record.region: record.all_clouds for record in records(page)} == {
        "virginia": government,
        "usgovarizona": government,
        "usdodeast": (Cloud.USGOV_DOD,),
        "chinaeast": (Cloud.CHINA,),
    }


def test_service_tag_rows_speak_for_the_clouds_of_their_uses() -> None:
    """A parenthesis narrows a row of service tags as it does a row of names."""
    table = "| Service tag | Uses |\n|---|---|\n| LogicApps | Runs (GCC only) |\n| AzureConnectors | Runs |\n"
    assert [record.all_clouds for record in records(f"# T\n\n## Tags\n\n{table}")] == [
        (Cloud.PUBLIC,),
        (Cloud.USGOV,),
    ]


def test_traffic_to_a_service_tag_is_outbound() -> None:
    """A sentence, or the sentence before a list, that lets traffic out to a tag makes it outbound."""
    page = (
        f"{PORTAL}{HEADER}| a.example.com | https | U |\n\nAllow traffic from the **AzureConnectors** service tag.\n\n"
        "Allow outbound traffic from your network to the **PowerPlatformPlex** service tag.\n\n"
        "Permit outbound connections to the following service tags:\n- `LogicApps` -- runs\n"
    )
    assert {record.service_tags: record.direction for record in records(page) if record.service_tags} == {
        ("AzureConnectors",): Direction.INBOUND,
        ("PowerPlatformPlex",): Direction.OUTBOUND,
        ("LogicApps",): Direction.OUTBOUND,
    }


def test_a_row_of_names_may_be_required_or_optional() -> None:
    """A "Required" column says so; an empty cell says nothing."""
    rows = "| a.example.com | Yes |\n| b.example.com | no |\n| c.example.com | |\n"
    table = f"| Domains | Required? |\n|---|---|\n{rows}"
    assert [record.required for record in records(f"# T\n\n## D\n\n{table}")] == [True, False, None]


def test_names_that_tables_of_links_mention_are_no_endpoints() -> None:
    """The scenario table's names are not published under its heading."""
    found = records((FIXTURES / "2025-12.md").read_text())
    assert not any("Find your scenario" in record.heading for record in found)


def test_a_tag_s_heading_is_that_of_its_own_section() -> None:
    """Where an introduction names the tag first, the record still stands under the section about it."""
    (tag,) = (
        record for record in records((FIXTURES / "2025-12.md").read_text()) if "AzureConnectors" in record.service_tags
    )
    assert tag.heading == ("Allow flows to call your services", "Allow connector calls to your services")


def test_a_code_sample_with_pipes_is_no_broken_table() -> None:
    """Pipes alone do not refuse a page."""
    page = f"{PORTAL}{HEADER}| a.example.com | https | U |\n\n```\nGet-It | Select-One | Sort\n```\n"
    assert len(records(page)) == 1


@pytest.mark.parametrize(
    ("markdown", "reasons"),
    [
        ("# T\n\nMoved.\n", ["the page has no table of endpoints"]),
        (
            "# T\n\n## Tags\n\nAllow the **AzureConnectors** service tag.\n",
            ["the page has no table of endpoints"],
        ),
        (f"{PORTAL}{HEADER}", ["Required services: a table of endpoints has no row"]),
        (f"{PORTAL}{HEADER}| | https | U |\n", ["there is no host name"]),
        (f"{PORTAL}{HEADER}| a.example.com | | U |\n", ["there is no protocol"]),
        (
            f"{PORTAL}{HEADER}| a.example.com | https | U | b.example.com |\n",
            ["'b.example.com' stands under no header"],
        ),
        (
            f"{PORTAL}{HEADER}| good.example.com | https | U |\n| bad | https | U |\n| a.example.com | 443 | V |\n",
            [
                "row 'bad | https | U': 'bad' is not a host name",
                "row 'a.example.com | 443 | V': '443' is not a protocol",
            ],
        ),
        (
            f"{PORTAL}{HEADER}| a.example.com | https | U |\n\n## Connectors\n\n{REGIONS}| Germany | x |\n| | 1.1.1.1 |\n",
            ["Connectors: row 'Germany | x': 'x' is not", "Connectors: row ' | 1.1.1.1': there is no region"],
        ),
        (
            f"{PORTAL}{HEADER}| a.example.com | https | U |\n\n## B\n\n| Domains | Owner |\n|---|---|\n| b.example.com | x |\n",
            ["B: the columns 'owner'"],
        ),
        (
            f"{PORTAL}| Domains | Outbound IP |\n|---|---|\n| a.example.com | 1.1.1.1 |\n",
            ["nothing reads a table of domains"],
        ),
        ("# T\n\n## C\n\n| Outbound IP |\n|---|\n| 1.1.1.1 |\n", ["nothing reads a table of outbound IPs"]),
        (
            f"{PORTAL}{HEADER}| a.example.com | https | U |\n\nDomains | Protocols | Uses\n- | = | -\nb.example.com | https | U\n",
            ["a table that is not one"],
        ),
        (
            "# T\n\n## D\n\n| Endpoint type | Domains |\n|---|---|\n| Bleu endpoints | a.example.com |\n",
            ["'Bleu endpoints' names no known cloud"],
        ),
        (
            "# T\n\n## D\n\n| Service tag | Required? |\n|---|---|\n| LogicApps | perhaps |\n",
            ["'perhaps' does not say"],
        ),
        (
            f"{PORTAL}{HEADER}| a.example.com | https | U |\n\nAllow traffic to:\n- `b.example.com`\n- the portal\n",
            ["bullet 'the portal': there is no host name"],
        ),
        (
            f"{PORTAL}{HEADER}| a.example.com | https | U |\n\n## D\n\n### Vainet endpoints\n\n{HEADER}| b.example.com | https | U |\n",
            ["D > Vainet endpoints: the heading 'Vainet endpoints' names no known cloud"],
        ),
        (
            f"{PORTAL}{HEADER}| a.example.com | https | U (DoD forms) |\n",
            ["(DoD forms) names a cloud in words that are not known"],
        ),
        (
            f"{PORTAL}{HEADER}| a.example.com | https | U |\n\n| b.c.example.com | https | V |\n|---|---|---|\n| Portal | http | W |\n",
            ["'b.c.example.com' stands in a table without a column"],
        ),
        (
            f"{PORTAL}{HEADER}| a.example.com | https | U |\n\n[!INCLUDE [more](includes/more-endpoints.md)]\n",
            ["the content of 'includes/more-endpoints.md' is not in the page"],
        ),
        (
            f"{PORTAL}{HEADER}| <del>a.example.com</del> b.example.com | https | U |\n",
            ["'a.example.com' is struck out"],
        ),
        (
            "# T\n\n## D\n\n| Domains | Required |\n|---|---|\n| a.example.com | perhaps |\n",
            ["'perhaps' does not say whether the row is required"],
        ),
        (f"{PORTAL}{HEADER}| *a.example.com*<br>b.example.com | https | U |\n", ["emphasis has taken the stars"]),
    ],
)
def test_a_page_that_cannot_be_read_whole_is_refused(markdown: str, reasons: list[str]) -> None:
    """One thing that cannot be read refuses the page, and every such thing is a reason of its own."""
    given = refusal(markdown)
    assert len(given) == len(reasons)
    assert all(expected in reason for expected, reason in zip(reasons, given, strict=True))


def test_the_refusal_names_source_and_address() -> None:
    """A person can see which page to look at."""
    with pytest.raises(ParseError) as refused:
        records("# T\n")
    assert refused.value.facts["source"] == SOURCE.name
    assert refused.value.facts["url"] == SOURCE.url


def test_a_bilingual_page_is_refused() -> None:
    """Names would be read twice over (sources.md D1.35)."""
    cell = '<span data-ttu-id="1">a.example.com</span><span class="sxs-lookup"><span>a.example.com</span></span>'
    reasons = refusal(f"{PORTAL}{HEADER}| {cell} | https | U |\n")
    assert reasons[0] == "the page says each phrase in two languages"
