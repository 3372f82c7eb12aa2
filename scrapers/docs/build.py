"""The three kinds of records of a docs page: host names, addresses and service tags.

In: where it stood (`Spot`), its section and its members. Out: the record, its id made of role, clouds and
content; a region's of its code, so that "Asia" renamed "Asia Pacific" is one record (sources.md D3).
Called by the row readers and the readers of prose.
"""

from __future__ import annotations

from collections.abc import Iterable

from schema.endpoint_set import Attributes, EndpointSet, endpoint_set
from schema.words import Cloud, Direction
from scrapers.docs.cells import Names
from scrapers.docs.clouds import heading_clouds
from scrapers.docs.records import cloud_slug, slug
from scrapers.docs.rules import Spot
from scrapers.docs.sections import Section


def hosts(
    spot: Spot,
    section: Section,
    names: Names,
    *,
    clouds: tuple[Cloud, ...],
    protocols: Iterable[str] = (),
    purpose: str | None = None,
    title: str | None = None,
    service: str | None = None,
    region: str | None = None,
    required: bool | None = None,
    attributes: Attributes | None = None,
) -> EndpointSet:
    """Users and machines in the customer's network connect to host names."""
    first = names.fqdns[0] if names.fqdns else slug(names.patterns[0])  # a pattern's marks cannot stand in an id
    return endpoint_set(
        spot.source.name,
        f"{section.role}:{cloud_slug(clouds)}:{first}",
        service=service or section.service or spot.rules.service,
        title=title or section.title,
        category=section.role,
        clouds=clouds,
        region=region,
        direction=Direction.OUTBOUND,
        fqdns=names.fqdns,
        patterns=names.patterns,
        protocols=(*protocols, *names.protocols),
        required=required,
        purpose=purpose,
        attributes=attributes,
        heading=spot.headings,
    )


def addresses(
    spot: Spot,
    section: Section,
    prefixes: Iterable[str],
    *,
    clouds: tuple[Cloud, ...],
    direction: Direction,
    region: str | None = None,
    title: str | None = None,
    purpose: str | None = None,
) -> EndpointSet:
    """The addresses of a region (``title`` is its name), or those of a list."""
    return endpoint_set(
        spot.source.name,
        f"{section.role}:{slug(region) if region else cloud_slug(clouds)}",
        service=section.service or spot.rules.service,
        title=title or section.title,
        category=section.role,
        clouds=clouds,
        region=region,
        direction=direction,
        prefixes=prefixes,
        purpose=purpose,
        heading=spot.headings,
    )


def service_tags(
    spot: Spot,
    section: Section,
    tags: tuple[str, ...],
    *,
    clouds: tuple[Cloud, ...] = (),
    direction: Direction | None = None,
    region: str | None = None,
    title: str | None = None,
    required: bool | None = None,
    purpose: str | None = None,
) -> EndpointSet:
    """Traffic from a service tag comes in for the customer unless ``direction`` or the section says otherwise."""
    return endpoint_set(
        spot.source.name,
        f"{section.role}:{slug(region) if region else tags[0]}",
        service=section.service or spot.rules.service,
        title=title or section.title,
        category=section.role,
        clouds=clouds or section.clouds or heading_clouds(spot.headings) or (spot.source.cloud,),
        region=region,
        direction=direction or section.direction or Direction.INBOUND,
        service_tags=tags,
        required=required,
        purpose=purpose,
        heading=spot.headings,
    )
