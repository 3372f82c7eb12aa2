"""Columns of tables, told by the words of their header."""

from __future__ import annotations

import pytest

from scrapers.docs.html import page_from_html
from scrapers.docs.markdown import page_from_markdown
from scrapers.docs.page import Table, Text
from scrapers.docs.tables import Column, endpoint_columns, holds_endpoints, stars_eaten


def table(markdown: str) -> Table:
    (found,) = page_from_markdown(markdown).tables
    return found


def with_header(header: str, row: str = "") -> Table:
    return table(f"| {header} |\n|{'---|' * (header.count('|') + 1)}\n{row}")


@pytest.mark.parametrize(
    ("header", "roles"),
    [
        ("Domains | Protocols | Uses", (Column.DOMAINS, Column.PROTOCOLS, Column.USES)),
        ("Domain(s) | Protocols | Uses", (Column.DOMAINS, Column.PROTOCOLS, Column.USES)),
        ("Uses | Protocols | Domains", (Column.USES, Column.PROTOCOLS, Column.DOMAINS)),
        (
            "Endpoint type | Domains | Protocols | Uses | When",
            (Column.ENDPOINT_TYPE, Column.DOMAINS, Column.PROTOCOLS, Column.USES, Column.WHEN),
        ),
        ("Endpoint URL | Justification", (Column.DOMAINS, Column.USES)),
        ("Region | Outbound IP", (Column.REGION, Column.OUTBOUND_IPS)),
        ("**Region** | Outbound IP addresses", (Column.REGION, Column.OUTBOUND_IPS)),
        ("Service tag | Required?", (Column.SERVICE_TAG, Column.REQUIRED)),
        ("**URI** | **Power Platform Region** | **Is preview**", (Column.DOMAINS, Column.REGION, Column.PREVIEW)),
        ("Service | URLs", (Column.SERVICE, Column.DOMAINS)),
        ("Logic App Region | Outbound IP", (Column.REGION, Column.OUTBOUND_IPS)),
        ("Multi-tenant region | IP", (Column.REGION, Column.IPS)),
        ("Azure Government region | Azure Logic Apps IP", (Column.REGION, Column.LOGIC_APPS_IPS)),
        (
            "Multi-tenant region | Logic Apps IP | Managed connectors IP",
            (Column.REGION, Column.LOGIC_APPS_IPS, Column.CONNECTORS_IPS),
        ),
        ("Geo (multi-tenant region) | Service tags", (Column.REGION, Column.SERVICE_TAG)),
        ("Commercial version | US Government version", (Column.COMMERCIAL_URLS, Column.GOVERNMENT_URLS)),
        ("Commercial version URL | US Government version URL", (Column.COMMERCIAL_URLS, Column.GOVERNMENT_URLS)),
        ("Domains | Uses | ", (Column.DOMAINS, Column.USES, None)),
    ],
)
def test_columns_are_told_by_their_words(header: str, roles: tuple[Column | None, ...]) -> None:
    """Spelling, order and empty columns do not matter."""
    columns = endpoint_columns(with_header(header))
    assert columns is not None
    assert columns.roles == roles


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (
            "I need to allowlist IPs for... | What to allowlist | Section",
            "| Portal | allow `*.powerautomate.com` | N/A |",
        ),
        ("For details in this category | Select from these links", "| [A](#a) | </li><li>[B](#b) |"),
        ("Firewall | Tracking method", "| Azure | Service tags |"),
        ("Name | Limit", "| Runs | 0.5 |\n| Node.js | 14 |\n| Size | 100 MB |"),
    ],
)
def test_other_tables_are_no_tables_of_endpoints(header: str, row: str) -> None:
    """Link tables, methods and limits are skipped (sources.md D1.16)."""
    assert endpoint_columns(with_header(header, row)) is None


@pytest.mark.parametrize(
    ("header", "row", "reason"),
    [
        ("Domains | Protocols | Severity", "", "'severity'"),
        ("Region | Outbound IP | Latency", "", "'latency'"),
        ("Domains | URL", "", "mean the same"),
        ("Domänen | Protokolle", "| *.flow.microsoft.com<br>*.powerapps.com | https |", "column 1"),
        ("地域 | 送信 IP", "| 日本 | 13.78.108.0 - 13.78.108.15、13.71.153.19 |", "column 2"),
        ("What | Where", "| Site | a.example.com |\n| Other | n/a |\n| Third | b.example.com |", "column 2"),
    ],
)
def test_a_table_of_endpoints_that_cannot_be_told_is_refused(header: str, row: str, reason: str) -> None:
    """An unknown column beside endpoints, or a column of endpoints under an unknown header, is not skipped."""
    with pytest.raises(ValueError, match=reason):
        endpoint_columns(with_header(header, row))


@pytest.mark.parametrize(
    "page",
    [
        "| relay.a.example.com | https | Relay |\n|---|---|---|\n| Portal | http | x |\n| More | http | x |\n",
        "| *.example.com | https | Relay |\n|---|---|---|\n",
        "| Topic | More |\n|---|---|\n| Relay | a.example.com, *.example.com |\n| Portal | - |\n| Mail | - |\n",
        "| Topic | More |\n|---|---|\n| Relay | 20.1.2.0/28 |\n| Portal | - |\n| Mail | - |\n",
    ],
)
def test_one_cell_of_endpoints_alone_tells_a_split_table(page: str) -> None:
    """A row that became the header of a table of its own is not lost."""
    with pytest.raises(ValueError, match="stands in a table without a column of endpoints"):
        endpoint_columns(table(page))


@pytest.mark.parametrize(
    ("header", "telling"),
    [
        ("URI | Power Platform Region | Is preview", {Column.DOMAINS, Column.REGION}),
        ("Region | Outbound IP | ", {Column.REGION, Column.OUTBOUND_IPS}),
        ("Service tag | Required?", {Column.SERVICE_TAG}),
    ],
)
def test_some_columns_tell_how_rows_are_read(header: str, telling: set[Column]) -> None:
    """Endpoint columns and the region's do, the others only add to a record."""
    columns = endpoint_columns(with_header(header))
    assert columns is not None
    assert columns.telling == telling


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("See https://a.example.com", True),
        ("or *.example.com.", True),
        ("from 20.1.2.0/28 on", True),
        ("Public cloud", False),
        ("Node.js 14, 0.5 MB", False),
    ],
)
def test_an_endpoint_among_words_is_seen(text: str, holds: bool) -> None:
    """A table of links may hold words, not endpoints."""
    assert holds_endpoints(Text(lines=(text,))) is holds


def test_merged_cells_are_refused() -> None:
    """A merged cell moves the cells after it under other headers."""
    (merged,) = page_from_html(
        "<table><tr><th>Domains</th><th>Uses</th></tr><tr><td rowspan='2'>a.example.com</td><td>b</td></tr></table>"
    ).tables
    with pytest.raises(ValueError, match="merged"):
        endpoint_columns(merged)


def test_short_rows_have_empty_cells_and_long_rows_a_surplus() -> None:
    """Cells are found by column, and what stands under no header is known."""
    found = with_header("Domains | Uses | ", "| a.example.com |\n| b.example.com | B | C | D |")
    columns = endpoint_columns(found)
    assert columns is not None
    short, long = found.rows
    assert columns.cell(short, Column.USES).text == ""
    assert columns.cell(short, Column.WHEN) == Text()
    assert columns.surplus(short) == ()
    assert columns.surplus(long) == ("C", "D")


@pytest.mark.parametrize(
    ("cell", "eaten"),
    [
        ("<em>.a.example.com<br></em>.b.example.com", True),
        (".a.example.com", True),
        ("https://.crm.dynamics.com", True),
        ("autodiscover..onmicrosoft.com", True),
        ("*.a.example.com<br>*.b.example.com", False),
        ("<code>*.a.example.com</code>, b.example.com", False),
    ],
)
def test_eaten_stars_are_seen(cell: str, eaten: bool) -> None:
    """Emphasis or a name that begins with a dot in a cell of names betrays lost wildcards (sources.md D1.5)."""
    page = page_from_html(
        f"<table><tr><th>Domains</th><th>Uses</th></tr><tr><td>{cell}</td><td><em>x</em></td></tr></table>"
    )
    assert stars_eaten(page) is eaten
