"""The page "Power Automate US Government": service URLs by cloud, domains to allow, tags of Azure Government.

    Commercial version | US Government version
    https://flow.microsoft.com | https://gov.flow.microsoft.us (GCC), https://high.flow.microsoft.us (GCC High)
        -> service-urls:public:flow.microsoft.com, service-urls:usgov:gov.flow.microsoft.us, ... a record a URL
    ### GCC High Customers:
    * . azure.net                        -> domains:usgov-gcchigh+usgov-dod:*.azure.net, it and all below it
    * *.crm.appsplatform.us (DoD)        -> domains:usgov-dod:*.crm.appsplatform.us: the remark goes before the heading
    Refer to the IP ranges for AzureCloud.usgovtexas ...    -> dataverse:usgov-gcchigh:AzureCloud.usgovtexas

Paths are left out: rows of one host are one record. `sources.py` lists the source.
"""

from __future__ import annotations

import re

from schema.endpoint_set import EndpointSet, endpoint_set
from schema.regions import REGIONS, known_region
from schema.words import US_GOVERNMENT, Cloud, Direction, ordered
from scrapers.docs.build import hosts
from scrapers.docs.cells import items, read_names, refuse_struck
from scrapers.docs.cloud_words import read_cloud_words
from scrapers.docs.clouds import heading_clouds, is_cloud_heading
from scrapers.docs.mentions import first_word, is_evident_host
from scrapers.docs.page import BulletList, Paragraph, Row, Text
from scrapers.docs.records import cloud_slug
from scrapers.docs.rules import PageRules, Spot
from scrapers.docs.sections import Section, nearest_known
from scrapers.docs.tables import Column, Columns

# Service URLs; until 2019 a question: "What URLs do I use to access Microsoft Flow US Government?".
_SERVICE_URLS = Section("service-urls", "Service URLs", r"\bservice urls\b|\burls?\b")
_DOMAINS = Section("domains", "Domains to allow", r"^gcc(?: high)? customers\b|^dod customers\b", lists_hosts=True)
_DATAVERSE = Section("dataverse", "Dataverse and Azure services", r"^$", service="Dataverse")
_CONNECTIVITY = Section(
    "connectivity", "Access to the service URLs", r"\bpublic azure cloud services\b", clouds=US_GOVERNMENT
)

_NAME_AND_CLOUD = re.compile(r"(?P<name>[^()]*[^()\s])\s*(?:\((?P<remark>[^()]+)\))?")
_REMARK = re.compile(r"\(([^()]+)\)")
_AZURE_GOVERNMENT = frozenset(region.code for region in REGIONS if Cloud.USGOV in region.clouds)
_TAG = re.compile(r"\bAzureCloud\.\w+")
_REPEATED = re.compile(r"\bas noted previously\b", re.IGNORECASE)
_FOCUS = re.compile(r"^(?P<clouds>[^:]+):\s*focus(?:ing)? (?:attention )?on\s+(?P<regions>.+?)\.?$", re.IGNORECASE)


def _urls_row(spot: Spot, columns: Columns, row: Row) -> tuple[EndpointSet, ...]:
    """A record for each URL: commercial ones are for the public cloud, the others say for which."""
    commercial = _urls(spot, columns.cell(row, Column.COMMERCIAL_URLS), (Cloud.PUBLIC,))
    return (*commercial, *_urls(spot, columns.cell(row, Column.GOVERNMENT_URLS), US_GOVERNMENT))


def _urls(spot: Spot, cell: Text, clouds: tuple[Cloud, ...]) -> tuple[EndpointSet, ...]:
    found = [_named(spot, _SERVICE_URLS, item, clouds) for item in items(cell)]
    if not found:
        raise ValueError("there is no URL")
    return tuple(found)


def _named(spot: Spot, section: Section, text: str, clouds: tuple[Cloud, ...]) -> EndpointSet:
    """``https://gov.flow.microsoft.us (GCC)``, ``.crm.microsoftdynamics.us(GCC High)``, ``. microsoft.com``."""
    found = _NAME_AND_CLOUD.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a name and its cloud")
    if found["remark"]:
        clouds = read_cloud_words(found["remark"]).clouds
    if not clouds:
        raise ValueError(f"{text!r} names no known cloud")
    names = read_names(Text(lines=(found["name"],)), dotted=spot.rules.dotted)
    return hosts(spot, section, names, clouds=clouds)


def _domains(spot: Spot, block: BulletList | Paragraph) -> tuple[EndpointSet, ...] | None:
    """Read a list of domains: every bullet is one, for the cloud it says, else for every cloud of the list.

    Those are the heading's and those its bullets say: "GCC High Customers" also has ``*.crm.appsplatform.us (DoD)``
    since there is a DoD, and sign-in hosts that say nothing.
    """
    if not isinstance(block, BulletList) or any(map(_focus, block.items)) or not _is_of_domains(block):
        return None
    for item in block.items:
        refuse_struck(item)
    remarks = (remark for item in block.items for remark in _REMARK.findall(item.text))
    said = {cloud for remark in remarks for cloud in read_cloud_words(remark).clouds}
    clouds = ordered({*heading_clouds(spot.headings), *said})
    return tuple(_named(spot, _DOMAINS, item.text, clouds) for item in block.items)


def _is_of_domains(block: BulletList) -> bool:
    """Below "GCC Customers:" every list is; below another heading that is a cloud's name alone, one of names."""
    if nearest_known((_DOMAINS,), block.headings):
        return True
    return bool(block.headings) and is_cloud_heading(block.headings[-1]) and any(map(_opens_with_name, block.items))


def _opens_with_name(item: Text) -> bool:
    return is_evident_host(first_word(item.text))


def _focused(spot: Spot, block: BulletList | Paragraph) -> tuple[EndpointSet, ...] | None:
    """``- DoD: Focus on USDoD East and USDoD Central.``: regions or tags, for the clouds before the colon."""
    found = list(map(_focus, block.items)) if isinstance(block, BulletList) else []
    if not any(found):
        return None
    records: list[EndpointSet] = []
    for focus, item in zip(found, block.items if isinstance(block, BulletList) else (), strict=True):
        clouds = read_cloud_words(focus["clouds"]).clouds if focus else ()
        if not focus or not clouds:
            raise ValueError(f"bullet {item.text!r} does not say which regions are for which cloud")
        tags = map(_tag_of, items(Text(lines=(focus["regions"],))))
        records += (_service_tag(spot, _DATAVERSE, tag, clouds) for tag in tags)
    return tuple(records)


def _mentioned(spot: Spot, block: BulletList | Paragraph) -> tuple[EndpointSet, ...] | None:
    """Read the tags of AzureCloud that a paragraph names, unless it repeats what the page said before."""
    if not isinstance(block, Paragraph):
        return None
    if _REPEATED.search(block.text.text):
        return ()
    tags = tuple(dict.fromkeys(_TAG.findall(block.text.text)))
    if not tags:
        return None
    section = nearest_known((_CONNECTIVITY,), spot.headings) or _DATAVERSE
    clouds = section.clouds or heading_clouds(spot.headings) or US_GOVERNMENT
    return tuple(_service_tag(spot, section, tag, clouds) for tag in tags)


def _focus(item: Text) -> re.Match[str] | None:
    return _FOCUS.search(item.text)


def _tag_of(item: str) -> str:
    """Return ``AzureCloud.usgovtexas`` as it is, and ``USDoD East`` as the tag of that region."""
    region = known_region(item.removeprefix("AzureCloud."))
    if region is None or region.code not in _AZURE_GOVERNMENT:
        raise ValueError(f"{item!r} is not a region of Azure Government")
    return f"AzureCloud.{region.code}"


def _service_tag(spot: Spot, section: Section, tag: str, clouds: tuple[Cloud, ...]) -> EndpointSet:
    """Customers' machines reach Dataverse and the service URLs at a tag's addresses.

    The sentence is not kept as the purpose: it is polished every few months, and the tags stay.
    """
    return endpoint_set(
        spot.source.name,
        f"{section.role}:{cloud_slug(clouds)}:{tag}",
        service=section.service or spot.rules.service,
        title=section.title,
        category=section.role,
        clouds=clouds,
        direction=Direction.OUTBOUND,
        service_tags=(tag,),
        heading=spot.headings,
    )


RULES = PageRules(
    service="Power Automate",
    sections=(_DOMAINS, _CONNECTIVITY, _SERVICE_URLS),
    dotted=True,
    row_readers=((frozenset({Column.COMMERCIAL_URLS, Column.GOVERNMENT_URLS}), _urls_row),),
    prose_readers=(_domains, _focused, _mentioned),
)
