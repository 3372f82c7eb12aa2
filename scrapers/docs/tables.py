"""What the columns of a table are, told by the words of its header and never by position.

| role         | header words (sources.md D1.15)                    |
|--------------|----------------------------------------------------|
| domains      | Domains, Domain(s), URI, Endpoint URL ...          |
| addresses    | Outbound IP, Inbound IP, IP, Logic Apps IP, Managed connectors IP |
| service tag  | Service tag                                        |
| two clouds   | Commercial version, US Government version          |
| the others   | protocols, uses, endpoint type, when, region, required, preview, service |

A table with none of the first four is not about endpoints (link tables, limits; D1.16), unless a
column of it, or a cell alone, holds host names or addresses: then a header was renamed or an editor
split a table, and a person must look.
"""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct

from scrapers.docs.cells import items, names_host, read_prefixes
from scrapers.docs.page import Page, Row, Table, Text

_SUPERFLUOUS = re.compile(r"[*?:`]")
_LOST_STAR = re.compile(r"(?:^|[\s/,;])\.\w|\w\.\.\w")
# A single cell is evidence only where it cannot be Node.js, Microsoft.Flow.Admin or a link's URL.
_EVIDENT = re.compile(r"[^A-Z/]*(?:\*|\.[^.A-Z]+\.|:)|[\d.]+/\d+")
_EMPTY = Text()


class Column(StrEnum):
    """The role of a column."""

    DOMAINS = "domains"
    OUTBOUND_IPS = "outbound IPs"
    INBOUND_IPS = "inbound IPs"
    IPS = "IPs"
    """Which direction, the section says."""
    LOGIC_APPS_IPS = "Logic Apps IPs"
    CONNECTORS_IPS = "managed connectors IPs"
    COMMERCIAL_URLS = "URLs of the commercial version"
    GOVERNMENT_URLS = "URLs of the US Government version"
    SERVICE_TAG = "service tag"
    PROTOCOLS = "protocols"
    USES = "uses"
    ENDPOINT_TYPE = "endpoint type"
    WHEN = "when"
    REGION = "region"
    REQUIRED = "required"
    PREVIEW = "preview"
    SERVICE = "service"


ADDRESSES = (Column.OUTBOUND_IPS, Column.INBOUND_IPS, Column.IPS, Column.LOGIC_APPS_IPS, Column.CONNECTORS_IPS)
_NAMES = frozenset({Column.DOMAINS, Column.COMMERCIAL_URLS, Column.GOVERNMENT_URLS})
_ENDPOINT_COLUMNS = _NAMES | frozenset({*ADDRESSES, Column.SERVICE_TAG})
TELLING = _ENDPOINT_COLUMNS | {Column.REGION}
"""The columns that tell how a table's rows are read."""

_HEADERS = {
    Column.DOMAINS: (
        *("domain", "domains", "domain name", "domain names", "uri", "uris", "url", "urls", "fqdn", "fqdns"),
        *("host", "hosts", "host name", "host names", "hostname", "hostnames", "endpoint", "endpoints"),
        *("endpoint url", "endpoint urls", "endpoint domain", "endpoint domains"),
    ),
    Column.OUTBOUND_IPS: ("outbound ip", "outbound ips", "outbound ip address", "outbound ip addresses"),
    Column.INBOUND_IPS: ("inbound ip", "inbound ips", "inbound ip address", "inbound ip addresses"),
    Column.IPS: ("ip", "ips", "ip address", "ip addresses"),
    Column.LOGIC_APPS_IPS: ("logic apps ip", "logic apps ips", "azure logic apps ip", "azure logic apps ips"),
    Column.CONNECTORS_IPS: ("managed connectors ip", "managed connectors ips"),
    Column.COMMERCIAL_URLS: ("commercial version", "commercial version url", "commercial version urls"),
    Column.GOVERNMENT_URLS: ("us government version", "us government version url", "us government version urls"),
    Column.SERVICE_TAG: (
        *("service tag", "service tags", "azure service tag", "azure service tags"),
        *("service tag name", "service tag names", "tag name", "tag names"),
    ),
    Column.PROTOCOLS: ("protocol", "protocols"),
    Column.USES: ("use", "uses", "used for", "justification", "purpose", "description", "reason"),
    Column.ENDPOINT_TYPE: ("endpoint type", "endpoint types"),
    Column.WHEN: ("when",),
    Column.REGION: (
        *("region", "regions", "multi-tenant region", "multitenant region", "power platform region"),
        *("geo", "geography", "geo (multi-tenant region)", "geo (multitenant region)", "power automate region"),
        *("logic app region", "logic apps region", "azure region", "azure government region"),
    ),
    Column.REQUIRED: ("required", "is required"),
    Column.PREVIEW: ("preview", "is preview"),
    Column.SERVICE: ("service",),
}
_COLUMN_OF = {words: column for column, spellings in _HEADERS.items() for words in spellings}


class Columns(Struct, frozen=True):
    """The roles of a table's columns, in the order of the columns; None is an empty column."""

    roles: tuple[Column | None, ...]

    def __contains__(self, column: Column) -> bool:
        return column in self.roles

    def cell(self, row: Row, column: Column) -> Text:
        """Return the cell of ``column``, empty where the table or the row has none."""
        position = self.roles.index(column) if column in self.roles else len(row)
        return row[position] if position < len(row) else _EMPTY

    @property
    def telling(self) -> frozenset[Column]:
        """Those that tell how a row is read."""
        return TELLING.intersection(role for role in self.roles if role)

    def surplus(self, row: Row) -> tuple[str, ...]:
        """Return the texts of ``row`` that stand in no column with a header."""
        named = (role is not None for role in self.roles)
        inside = zip(row, named, strict=False)
        return tuple(
            cell.text
            for cell in (*(cell for cell, has_name in inside if not has_name), *row[len(self.roles) :])
            if cell.lines
        )


def endpoint_columns(table: Table) -> Columns | None:
    """Return the columns of a table of endpoints, or None when it is no such table.

    Raises:
        ValueError: it is, or holds host names or addresses, and its columns cannot be told.
    """
    words = [header_words(cell) for cell in table.header]
    roles = tuple(_COLUMN_OF.get(word) for word in words)
    if not _ENDPOINT_COLUMNS.intersection(roles):
        _refuse_unnamed_endpoints(table)
        return None
    unknown = [word for word, role in zip(words, roles, strict=True) if word and role is None]
    if unknown:
        raise ValueError(f"the columns {', '.join(map(repr, unknown))} of a table of endpoints are not known")
    known = [role for role in roles if role]
    if len(known) != len(set(known)):
        raise ValueError(f"two columns of {' | '.join(words)} mean the same")
    if table.merged:
        raise ValueError("a table of endpoints has merged cells")
    return Columns(roles)


def is_endpoint_table(table: Table) -> bool:
    """Say whether ``table`` is one of endpoints, or may be: its columns cannot be told."""
    try:
        return endpoint_columns(table) is not None
    except ValueError:
        return True


def header_words(cell: Text) -> str:
    """Return a header cell's words as `_HEADERS` spells them."""
    return " ".join(_SUPERFLUOUS.sub("", cell.text.lower().replace("(s)", "s")).split())


def stars_eaten(page: Page) -> bool:
    """Say whether emphasis took wildcards out of a table of endpoints (sources.md D1.5).

    Either the emphasis itself is still in the cell, or a name begins with a dot.
    """
    return any(_lost_a_star(cell) for table in page.tables for cell in _domain_cells(table))


def _domain_cells(table: Table) -> tuple[Text, ...]:
    words = [header_words(cell) for cell in table.header]
    positions = [place for place, word in enumerate(words) if _COLUMN_OF.get(word) in _NAMES]
    return tuple(row[place] for row in table.rows for place in positions if place < len(row))


def _lost_a_star(cell: Text) -> bool:
    return bool(cell.emphases) or any(_LOST_STAR.search(line) for line in cell.lines)


def _refuse_unnamed_endpoints(table: Table) -> None:
    for place in range(max(map(len, table.rows), default=0)):
        cells = [row[place] for row in table.rows if place < len(row) and row[place].lines]
        if 2 * sum(map(holds_endpoints_only, cells)) > len(cells):
            header = " | ".join(cell.text for cell in table.header)
            raise ValueError(f"column {place + 1} of the table {header!r} holds endpoints, but its header is not known")
    for cell in (cell for row in (table.header, *table.rows) for cell in row):
        if all(map(_EVIDENT.match, items(cell))) and holds_endpoints_only(cell):
            raise ValueError(f"{cell.text[:120]!r} stands in a table without a column of endpoints")


def holds_endpoints_only(cell: Text) -> bool:
    """Say whether ``cell`` holds host names, URLs, addresses or ranges, and nothing else."""
    try:
        read_prefixes(cell)
    except ValueError:
        return _holds_names_only(cell)
    return True


def holds_endpoints(cell: Text) -> bool:
    """Say whether some word of ``cell`` is evidently a host name, a URL or an address."""
    words = (word for line in cell.lines for word in line.split())
    return any(_EVIDENT.match(word) and holds_endpoints_only(Text(lines=(word,))) for word in words)


def _holds_names_only(cell: Text) -> bool:
    found = items(cell)
    return bool(found) and all(map(names_host, found))
