"""Records outside tables: bullets of host names, addresses and service tags, SPF strings, tags that sentences name.

Conservative as `mentions` and `tag_mentions`, which find them. Called by `parse` for every list and paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from schema.endpoint_set import EndpointSet
from schema.words import Kind
from scrapers.docs.build import addresses, hosts, service_tags
from scrapers.docs.cells import read_names, read_prefixes, read_service_tags, refuse_struck
from scrapers.docs.clouds import lead_clouds, row_clouds
from scrapers.docs.mentions import lists_addresses, lists_host_names, opening_names, spf_addresses
from scrapers.docs.page import BulletList, Paragraph, Text
from scrapers.docs.refusals import Found, place, refuse_withdrawn
from scrapers.docs.rules import TAGS_IN_GENERAL, Spot
from scrapers.docs.sections import Section, nearest_known, section_of
from scrapers.docs.tag_mentions import lists_service_tags, mentioned_tags, opening_tag, tag_directions

_HTTP = re.compile(r"\bhttps?\b", re.IGNORECASE)
_IN_PARENTHESES = re.compile(r"^\(([^()]*)\)$")


def bullet_records(spot: Spot, bullets: BulletList) -> Iterator[Found]:
    """Yield the records of a list, or the reasons why it cannot be read."""
    reader = _bullet_reader(spot, bullets)
    if lists_addresses(bullets):
        yield from _listed_addresses(spot, bullets)
        return
    for item in bullets.items:
        if reader is None:
            yield from _mentioned_tags(spot, item)
            continue
        try:
            refuse_struck(item)
            refuse_withdrawn(opening_names(item).rest)
            yield from reader(spot, bullets, item)
        except ValueError as error:
            yield f"{place(bullets.headings)}: bullet {item.text[:120]!r}: {error}"


def paragraph_records(spot: Spot, paragraph: Paragraph) -> Iterator[Found]:
    """Yield the service tags that a paragraph names, and the addresses of an SPF string."""
    yield from _mentioned_tags(spot, paragraph.text)
    try:
        found = spf_addresses(paragraph.text)
        if found:
            yield _prose_addresses(spot, found, "")
    except ValueError as error:
        yield f"{place(spot.headings)}: {error}"


BulletReader = Callable[[Spot, BulletList, Text], tuple[EndpointSet, ...]]


def _bullet_reader(spot: Spot, bullets: BulletList) -> BulletReader | None:
    section = nearest_known(spot.rules.sections, spot.headings, Kind.FQDN)
    if lists_service_tags(bullets):
        return _service_tag_bullet
    if lists_host_names(bullets) or (section and section.lists_hosts):
        return _host_bullet
    return None


def _service_tag_bullet(spot: Spot, bullets: BulletList, item: Text) -> tuple[EndpointSet, ...]:
    """``- `AzureConnectors` -- Managed connector outbound IPs`` below a sentence about service tags."""
    (tag,) = read_service_tags(Text(lines=(opening_tag(item),)))
    return _tag_records(spot, _mention_section(spot, item.text, tag), tag, bullets.lead)


def _host_bullet(spot: Spot, bullets: BulletList, item: Text) -> tuple[EndpointSet, ...]:
    """``- `*.powerautomate.com` (flow service)`` below a sentence that asks to allow it (sources.md D1.38)."""
    opening = opening_names(item)
    purpose = opening.rest.strip(" ,-–—:.")
    section = section_of(spot.rules.sections, spot.headings, Kind.FQDN)
    record = hosts(
        spot,
        section,
        read_names(Text(lines=opening.names), dotted=spot.rules.dotted),
        clouds=section.clouds or row_clouds(purpose, "", spot.headings, spot.source.cloud),
        protocols=_HTTP.findall(bullets.lead),
        purpose=_IN_PARENTHESES.sub(r"\1", purpose),
    )
    return (record,)


def _mentioned_tags(spot: Spot, text: Text) -> Iterator[Found]:
    for mention in () if text.strikes else mentioned_tags(text):
        section = _mention_section(spot, mention.sentence, mention.tag)
        yield from _tag_records(spot, section, mention.tag, mention.sentence)


def _tag_records(spot: Spot, section: Section, tag: str, sentence: str) -> tuple[EndpointSet, ...]:
    """One record, or one a direction where ``sentence`` says "to and from"."""
    directions = tag_directions(sentence, tag)
    return tuple(service_tags(spot, section, (tag,), direction=direction) for direction in directions)


def _mention_section(spot: Spot, sentence: str, tag: str) -> Section:
    """Prose stands in sections of many names (intro, FAQ): only the tag, a known heading or the sentence places it."""
    own = dict(spot.rules.tag_sections).get(tag.partition(".")[0])
    placed = nearest_known(spot.rules.sections, spot.headings, Kind.SERVICE_TAG)
    told = (each for each in spot.rules.sections if each.sentence and re.search(each.sentence, sentence, re.IGNORECASE))
    return own or placed or next(told, TAGS_IN_GENERAL)


def _listed_addresses(spot: Spot, bullets: BulletList) -> Iterator[Found]:
    try:
        for item in bullets.items:
            refuse_struck(item)
        prefixes = (prefix for item in bullets.items for prefix in read_prefixes(item))
        yield _prose_addresses(spot, tuple(prefixes), bullets.lead)
    except ValueError as error:
        yield f"{place(bullets.headings)}: a list of addresses: {error}"


def _prose_addresses(spot: Spot, prefixes: tuple[str, ...], lead: str) -> EndpointSet:
    """All addresses of a list are one record (sources.md D1.31)."""
    section = section_of(spot.rules.sections, spot.headings, Kind.PREFIX)
    if not spot.rules.prose_addresses:
        raise ValueError(f"addresses outside tables ({', '.join(prefixes[:3])} ...), and no rule for them")
    if section.direction is None:
        raise ValueError(f"nothing says in which direction traffic goes in the section {section.title!r}")
    clouds = section.clouds or lead_clouds(lead, spot.headings, spot.source.cloud)
    return addresses(spot, section, prefixes, clouds=clouds, direction=section.direction)
