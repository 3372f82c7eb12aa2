"""The engine of docs pages: what rules can say of a page, and what becomes of a page that drifts away from them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schema.endpoint_set import EndpointSet
from schema.words import EVERY_CLOUD, US_GOVERNMENT, Cloud, Direction, Kind
from scrapers.docs.build import hosts
from scrapers.docs.cells import read_names
from scrapers.docs.page import Row
from scrapers.docs.rules import PageRules, Spot
from scrapers.docs.sections import Section
from scrapers.docs.tables import Column, Columns
from tests.docs_pages import by_key, records, refusal

PORTAL = Section("portal", "Portal", r"\bservices\b", required=True)
CALLS = Section("calls", "Calls", r"\bcalls\b", service="Runtime", direction=Direction.OUTBOUND, required=True)
RULES = PageRules(service="Product", sections=(PORTAL, CALLS))
PLAIN = PageRules(service="Product")

NAMES = "| Domains | Protocols | Uses |\n|---|---|---|\n"
SERVICES = f"# T\n\n## Services\n\n{NAMES}| a.example.com | https | U |\n"
ADDRESSES = "| Region | IP |\n|---|---|\n| Japan | 1.1.1.1 |\n"
PAGE = f"{SERVICES}\n## Calls\n\n{ADDRESSES}"


def test_a_page_within_its_rules_is_read() -> None:
    """Service, direction and role come from the section, everything else from the row."""
    found = by_key(RULES, PAGE)
    assert {key: (record.service, record.direction, record.region) for key, record in found.items()} == {
        "calls:japan": ("Runtime", Direction.OUTBOUND, "japan"),
        "portal:public:a.example.com": ("Product", Direction.OUTBOUND, None),
    }


def test_every_drift_of_a_page_is_a_reason_at_once() -> None:
    """An unknown column, a table nothing reads, a vanished section and a row of junk are all told together."""
    drifted = (
        f"# T\n\n## Services\n\n{NAMES}| a.example.com | https | U |\n| b | https | U |\n\n"
        "## More\n\n| Domains | Owner |\n|---|---|\n| c.example.com | Somebody |\n\n"
        "## Both\n\n| Domains | IP |\n|---|---|\n| d.example.com | 1.1.1.1 |\n"
    )
    reasons = refusal(RULES, drifted)
    assert [reason.partition(":")[0] for reason in reasons] == [
        "Services",
        "More",
        "Both",
        "the section 'Calls' is missing",
    ]
    assert "'b' is not a host name" in reasons[0]
    assert "the columns 'owner' of a table of endpoints are not known" in reasons[1]
    assert "nothing reads a table of domains, IPs" in reasons[2]


def test_a_section_that_must_be_there_and_is_not_refuses_the_page() -> None:
    """A required heading that was renamed, or stands over nothing, or went to another page."""
    for page in (SERVICES, PAGE.replace("## Calls", "## Addresses"), f"{SERVICES}\n## Calls\n\nSee elsewhere.\n"):
        assert any("the section 'Calls' is missing" in reason for reason in refusal(RULES, page))


def test_a_renamed_column_refuses_the_page() -> None:
    """Columns of names or addresses under a word nobody knows are not skipped."""
    for header, reason in (("Domänen", "column 1"), ("Severity", "column 1")):
        (given_reason,) = refusal(PLAIN, f"{PAGE}\n## C\n\n| {header} |\n|---|\n| b.c.example.com |\n")[1:]
        assert reason in given_reason
    (moved,) = refusal(PLAIN, PAGE.replace("## Calls", "## Outbound calls").replace("| IP |", "| Zielserver |"))
    assert "its header is not known" in moved


def test_addresses_without_a_direction_are_refused() -> None:
    """A column that does not say "outbound" needs a section that says it: an allowlist has two sides."""
    (reason,) = refusal(PLAIN, f"# T\n\n## Calls\n\n{ADDRESSES}")
    assert reason.endswith("nothing says in which direction traffic goes in the section 'Calls'")


def test_a_column_s_own_direction_goes_before_the_section_s() -> None:
    """ "Outbound IP" is what a service calls out from, whatever stands above it."""
    (record,) = records(
        PageRules("P", (CALLS,)), f"# T\n\n## Calls\n\n{ADDRESSES.replace('| IP |', '| Outbound IP |')}"
    )
    assert record.direction is Direction.INBOUND


def test_each_column_of_addresses_is_a_record() -> None:
    """A region's row of two columns is two records, each of its column's section."""
    connectors = Section("connectors", "Connectors", r"^$", service="Connectors", direction=Direction.INBOUND)
    rules = PageRules("P", (CALLS,), column_sections=((Column.CONNECTORS_IPS, connectors),))
    header = "| Multi-tenant region | Logic Apps IP | Managed connectors IP |\n|---|---|---|\n"
    found = by_key(rules, f"# T\n\n## Calls\n\n{header}| Japan East | 1.1.1.1 | 1.1.1.2, 1.1.1.4 - 1.1.1.7 |\n")
    assert {key: (each.service, each.direction, each.prefixes) for key, each in found.items()} == {
        "calls:japaneast": ("Runtime", Direction.OUTBOUND, ("1.1.1.1/32",)),
        "connectors:japaneast": ("Connectors", Direction.INBOUND, ("1.1.1.2/32", "1.1.1.4/30")),
    }
    one_empty = f"# T\n\n## Calls\n\n{header}| Japan East | 1.1.1.1 | |\n"
    assert "there is no address" in refusal(rules, one_empty)[0]


def test_a_region_s_service_tags_are_one_record() -> None:
    """A cell of several tags belongs to the region of its row."""
    header = "| Geo (multi-tenant region) | Service tags |\n|---|---|\n"
    rows = "| Canada | `AzureConnectors.CanadaCentral`, `AzureConnectors.CanadaEast` |\n| US DoD Central | `AzureConnectors.USDoDCentral` |\n"
    found = by_key(PLAIN, f"# T\n\n## Connectors\n\n{header}{rows}")
    assert {key: (each.service_tags, each.region, each.all_clouds) for key, each in found.items()} == {
        "connectors:canada": (
            ("AzureConnectors.CanadaCentral", "AzureConnectors.CanadaEast"),
            "canada",
            (Cloud.PUBLIC,),
        ),
        "connectors:usdodcentral": (("AzureConnectors.USDoDCentral",), "usdodcentral", (Cloud.USGOV_DOD,)),
    }


def test_a_region_s_name_is_its_title_and_its_code_its_id() -> None:
    """A region under another name is the same record (sources.md D3)."""
    page = "# T\n\n## C\n\n| Region | Outbound IP |\n|---|---|\n| {} | 1.1.1.1 |\n"
    (before,) = records(PLAIN, page.format("Asia"))
    (after,) = records(PLAIN, page.format("Asia Pacific"))
    assert (before.id, before.region) == (after.id, after.region)
    assert (before.title, after.title) == ("Asia", "Asia Pacific")


def test_the_clouds_of_a_section_go_before_every_word() -> None:
    """Where rules know better than words, rows, addresses, lists and tags are the section's clouds."""
    section = Section("s", "S", r"\bservices\b|\bcalls\b", direction=Direction.INBOUND, clouds=US_GOVERNMENT)
    page = (
        f"{PAGE.replace('| U |', '| China only |')}\n- 1.1.1.2\n\n"
        "| Service tag |\n|---|\n| LogicApps |\n\nAllow the **PowerPlatformInfra** service tag.\n"
    )
    found = records(PageRules("P", (section,), prose_addresses=True), page)
    assert len(found) == 5
    assert {record.all_clouds for record in found} == {US_GOVERNMENT}


def test_one_heading_may_stand_over_two_sections() -> None:
    """What a record holds tells which of them it is in."""
    rules = PageRules(
        "P",
        (
            Section("addresses", "A", "^services$", direction=Direction.INBOUND, holds=Kind.PREFIX),
            Section("names", "N", "^services$", holds=Kind.FQDN),
        ),
    )
    assert list(by_key(rules, f"{SERVICES}\n{ADDRESSES}")) == ["addresses:japan", "names:public:a.example.com"]


def test_a_deprecated_section_holds_no_endpoint() -> None:
    """Its tables, bullets, tags and broken tables are not read, nor those below it (sources.md D1.16)."""
    rules = PageRules("P", (PORTAL,))
    rest = (
        "Use the **AzureConnectors** service tag.\n\nAllow:\n\n- `b.example.com`\n\n"
        "| Old URL | New URL |\n|---|---|\n| c.d.example.com | e.f.example.com |\n"
    )
    found = records(rules, f"{SERVICES}\n## Deprecated endpoints\n\n{rest}\n### Services\n\n{rest}")
    assert [record.fqdns for record in found] == [("a.example.com",)]


def test_a_page_whose_endpoints_are_all_deprecated_is_refused() -> None:
    """What is left out does not count as a table of endpoints."""
    assert refusal(PLAIN, SERVICES.replace("## ", "## Deprecated ")) == ("the page has no table of endpoints",)


def test_a_table_of_links_holds_none_and_must_not() -> None:
    """Links under a header of URLs are passed over; an endpoint among them is a change somebody must see."""
    rules = PageRules("P", (PORTAL, Section("links", "Links", "elsewhere", links_only=True)))
    table = "| Service | URLs |\n|---|---|\n| Power Apps | - [Public cloud](/x#y)<br/>- [Government cloud](z.md) |\n"
    page = f"{SERVICES}\n## Elsewhere\n\n{table}"
    assert len(records(rules, page)) == 1
    (reason,) = refusal(rules, f"{page}| Power BI | https://b.c.example.com |\n")
    assert "an endpoint stands in a table of links" in reason


def test_an_empty_cell_of_uses_may_repeat_the_one_above() -> None:
    """Only where the rules say so; the first row inherits nothing (sources.md D1.21)."""
    page = (
        "# T\n\n## S\n\n| Endpoint URL | Justification |\n|---|---|\n| https://a.example.com | |\n"
        "| https://b.example.com | Sign in |\n| https://c.example.com |\n| https://d.example.com | Help |\n"
    )
    inherited = records(PageRules("P", inherits_uses=True), page)
    assert [record.purpose for record in inherited] == [None, "Sign in", "Sign in", "Help"]
    assert [record.purpose for record in records(PLAIN, page)] == [None, "Sign in", None, "Help"]


def test_a_row_may_name_its_service() -> None:
    """A column of services goes before the section's and the page's."""
    page = "# T\n\n## Calls\n\n| Service | URLs |\n|---|---|\n| Power BI | a.example.com |\n| | b.example.com |\n"
    assert [record.service for record in records(PageRules("P", (CALLS,)), page)] == ["Power BI", "Runtime"]


def test_addresses_outside_tables_are_one_record_a_list() -> None:
    """Bullets and SPF strings, where the rules ask for them (sources.md D1.31)."""
    mail = Section("mail", "E-mail", r"public|china", direction=Direction.INBOUND)
    rules = PageRules("P", (mail,), needs_table=False, prose_addresses=True)
    page = (
        "# T\n\n## Public\n\nThe record is:\n\n```output\nv=spf1 ip4:1.1.1.1 ip4:1.1.2.0/30 ip6:2603:1000::/32 ~all\n```\n\n"
        "## China\n\nMails come from:\n\n- 1.1.3.1\n- 1.1.3.4 - 1.1.3.7\n"
    )
    assert {key: (each.prefixes, each.all_clouds) for key, each in by_key(rules, page).items()} == {
        "mail:public": (("1.1.1.1/32", "1.1.2.0/30", "2603:1000::/32"), (Cloud.PUBLIC,)),
        "mail:china": (("1.1.3.1/32", "1.1.3.4/30"), (Cloud.CHINA,)),
    }


def test_addresses_outside_tables_that_cannot_be_read_are_refused() -> None:
    """A bullet of words among them, an SPF string that points elsewhere or breaks off, a list nothing has a rule for."""
    mail = Section("mail", "E-mail", "public", direction=Direction.INBOUND)
    rules = PageRules("P", (mail,), needs_table=False, prose_addresses=True)
    for prose, reason in (
        ("- 1.1.1.1\n- others\n", "'others' is not"),
        ("Allow these IPs:\n\n- 1.1.1.1 (East)\n- 1.1.1.2 (West)\n", "is not"),
        ("- <del>1.1.1.1</del>\n", "is struck out"),
        ("v=spf1 ip4:1.1.1.1 include:spf.example.com ~all\n", "'include:spf.example.com' beside its addresses"),
        ("v=spf1 ip4:1.1.1.1 ip4:1.1.1.2\n", "the SPF string has no end"),
        ("v=spf1 ip4:1.1.1.1.1 ~all\n", "'1.1.1.1.1'"),
    ):
        (told,) = refusal(rules, f"# T\n\n## Public\n\n{prose}")
        assert reason in told
    for prose in ("- 1.1.1.1\n", "v=spf1 ip4:1.1.1.1 ~all\n"):
        (told,) = refusal(PLAIN, f"{PAGE.replace('| IP |', '| Outbound IP |')}\n{prose}")
        assert "addresses outside tables (1.1.1.1/32 ...), and no rule for them" in told
    (told,) = refusal(rules, "# T\n\n## Elsewhere\n\n- 1.1.1.1\n")
    assert "nothing says in which direction" in told


def test_a_page_without_any_endpoint_is_refused() -> None:
    """Also where no table is needed."""
    assert refusal(PageRules("P", needs_table=False), "# T\n\n## S\n\nNothing.\n") == ("the page names no endpoint",)


def test_bullets_of_names_may_need_no_announcement() -> None:
    """Where the rules say that a section lists hosts, an unreadable bullet refuses the page."""
    rules = PageRules("P", (PORTAL, Section("list", "List", "customers", lists_hosts=True)))
    page = f"{SERVICES}\n## Customers\n\n- b.example.com\n- *.c.example.com (DoD)\n"
    found = [record for record in records(rules, page) if record.category == "list"]
    assert [(record.fqdns, record.all_clouds) for record in found] == [
        (("b.example.com",), (Cloud.PUBLIC,)),
        (("*.c.example.com",), (Cloud.USGOV_DOD,)),
    ]
    (reason,) = refusal(rules, f"{page}- the portal\n")
    assert "bullet 'the portal': there is no host name" in reason


def test_a_leading_dot_is_a_name_only_where_the_rules_say_so() -> None:
    """Elsewhere it is what is left of an eaten star (sources.md D1.5, D1.7)."""
    page = f"# T\n\n## Services\n\n{NAMES}| .example.com | https | U |\n"
    (record,) = records(PageRules("P", dotted=True), page)
    assert set(record.fqdns) == {"*.example.com", "example.com"}
    (reason,) = refusal(PLAIN, page)
    assert "'.example.com'" in reason


def two_versions(spot: Spot, columns: Columns, row: Row) -> tuple[EndpointSet, ...]:
    """A page's own reader: the public version's name, and the government's."""
    section = Section("versions", "Versions", "")
    return tuple(
        hosts(spot, section, read_names(columns.cell(row, column)), clouds=clouds)
        for column, clouds in (
            (Column.COMMERCIAL_URLS, (Cloud.PUBLIC,)),
            (Column.GOVERNMENT_URLS, US_GOVERNMENT),
        )
    )


def test_a_page_may_bring_a_reader_of_its_own() -> None:
    """For tables with exactly its columns; without it such a table is refused, not skipped."""
    page = (
        "# T\n\n## V\n\n| Commercial version | US Government version |\n|---|---|\n"
        "| https://a.example.com | https://a.example.us |\n"
    )
    reader = (frozenset({Column.COMMERCIAL_URLS, Column.GOVERNMENT_URLS}), two_versions)
    found = by_key(PageRules("P", row_readers=(reader,)), page)
    assert {key: record.protocols for key, record in found.items()} == {
        "versions:public:a.example.com": ("https",),
        "versions:usgov-all:a.example.us": ("https",),
    }
    (reason,) = refusal(PLAIN, page)
    assert "nothing reads a table of URLs of the commercial version" in reason


def test_a_header_repeated_in_the_body_is_passed_over_only_where_it_says_the_same() -> None:
    """Then the first header stands over nothing (sources.md D1.19); one of other columns does not."""
    second = "| Region | Outbound IP |\n| --- | --- |\n| Japan | 1.1.1.1 |\n"
    (record,) = records(PLAIN, f"# T\n\n## C\n\nRegion | Outbound IP address\n---|---\n{second}")
    assert record.prefixes == ("1.1.1.1/32",)
    (reason,) = refusal(PLAIN, f"# T\n\n## C\n\nDomains | Uses\n---|---\n{second}")
    assert reason == "C: a table of endpoints has no row"
    assert any(
        "no row" in each for each in refusal(PLAIN, f"# T\n\n## C\n\n{second}\n| Region | Outbound IP |\n|---|---|\n")
    )


def test_a_sentence_places_a_service_tag() -> None:
    """A known heading first, then a sentence about a section, then the general one."""
    rules = PageRules("P", (PORTAL, Section("connectors", "C", "^connectors$", sentence="connector")))
    page = (
        f"{SERVICES}\n## FAQ\n\nConnector calls come from the **AzureConnectors** service tag.\n\n"
        "Runs come from the **LogicApps** service tag.\n\n## Connectors\n\nAllow the **PowerPlatformPlex** service tag.\n"
    )
    tags = {record.service_tags[0]: record.category for record in records(rules, page) if record.service_tags}
    assert tags == {
        "AzureConnectors": "connectors",
        "LogicApps": "service-tags",
        "PowerPlatformPlex": "connectors",
    }


LABELS = st.text("abcdefghij", min_size=1, max_size=8)
ROWS = st.lists(st.tuples(LABELS, st.sampled_from(["https", "http", "tcp"])), min_size=1, max_size=8, unique=True)


@given(rows=ROWS, data=st.data())
def test_the_order_of_rows_tells_nothing(rows: list[tuple[str, str]], data: st.DataObject) -> None:
    """Rows in any order give equal records, each row one, with unique ids in order."""
    lines = [f"| {label}.example.com | {protocol} | U |" for label, protocol in rows]
    mixed = data.draw(st.permutations(lines))
    found = records(PLAIN, f"# T\n\n## S\n\n{NAMES}" + "\n".join(lines))
    assert found == records(PLAIN, f"# T\n\n## S\n\n{NAMES}" + "\n".join(mixed))
    ids = [record.id for record in found]
    assert ids == sorted(set(ids))
    assert len(found) == len(rows)


@given(broken=st.sampled_from(["b", "a b.example.com c", "1.1.1.1", "b..example.com", "-"]), position=st.integers(0, 3))
def test_one_unreadable_row_refuses_a_page_wherever_it_stands(broken: str, position: int) -> None:
    """There is no partial reading."""
    lines = [f"| {label}.example.com | https | U |" for label in "xyz"]
    lines.insert(position, f"| {broken} | https | U |")
    assert len(refusal(PLAIN, f"# T\n\n## S\n\n{NAMES}" + "\n".join(lines))) == 1


def test_all_clouds_of_a_heading_go_to_its_rows() -> None:
    """ "Global endpoints" over a table is every cloud, also for a row with its region."""
    page = "# T\n\n## S\n\n### Global endpoints\n\n| URI | Region |\n|---|---|\n| a.example.com | Norway |\n"
    (record,) = records(PLAIN, page)
    assert (record.all_clouds, record.region) == (EVERY_CLOUD, "norway")


def test_deprecated_sections_hold_no_endpoint_on_any_page() -> None:
    """Neither they nor what stands below them; a heading about something else that is deprecated does."""
    gone = f"### Calls\n\n{NAMES}| old.example.com | https | U |\n"
    for heading in ("Deprecated", "Deprecated endpoints", "Retired domains", "Endpoints (deprecated)"):
        found = records(PLAIN, f"{SERVICES}\n## {heading}\n\n{gone}")
        assert [one.fqdns for one in found] == [("a.example.com",)]
    found = records(PLAIN, f"{SERVICES}\n## Required after the deprecated TLS 1.0\n\n{gone}")
    assert len(found) == 2


def test_rows_and_bullets_that_are_withdrawn_refuse_the_page() -> None:
    """ "Deprecated. Do not allow." beside a name is no purpose."""
    for uses in ("Deprecated. Do not allow.", "Portal (deprecated)", "No longer used."):
        (reason,) = refusal(PLAIN, f"{SERVICES}| b.example.com | https | {uses} |\n")
        assert "is not to be allowed any more" in reason
    (reason,) = refusal(PLAIN, f"{SERVICES}\nAllow:\n\n- `b.example.com` (deprecated)\n")
    assert "is not to be allowed any more" in reason
    assert len(records(PLAIN, f"{SERVICES}| b.example.com | https | Tells of deprecated actions. |\n")) == 2


def test_uses_that_name_a_cloud_are_not_inherited() -> None:
    """The row below may be for every cloud: a person must say."""
    rules = PageRules("P", inherits_uses=True)
    (reason,) = refusal(
        rules, f"{SERVICES}| b.example.com | https | Required for GCC High. |\n| c.example.com | https | |\n"
    )
    assert "'Required for GCC High.' names a cloud" in reason


def test_a_new_cloud_beside_known_ones_refuses_the_page() -> None:
    """Its rows would be public."""
    page = (
        f"# T\n\n### US Government endpoints for calls\n\n{NAMES}| a.example.us | https | U |\n\n"
        f"### Bleu endpoints for calls\n\n{NAMES}| a.example.fr | https | U |\n"
    )
    assert refusal(PLAIN, page) == ("Bleu endpoints for calls: a heading like those of clouds, and no known cloud",)


def test_inbound_addresses_are_outbound_for_the_customer() -> None:
    """What a service is called at, the customer calls; each column keeps its direction."""
    page = "# T\n\n## Calls\n\n| Azure region | Inbound IP addresses | Outbound IP |\n|---|---|---|\n| Japan | 20.1.1.1 | 20.1.1.2 |\n"
    found = records(PLAIN, page)
    assert {(one.direction, one.prefixes) for one in found} == {
        (Direction.OUTBOUND, ("20.1.1.1/32",)),
        (Direction.INBOUND, ("20.1.1.2/32",)),
    }
