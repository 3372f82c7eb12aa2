"""What is special about one docs page, as a value: everything else about such pages is in `parse`.

    RULES = PageRules(service="Power Apps", sections=(Section("portal", "Required services", "required services"),))
    Source(..., parse=partial(parse_docs_page, RULES))

A page module holds its `PageRules` and, where its tables are like no other page's, a row reader of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from schema.endpoint_set import EndpointSet
from schema.words import Kind
from scrapers.docs.page import BulletList, Headings, Page, Paragraph, Row
from scrapers.docs.sections import Section, section_of
from scrapers.docs.tables import Column, Columns
from scrapers.source import Source

TAGS_IN_GENERAL = Section("service-tags", "Service tags", r"^service tags$")
"""Of service tags that prose names under no section's heading."""


class PageRules(Struct, frozen=True):
    """The rules of one page."""

    service: str
    """The service its records belong to, unless their section or row says otherwise."""
    sections: tuple[Section, ...] = ()
    """First match wins, innermost heading first."""
    column_sections: tuple[tuple[Column, Section], ...] = ()
    """Columns of addresses that are a section of their own: ``Managed connectors IP`` in a table of Logic Apps."""
    tag_sections: tuple[tuple[str, Section], ...] = ()
    """Service tags, by the name before the dot, whose mentions belong to one section wherever they stand."""
    needs_table: bool = True
    """A page without a table of endpoints is refused; False where lists and sentences are all it has."""
    prose_addresses: bool = False
    """Bullets of addresses and SPF strings are records; elsewhere they are refused (sources.md D1.31)."""
    dotted: bool = False
    """``.microsoft.us`` is that domain and all below it (sources.md D1.7); elsewhere such a name has lost its star."""
    inherits_uses: bool = False
    """An empty cell of uses repeats the one above it (sources.md D1.21)."""
    row_readers: tuple[tuple[frozenset[Column], RowReader], ...] = ()
    """Readers for tables with exactly these telling columns (`tables.TELLING`); they go before the general ones."""
    prose_readers: tuple[ProseReader, ...] = ()
    """Readers for lists and paragraphs like no other page's; they go before the general ones."""
    mend: Callable[[Page], Page] | None = None
    """Gives a page of HTML the stars back that emphasis took (`stars.with_stars`, sources.md D1.5)."""


class Spot(Struct, frozen=True):
    """Where a table, a list or a sentence stands."""

    source: Source
    rules: PageRules
    headings: Headings


RowReader = Callable[[Spot, Columns, Row], tuple[EndpointSet, ...]]
"""(where, columns, row) -> its records. Raises ValueError with the reason why the row cannot be read."""


ProseReader = Callable[[Spot, BulletList | Paragraph], tuple[EndpointSet, ...] | None]
"""(where, list or paragraph) -> its records, or None: the general reader's. Raises ValueError with the reason."""


def column_section(spot: Spot, column: Column) -> Section:
    """Return the section of a column of addresses: its own, else that of the heading."""
    own = dict(spot.rules.column_sections).get(column)
    return own or section_of(spot.rules.sections, spot.headings, Kind.PREFIX)
