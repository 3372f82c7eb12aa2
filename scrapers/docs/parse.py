"""A docs page becomes records: one a row, in every form its rules know.

    ## Required services
    | Domains | Protocols | Uses |
    | *.flow.microsoft.com <br> *.logic.azure.com | https | Access to the Power Automate site. |
        -> portal:public:*.flow.microsoft.com, outbound, https, both names

In: `PageRules` (what is special about the page), the source, its document. Out: every record, or
ParseError with every reason. A `Source` of a docs page has ``partial(parse_docs_page, RULES)`` as its parse.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

import msgspec

from schema.document import Document, Reading
from schema.endpoint_set import EndpointSet
from scrapers.docs.cells import refuse_struck
from scrapers.docs.cloud_uses import SILENT, read_uses
from scrapers.docs.clouds import refuse_unread_heading, refuse_unread_lead
from scrapers.docs.leftovers import leftovers
from scrapers.docs.page import Block, BulletList, Page, Paragraph, Row, Table, Text
from scrapers.docs.prose import bullet_records, paragraph_records
from scrapers.docs.reader import read_page, upstream_facts
from scrapers.docs.records import distinct
from scrapers.docs.refusals import (
    Found,
    missing_sections,
    page_reasons,
    place,
    refuse_withdrawn,
    refused_page,
    row_reason,
)
from scrapers.docs.rows import row_reader
from scrapers.docs.rules import TAGS_IN_GENERAL, PageRules, RowReader, Spot
from scrapers.docs.sections import is_deprecated, nearest_known, section_of
from scrapers.docs.tables import Column, Columns, endpoint_columns, holds_endpoints
from scrapers.source import Source


def parse_docs_page(rules: PageRules, source: Source, document: Document) -> Reading:
    """Return every endpoint of the page.

    Raises:
        ParseError: a table, a row or a bullet cannot be read (all reasons at once), the page has no
            table of endpoints, or a section it must have holds none.
    """
    page = read_page(document.body, document.provenance.media_type)
    if rules.mend:
        page = rules.mend(page)
    read = _without_deprecated(page)
    found = [
        each for block in _joined(read.blocks) for each in _block_records(Spot(source, rules, block.headings), block)
    ]
    records = [each for each in found if isinstance(each, EndpointSet)]
    reasons = [
        *page_reasons(read, needs_table=rules.needs_table),
        *(each for each in found if isinstance(each, str)),
        *missing_sections(rules, records),
    ]
    reasons = reasons or list(leftovers(read.blocks, records))
    if reasons or not records:
        raise refused_page(source, document, reasons or ["the page names no endpoint"])
    facts = upstream_facts(page)
    kept = distinct(_without_repeated_tags(rules, records))
    return Reading(endpoint_sets=kept, upstream_version=facts.version, upstream_at=facts.at)


def _without_deprecated(page: Page) -> Page:
    return msgspec.structs.replace(
        page, blocks=tuple(block for block in page.blocks if not is_deprecated(block.headings))
    )


def _joined(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """Yield the blocks without a table's header that the same header, in the body, follows (sources.md D1.19)."""
    for block, after in zip_longest(blocks, blocks[1:]):
        if not _is_repeated_header(block, after):
            yield block


def _is_repeated_header(block: Block, after: Block | None) -> bool:
    if not (isinstance(block, Table) and isinstance(after, Table)) or block.rows or block.headings != after.headings:
        return False
    try:
        columns, next_columns = endpoint_columns(block), endpoint_columns(after)
    except ValueError:
        return False
    return columns is not None and columns == next_columns


def _block_records(spot: Spot, block: Block) -> Iterator[Found]:
    if isinstance(block, Table):
        return _table_records(spot, block)
    own = _own_prose(spot, block)
    if own is not None:
        return iter(own)
    if isinstance(block, BulletList):
        return bullet_records(spot, block)
    return paragraph_records(spot, block)


def _own_prose(spot: Spot, block: BulletList | Paragraph) -> tuple[Found, ...] | None:
    """Return what the page's own readers make of ``block``, None where they leave it to the general ones."""
    for reader in spot.rules.prose_readers:
        try:
            found = reader(spot, block)
        except ValueError as error:
            return (f"{place(block.headings)}: {error}",)
        if found is not None:
            return found
    return None


def _table_records(spot: Spot, table: Table) -> Iterator[Found]:
    section = nearest_known(spot.rules.sections, table.headings)
    if section and section.links_only:
        yield from _link_table_reasons(table)
        return
    try:
        columns = endpoint_columns(table)
        if columns is None:
            return
        reader = row_reader(spot, columns)
        refuse_unread_heading(table.headings)
        refuse_unread_lead(table.lead, table.headings, spot.source.cloud)
        inherits = spot.rules.inherits_uses and Column.USES in columns
        rows = tuple(_with_uses(table.rows, columns)) if inherits else table.rows
    except ValueError as error:
        yield f"{place(table.headings)}: {error}"
        return
    if not table.rows:
        yield f"{place(table.headings)}: a table of endpoints has no row"
    for row in rows:
        yield from _row_records(spot, columns, row, reader)


def _link_table_reasons(table: Table) -> Iterator[Found]:
    for row in table.rows:
        if any(map(holds_endpoints, row)):
            yield row_reason(table.headings, row, "an endpoint stands in a table of links")


def _with_uses(rows: tuple[Row, ...], columns: Columns) -> Iterator[Row]:
    """Yield the rows, an empty cell of uses filled with the one above it (sources.md D1.21).

    Raises:
        ValueError: the uses above say for which clouds their own row is.
    """
    uses = columns.roles.index(Column.USES)
    above = Text()
    for row in rows:
        if uses < len(row) and row[uses].lines:
            above = row[uses]
        elif read_uses(above.text) != SILENT:
            raise ValueError(f"{above.text[:120]!r} names a cloud, and a row below it has no uses of its own")
        filled = (*row, *(Text() for _ in range(uses + 1 - len(row))))
        yield (*filled[:uses], above, *filled[uses + 1 :])


def _row_records(spot: Spot, columns: Columns, row: Row, reader: RowReader) -> Iterator[Found]:
    surplus = columns.surplus(row)
    if surplus:
        yield row_reason(spot.headings, row, f"{', '.join(map(repr, surplus))} stands under no header")
        return
    try:
        for cell in row:
            refuse_struck(cell)
        refuse_withdrawn(columns.cell(row, Column.USES).text)
        yield from reader(spot, columns, row)
    except ValueError as error:
        yield row_reason(spot.headings, row, str(error))


def _without_repeated_tags(rules: PageRules, records: list[EndpointSet]) -> list[EndpointSet]:
    """Drop what a general section (a FAQ) repeats of a tag that a section of its own states.

    Mentions of one tag for one purpose are one record already; the one under its own section's heading goes first.
    """
    general = TAGS_IN_GENERAL.role
    own = [record for record in records if record.category != general]
    stated = {(record.direction, tag) for record in own for tag in record.service_tags}
    kept = (
        record
        for record in records
        if record.category != general or not stated.issuperset((record.direction, tag) for tag in record.service_tags)
    )
    return sorted(kept, key=lambda record: section_of(rules.sections, record.heading).role != record.category)
