"""The Power Automate page "IP address configuration": one record a row, in every form since 2020.

    ## Required services
    | Domains | Protocols | Uses |
    | *.flow.microsoft.com <br> *.logic.azure.com | https | Access to the Power Automate site. |
        -> portal:public:*.flow.microsoft.com, outbound, https, both names

Tables of region addresses and of service tags, service tags named in prose, and bullets that begin
with a host name are records too. Sections (`power_automate_sections`) keep
their role when their heading is renamed or moved.
`sources.py` lists the source; its document comes from `docs.fetch`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from msgspec import UNSET

from schema.document import Document, Reading
from schema.endpoint_set import Attributes, EndpointSet, endpoint_set
from schema.errors import ParseError
from schema.words import Cloud, Direction
from scrapers.docs.cells import Names, read_names, read_prefixes, read_protocols, read_service_tags, refuse_struck
from scrapers.docs.clouds import heading_clouds, refuse_unread_heading, region_clouds, row_clouds
from scrapers.docs.mentions import (
    goes_to_service_tag,
    lists_host_names,
    lists_service_tags,
    mentioned_tags,
    opening_names,
    opening_span,
)
from scrapers.docs.page import Block, BulletList, Headings, Row, Table, Text
from scrapers.docs.reader import read_page, upstream_facts
from scrapers.docs.records import cloud_slug, distinct, slug
from scrapers.docs.refusals import page_reasons, place, row_reason
from scrapers.docs.sections import Section, known_section, section_of
from scrapers.docs.tables import Column, Columns, endpoint_columns
from scrapers.power_automate_sections import CONNECTORS, SECTIONS, TAGS_IN_GENERAL
from scrapers.source import Source

_SERVICE = "Power Automate"

Found = EndpointSet | str
"""A record, or the reason why there is none."""

_HTTP = re.compile(r"\bhttps?\b", re.IGNORECASE)
_IN_PARENTHESES = re.compile(r"^\(([^()]*)\)$")
_REQUIRED = {"yes": True, "no": False, "": None}


def parse_ip_address_configuration(source: Source, document: Document) -> Reading:
    """Return every endpoint of the page.

    Raises:
        ParseError: a table, a row or a bullet cannot be read (all reasons at once), or the page has no
            table of endpoints.
    """
    page = read_page(document.body, document.provenance.media_type)
    found = [each for block in page.blocks for each in _block_records(source, block)]
    reasons = [*page_reasons(page), *(each for each in found if isinstance(each, str))]
    records = distinct(_without_repeated_tags([each for each in found if isinstance(each, EndpointSet)]))
    if reasons or not records:
        raise ParseError(
            f"{source.name}: the page cannot be read whole",
            reasons=tuple(reasons),
            source=source.name,
            url=document.provenance.url,
        )
    facts = upstream_facts(page)
    return Reading(endpoint_sets=records, upstream_version=facts.version, upstream_at=facts.at)


def _block_records(source: Source, block: Block) -> Iterator[Found]:
    if isinstance(block, Table):
        return _table_records(source, block)
    if isinstance(block, BulletList):
        return _bullet_records(source, block)
    return _mentioned_tags(source, block.headings, block.text)


def _table_records(source: Source, table: Table) -> Iterator[Found]:
    try:
        columns = endpoint_columns(table)
        if columns is None:
            return
        reader = _row_reader(columns)
        refuse_unread_heading(table.headings)
    except ValueError as error:
        yield f"{place(table.headings)}: {error}"
        return
    if not table.rows:
        yield f"{place(table.headings)}: a table of endpoints has no row"
    for row in table.rows:
        yield from _row_records(source, table.headings, columns, row, reader)


RowReader = Callable[[Source, Headings, Columns, Row], tuple[EndpointSet, ...]]


def _row_reader(columns: Columns) -> RowReader:
    kinds = {
        (Column.DOMAINS,): _domains_row,
        (Column.OUTBOUND_IPS, Column.REGION): _region_row,
        (Column.SERVICE_TAG,): _service_tag_row,
    }
    told = (Column.DOMAINS, Column.OUTBOUND_IPS, Column.SERVICE_TAG, Column.REGION)
    reader = kinds.get(tuple(column for column in told if column in columns))
    if reader is None:
        raise ValueError(f"nothing reads a table of {', '.join(role for role in columns.roles if role)}")
    return reader


def _row_records(source: Source, headings: Headings, columns: Columns, row: Row, reader: RowReader) -> Iterator[Found]:
    surplus = columns.surplus(row)
    if surplus:
        yield row_reason(headings, row, f"{', '.join(map(repr, surplus))} stands under no header")
        return
    try:
        for cell in row:
            refuse_struck(cell)
        yield from reader(source, headings, columns, row)
    except ValueError as error:
        yield row_reason(headings, row, str(error))


def _domains_row(source: Source, headings: Headings, columns: Columns, row: Row) -> tuple[EndpointSet, ...]:
    names = read_names(columns.cell(row, Column.DOMAINS))
    protocols = read_protocols(columns.cell(row, Column.PROTOCOLS))
    if Column.PROTOCOLS in columns and not (protocols or names.protocols):
        raise ValueError("there is no protocol")
    uses, endpoint_type, when = (
        columns.cell(row, column).text for column in (Column.USES, Column.ENDPOINT_TYPE, Column.WHEN)
    )
    record = _hosts(
        source,
        headings,
        names,
        protocols=protocols,
        purpose=uses,
        clouds=row_clouds(uses, endpoint_type, headings, source.cloud),
        required=_required(columns, row),
        attributes=Attributes(endpoint_type=endpoint_type or UNSET, when=when or UNSET),
    )
    return (record,)


def _hosts(
    source: Source,
    headings: Headings,
    names: Names,
    *,
    protocols: Iterable[str],
    purpose: str,
    clouds: tuple[Cloud, ...],
    required: bool | None = None,
    attributes: Attributes | None = None,
) -> EndpointSet:
    """Users and machines in the customer's network connect to host names."""
    section = section_of(SECTIONS, headings)
    return endpoint_set(
        source.name,
        f"{section.role}:{cloud_slug(clouds)}:{names.fqdns[0]}",
        service=_SERVICE,
        title=section.title,
        category=section.role,
        clouds=clouds,
        direction=Direction.OUTBOUND,
        fqdns=names.fqdns,
        protocols=(*protocols, *names.protocols),
        required=required,
        purpose=purpose,
        attributes=attributes,
        heading=headings,
    )


def _required(columns: Columns, row: Row) -> bool | None:
    """Return what the "Required" cell says; None where it or the column is empty or missing."""
    said = columns.cell(row, Column.REQUIRED).text
    if said.lower() not in _REQUIRED:
        raise ValueError(f"{said!r} does not say whether the row is required")
    return _REQUIRED[said.lower()]


def _region_row(source: Source, headings: Headings, columns: Columns, row: Row) -> tuple[EndpointSet, ...]:
    """A region's addresses are those Power Automate calls from: inbound for the customer's firewall."""
    section = section_of(SECTIONS, headings)
    region = columns.cell(row, Column.REGION).text
    if not region:
        raise ValueError("there is no region")
    record = endpoint_set(
        source.name,
        f"{section.role}:{slug(region)}",
        service=_SERVICE,
        title=region,
        category=section.role,
        clouds=region_clouds(region, headings, source.cloud),
        region=region.lower(),
        direction=Direction.INBOUND,
        prefixes=read_prefixes(columns.cell(row, Column.OUTBOUND_IPS)),
        heading=headings,
    )
    return (record,)


def _service_tag_row(source: Source, headings: Headings, columns: Columns, row: Row) -> tuple[EndpointSet, ...]:
    uses, endpoint_type = (columns.cell(row, column).text for column in (Column.USES, Column.ENDPOINT_TYPE))
    clouds = row_clouds(uses, endpoint_type, headings, source.cloud)
    section = section_of(SECTIONS, headings)
    return tuple(
        _service_tag(source, section, headings, tag, clouds=clouds, required=_required(columns, row), purpose=uses)
        for tag in read_service_tags(columns.cell(row, Column.SERVICE_TAG))
    )


def _service_tag(
    source: Source,
    section: Section,
    headings: Headings,
    tag: str,
    *,
    clouds: tuple[Cloud, ...] = (),
    direction: Direction = Direction.INBOUND,
    required: bool | None = None,
    purpose: str | None = None,
) -> EndpointSet:
    """Traffic from a service tag comes into the customer's network unless ``direction`` says otherwise."""
    return endpoint_set(
        source.name,
        f"{section.role}:{tag}",
        service=_SERVICE,
        title=section.title,
        category=section.role,
        clouds=clouds or heading_clouds(headings) or (source.cloud,),
        direction=direction,
        service_tags=(tag,),
        required=required,
        purpose=purpose,
        heading=headings,
    )


def _mentioned_tags(source: Source, headings: Headings, text: Text) -> Iterator[Found]:
    for mention in () if text.strikes else mentioned_tags(text):
        section = _mention_section(headings, mention.sentence)
        direction = _direction(mention.sentence, mention.tag)
        yield _service_tag(source, section, headings, mention.tag, direction=direction)


def _mention_section(headings: Headings, sentence: str) -> Section:
    """Prose stands in sections of many names (intro, FAQ): only a known heading or "connector" places it."""
    known = (known_section(SECTIONS, heading) for heading in reversed(headings))
    placed = next(filter(None, known), None)
    return placed or (CONNECTORS if "connector" in sentence.lower() else TAGS_IN_GENERAL)


def _without_repeated_tags(records: list[EndpointSet]) -> list[EndpointSet]:
    """Drop what a general section (a FAQ) repeats of a tag that a section of its own states.

    Mentions of one tag for one purpose are one record already; the one under its own section's heading goes first.
    """
    own = [record for record in records if record.category != TAGS_IN_GENERAL.role]
    stated = {(record.direction, tag) for record in own for tag in record.service_tags}
    kept = (
        record
        for record in records
        if record.category != TAGS_IN_GENERAL.role
        or not stated.issuperset((record.direction, tag) for tag in record.service_tags)
    )
    return sorted(kept, key=lambda record: section_of(SECTIONS, record.heading).role != record.category)


def _bullet_records(source: Source, bullets: BulletList) -> Iterator[Found]:
    if lists_service_tags(bullets):
        reader = _service_tag_bullet
    elif lists_host_names(bullets):
        reader = _host_bullet
    else:
        for item in bullets.items:
            yield from _mentioned_tags(source, bullets.headings, item)
        return
    for item in bullets.items:
        try:
            refuse_struck(item)
            yield reader(source, bullets, item)
        except ValueError as error:
            yield f"{place(bullets.headings)}: bullet {item.text[:120]!r}: {error}"


def _service_tag_bullet(source: Source, bullets: BulletList, item: Text) -> EndpointSet:
    """``- `AzureConnectors` -- Managed connector outbound IPs`` below a sentence about service tags."""
    (tag,) = read_service_tags(Text(lines=(opening_span(item),)))
    section = _mention_section(bullets.headings, item.text)
    return _service_tag(source, section, bullets.headings, tag, direction=_direction(bullets.lead, tag))


def _direction(sentence: str, tag: str) -> Direction:
    return Direction.OUTBOUND if goes_to_service_tag(sentence, tag) else Direction.INBOUND


def _host_bullet(source: Source, bullets: BulletList, item: Text) -> EndpointSet:
    """``- `*.powerautomate.com` (flow service)`` below a sentence that asks to allow it (sources.md D1.38)."""
    opening = opening_names(item)
    purpose = opening.rest.strip(" ,-–—:.")
    return _hosts(
        source,
        bullets.headings,
        read_names(Text(lines=opening.names)),
        protocols=_HTTP.findall(bullets.lead),
        purpose=_IN_PARENTHESES.sub(r"\1", purpose),
        clouds=row_clouds(purpose, "", bullets.headings, source.cloud),
    )
