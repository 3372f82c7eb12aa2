"""A docs page as a value: its blocks in document order, each under its heading path.

Made by `reader.read_page` from HTML and from Markdown alike, so that a parser of one upstream page
never sees which form it was.
"""

from __future__ import annotations

from msgspec import Struct

Headings = tuple[str, ...]
"""Heading path below the page's h1, outermost first; empty before the first heading."""


class Text(Struct, frozen=True):
    """Visible text of a cell, a paragraph or a bullet. White space is collapsed; markup is gone."""

    lines: tuple[str, ...] = ()
    """Split at breaks, without empty lines."""
    codes: tuple[str, ...] = ()
    """Code spans, in order."""
    bolds: tuple[str, ...] = ()
    emphases: tuple[str, ...] = ()
    """Emphasized spans: in a cell of host names they are wildcards that lost their stars (sources.md D1.5)."""
    strikes: tuple[str, ...] = ()
    """Struck-out spans: still written, no longer meant."""

    @property
    def text(self) -> str:
        """All lines in one, a break being one space."""
        return " ".join(self.lines)


Row = tuple[Text, ...]


class Table(Struct, frozen=True):
    """A table. Rows may be shorter or longer than the header (sources.md D1.18); no row is all empty."""

    headings: Headings
    header: Row
    rows: tuple[Row, ...]
    merged: bool = False
    """Some cell spans rows or columns, so a cell's place does not tell its column."""
    lead: str = ""
    """The paragraph right before it under the same heading, else ""."""


class BulletList(Struct, frozen=True):
    """A list, ordered or not; nested lists follow as lists of their own."""

    headings: Headings
    items: tuple[Text, ...]
    lead: str
    """The bullet a nested list stands in, else the paragraph right before it under the same heading, else ""."""


class Paragraph(Struct, frozen=True):
    """A paragraph, or a code block line by line."""

    headings: Headings
    text: Text


Block = Table | BulletList | Paragraph


class Page(Struct, frozen=True):
    """A docs page."""

    title: str
    metadata: tuple[tuple[str, str], ...]
    """Front matter or meta elements, (name, content), in order."""
    blocks: tuple[Block, ...]
    bilingual: bool = False
    """Each phrase stands there twice, in two languages (sources.md D1.35)."""
    includes: tuple[str, ...] = ()
    """Files whose content belongs here and is not in this document (sources.md D1.32); no footers, no banners."""

    def meta(self, name: str) -> str | None:
        """Return the first content of ``name``, or None."""
        return next((content for known, content in self.metadata if known == name and content), None)

    @property
    def tables(self) -> tuple[Table, ...]:
        """The page's tables, in order."""
        return tuple(block for block in self.blocks if isinstance(block, Table))
