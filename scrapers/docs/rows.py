"""Rows of endpoint tables become records, by what the table's columns are.

    | Domains | Protocols | Uses |             a row of names, outbound
    | URI | Power Platform Region | Is preview |  the same, of a region
    | Region | Outbound IP |                   a region's addresses, a record for each column of addresses
    | Geo (multi-tenant region) | Service tags |  a region's service tags, one record
    | Service tag | Required? |                a record for each tag

Called by `parse`; a page with other tables brings readers of its own (`PageRules.row_readers`).
"""

from __future__ import annotations

from msgspec import UNSET

from schema.endpoint_set import Attributes, EndpointSet
from schema.regions import region_code
from schema.words import Cloud, Direction, Kind
from scrapers.docs.build import addresses, hosts, service_tags
from scrapers.docs.cells import read_names, read_prefixes, read_protocols, read_service_tags
from scrapers.docs.clouds import region_clouds, row_clouds
from scrapers.docs.page import Row
from scrapers.docs.rules import RowReader, Spot, column_section
from scrapers.docs.sections import Section, section_of
from scrapers.docs.tables import ADDRESSES, Column, Columns

_DIRECTIONS = {Column.OUTBOUND_IPS: Direction.INBOUND, Column.INBOUND_IPS: Direction.OUTBOUND}
_YES_OR_NO = {"yes": True, "no": False, "": None}


def row_reader(spot: Spot, columns: Columns) -> RowReader:
    """Return what reads the rows of a table with ``columns``.

    Raises:
        ValueError: nothing reads such a table.
    """
    telling = columns.telling
    own = dict(spot.rules.row_readers).get(telling)
    if own:
        return own
    bare = telling - {Column.REGION}
    if bare == {Column.DOMAINS}:
        return _domains_row
    if bare == {Column.SERVICE_TAG}:
        return _service_tag_row if bare == telling else _region_tags_row
    if bare.issubset(ADDRESSES) and bare != telling:
        return _addresses_row
    raise ValueError(f"nothing reads a table of {', '.join(role for role in columns.roles if role)}")


def _domains_row(spot: Spot, columns: Columns, row: Row) -> tuple[EndpointSet, ...]:
    names = read_names(columns.cell(row, Column.DOMAINS), dotted=spot.rules.dotted)
    protocols = read_protocols(columns.cell(row, Column.PROTOCOLS))
    if Column.PROTOCOLS in columns and not (protocols or names.protocols):
        raise ValueError("there is no protocol")
    endpoint_type, when = (columns.cell(row, column).text for column in (Column.ENDPOINT_TYPE, Column.WHEN))
    section = section_of(spot.rules.sections, spot.headings, Kind.FQDN)
    region = _region(columns, row)
    record = hosts(
        spot,
        section,
        names,
        clouds=_clouds(spot, section, columns, row),
        protocols=protocols,
        purpose=columns.cell(row, Column.USES).text
        or ("Preview" if _yes_or_no(columns, row, Column.PREVIEW) else None),
        title=f"{section.title}, {region}" if region else None,
        service=columns.cell(row, Column.SERVICE).text or None,
        region=_code(region),
        required=_yes_or_no(columns, row, Column.REQUIRED),
        attributes=Attributes(endpoint_type=endpoint_type or UNSET, when=when or UNSET),
    )
    return (record,)


def _addresses_row(spot: Spot, columns: Columns, row: Row) -> tuple[EndpointSet, ...]:
    """One record for each column of addresses; each column may be a section of its own."""
    region = _region(columns, row)
    found = []
    for column in (column for column in columns.roles if column in ADDRESSES):
        section = column_section(spot, column)
        record = addresses(
            spot,
            section,
            read_prefixes(columns.cell(row, column)),
            clouds=_clouds(spot, section, columns, row),
            direction=_direction(column, section),
            region=_code(region),
            title=region,
            purpose=columns.cell(row, Column.USES).text,
        )
        found.append(record)
    return tuple(found)


def _direction(column: Column, section: Section) -> Direction:
    """What a service calls out from comes in for the customer, and the reverse; other columns: their section."""
    if column in _DIRECTIONS:
        return _DIRECTIONS[column]
    if section.direction is None:
        raise ValueError(f"nothing says in which direction traffic goes in the section {section.title!r}")
    return section.direction


def _service_tag_row(spot: Spot, columns: Columns, row: Row) -> tuple[EndpointSet, ...]:
    section = section_of(spot.rules.sections, spot.headings, Kind.SERVICE_TAG)
    clouds = _clouds(spot, section, columns, row)
    required, purpose = _yes_or_no(columns, row, Column.REQUIRED), columns.cell(row, Column.USES).text
    tags = read_service_tags(columns.cell(row, Column.SERVICE_TAG))
    return tuple(service_tags(spot, section, (tag,), clouds=clouds, required=required, purpose=purpose) for tag in tags)


def _region_tags_row(spot: Spot, columns: Columns, row: Row) -> tuple[EndpointSet, ...]:
    section = section_of(spot.rules.sections, spot.headings, Kind.SERVICE_TAG)
    region = _region(columns, row)
    record = service_tags(
        spot,
        section,
        read_service_tags(columns.cell(row, Column.SERVICE_TAG)),
        clouds=_clouds(spot, section, columns, row),
        region=_code(region),
        title=region,
        required=_yes_or_no(columns, row, Column.REQUIRED),
        purpose=columns.cell(row, Column.USES).text,
    )
    return (record,)


def _clouds(spot: Spot, section: Section, columns: Columns, row: Row) -> tuple[Cloud, ...]:
    """What the section states, else the words of the row: its region's name, or its uses and endpoint type."""
    if section.clouds:
        return section.clouds
    uses, endpoint_type = (columns.cell(row, column).text for column in (Column.USES, Column.ENDPOINT_TYPE))
    if Column.REGION in columns and not (uses or endpoint_type):
        return region_clouds(_region(columns, row), spot.headings, spot.source.cloud)
    return row_clouds(uses, endpoint_type, spot.headings, spot.source.cloud)


def _region(columns: Columns, row: Row) -> str:
    """Return the region's name as written, "" where the table has no column of regions."""
    region = columns.cell(row, Column.REGION).text
    if not region and Column.REGION in columns:
        raise ValueError("there is no region")
    return region


def _code(region: str) -> str | None:
    return region_code(region) or None


def _yes_or_no(columns: Columns, row: Row, column: Column) -> bool | None:
    """Return what a cell of "yes" or "no" says; None where it or the column is empty or missing."""
    said = columns.cell(row, column).text
    if said.lower() not in _YES_OR_NO:
        state = "required" if column is Column.REQUIRED else f"a {column}"
        raise ValueError(f"{said!r} does not say whether the row is {state}")
    return _YES_OR_NO[said.lower()]
