"""Why a page cannot be read whole: reasons as sentences that say where to look.

`page_reasons` holds for every page of endpoints; `parse` adds those of rows with `row_reason`, and
`missing_sections`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from schema.document import Document
from schema.endpoint_set import EndpointSet
from schema.errors import ParseError
from scrapers.docs.clouds import unknown_of_series
from scrapers.docs.page import Block, BulletList, Headings, Page, Paragraph, Row, Text
from scrapers.docs.rules import PageRules
from scrapers.docs.tables import holds_endpoints_only, is_endpoint_table
from scrapers.source import Source

_WITHDRAWN = re.compile(
    r"^\W*(?:deprecated|retired|obsolete|no longer (?:used|needed|required))\b|\((?:deprecated|retired|obsolete)\)"
    r"|\b(?:do not|don[’']t) allow(?:list)?(?: (?:it|this))?\b\W*$",
    re.IGNORECASE,
)

Found = EndpointSet | str
"""A record, or the reason why there is none."""


def page_reasons(page: Page, *, needs_table: bool = True) -> Iterator[str]:
    """Yield what is wrong with the page as a whole: two languages, no endpoints, content elsewhere, a broken table."""
    if page.bilingual:
        yield "the page says each phrase in two languages"
    if needs_table and not any(is_endpoint_table(table) for table in page.tables):
        yield "the page has no table of endpoints"
    yield from _unknown_clouds(page)
    yield from (f"the content of {target!r} is not in the page" for target in page.includes)
    for block in page.blocks:
        broken = (text.text[:120] for text in _prose(block) if _is_broken_table(text.text))
        yield from (f"{place(block.headings)}: a table that is not one: {text!r}" for text in broken)


def refused_page(source: Source, document: Document, reasons: Iterable[str]) -> ParseError:
    """Return the error that lists ``reasons``."""
    return ParseError(
        f"{source.name}: the page cannot be read whole",
        reasons=tuple(reasons),
        source=source.name,
        url=document.provenance.url,
    )


def missing_sections(rules: PageRules, records: Iterable[EndpointSet]) -> Iterator[str]:
    """Yield the sections a page must have and of which there is no record: one renamed, moved or emptied."""
    there = {record.category for record in records}
    for section in rules.sections:
        if section.required and section.role not in there:
            yield f"the section {section.title!r} is missing: no endpoint under a heading like {section.pattern!r}"


def row_reason(headings: Headings, row: Row, problem: str) -> str:
    """Return the sentence for a row that cannot be read."""
    return f"{place(headings)}: row {' | '.join(cell.text for cell in row)[:200]!r}: {problem}"


def refuse_withdrawn(uses: str) -> None:
    """Raise ValueError where the uses say that an endpoint is none to allow any more."""
    if _WITHDRAWN.search(uses):
        raise ValueError(f"{uses[:120]!r} says that it is not to be allowed any more")


def place(headings: Headings) -> str:
    """Return a heading path in words."""
    return " > ".join(headings) or "before the first heading"


def _unknown_clouds(page: Page) -> Iterator[str]:
    """A new cloud comes as one more heading of a series: its rows would go to the public cloud."""
    paths = dict.fromkeys(block.headings for block in page.blocks if block.headings)
    for table in (table for table in page.tables if table.headings and is_endpoint_table(table)):
        beside = [path[-1] for path in paths if path[:-1] == table.headings[:-1]]
        if unknown_of_series(table.headings[-1], beside):
            yield f"{place(table.headings)}: a heading like those of clouds, and no known cloud"


def _prose(block: Block) -> tuple[Text, ...]:
    if isinstance(block, BulletList):
        return block.items
    return (block.text,) if isinstance(block, Paragraph) else ()


def _is_broken_table(text: str) -> bool:
    """A table whose separator row is damaged is a paragraph or a bullet: pipes, and endpoints between them."""
    words = filter(None, re.split(r"[\s|]+", text))
    return text.count("|") >= 2 and any(holds_endpoints_only(Text(lines=(word,))) for word in words)
