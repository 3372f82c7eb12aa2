"""The page "Power Automate regions overview": the geographies an environment can be in, and their gateway regions.

    Power Platform region|Gateway region
    Europe|North Europe, West Europe
        -> region:europe, region europe, gateway_regions northeurope and westeurope, no member
    ## What regions are available?            the form until 2020, beside the table for a while
    * US Government (GCC)                     -> region:gcc, for GCC

It publishes no endpoint, so its records have no members: they change the catalogue and no allowlist. A
geography or a gateway region that the crosswalk does not know is kept as written, and reported
(`catalog_service.catalog.regions`). `sources.py` lists the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import UNSET, UnsetType

from schema.document import Document, Reading
from schema.endpoint_set import Attributes, EndpointSet, endpoint_set
from schema.regions import region_code
from scrapers.docs.cells import items, refuse_struck
from scrapers.docs.clouds import region_clouds
from scrapers.docs.page import BulletList, Headings, Page, Row, Text
from scrapers.docs.reader import read_page, upstream_facts
from scrapers.docs.records import slug
from scrapers.docs.refusals import Found, page_reasons, place, refused_page, row_reason
from scrapers.docs.tables import header_words, is_endpoint_table
from scrapers.source import Source

_ROLE = "region"
_AVAILABLE = re.compile(r"\bregions are available\b", re.IGNORECASE)
_HEADERS = (("power platform region", "gateway region"), ("power automate region", "gateway region"))
_LATER = re.compile(r"\s*\((?P<when>available [^()]*(?:\([^()]*\)[^()]*)?)\)$", re.IGNORECASE)


def parse_regions_overview(source: Source, document: Document) -> Reading:
    """Return one record a geography: those of the list, those of the table, one where it stands in both.

    Raises:
        ParseError: a row or a bullet cannot be read, a table is another one, a geography stands twice, or
            the page names none at all.
    """
    page = read_page(document.body, document.provenance.media_type)
    listed, mapped = tuple(_listed(source, page)), tuple(_mapped(source, page))
    found = (*listed, *mapped)
    reasons = [
        *page_reasons(page, needs_table=False),
        *(one for one in found if isinstance(one, str)),
        *_twice(listed),
        *_twice(mapped),
    ]
    records = {one.id: one for one in found if isinstance(one, EndpointSet)}  # the table says more than the list
    if reasons or not records:
        raise refused_page(source, document, reasons or ["the page names no region"])
    facts = upstream_facts(page)
    return Reading(tuple(records[id_] for id_ in sorted(records)), upstream_version=facts.version, upstream_at=facts.at)


def _listed(source: Source, page: Page) -> Iterator[Found]:
    """Yield the geographies of the list below "What regions are available?"."""
    for block in page.blocks:
        if isinstance(block, BulletList) and block.headings and _AVAILABLE.search(block.headings[-1]):
            for item in block.items:
                try:
                    refuse_struck(item)
                    later = _LATER.search(item.text)
                    name = item.text[: later.start()] if later else item.text
                    yield _record(source, block.headings, name, purpose=later["when"] if later else None)
                except ValueError as error:
                    yield f"{place(block.headings)}: bullet {item.text[:120]!r}: {error}"


def _mapped(source: Source, page: Page) -> Iterator[Found]:
    """Yield the geographies of the table of gateway regions."""
    for table in page.tables:
        words = tuple(header_words(cell) for cell in table.header)
        if words in _HEADERS and not table.merged:
            yield from (_row(source, table.headings, row) for row in table.rows)
        elif "region" in " ".join(words) or is_endpoint_table(table):
            yield f"{place(table.headings)}: the table {' | '.join(words)!r} is not one of gateway regions"


def _row(source: Source, headings: Headings, row: Row) -> Found:
    try:
        for cell in row:
            refuse_struck(cell)
        if len(row) > len(_HEADERS[0]):
            raise ValueError("it has more cells than the table has columns")
        name, gateways = (*row, Text(), Text())[: len(_HEADERS[0])]
        regions = sorted({region_code(item) for item in items(gateways)})
        if not regions:
            raise ValueError("there is no gateway region")
        return _record(source, headings, name.text, gateway_regions=tuple(regions))
    except ValueError as error:
        return row_reason(headings, row, str(error))


def _record(
    source: Source,
    headings: Headings,
    name: str,
    *,
    gateway_regions: tuple[str, ...] | UnsetType = UNSET,
    purpose: str | None = None,
) -> EndpointSet:
    code = region_code(name)
    if not code:
        raise ValueError("there is no region")
    return endpoint_set(
        source.name,
        f"{_ROLE}:{slug(code)}",
        service="Power Automate",
        title=name,
        category=_ROLE,
        clouds=region_clouds(name, headings, source.cloud),
        region=code,
        purpose=purpose,
        attributes=Attributes(gateway_regions=gateway_regions),
        heading=headings,
    )


def _twice(found: tuple[Found, ...]) -> Iterator[str]:
    """Yield geographies that stand in one list under two names: which of them counts, a person must say."""
    titles: dict[str, list[str]] = {}
    for one in found:
        if isinstance(one, EndpointSet):
            titles.setdefault(one.id, []).append(one.title)
    yield from (f"{' and '.join(several)} are one region" for several in titles.values() if len(several) > 1)
