"""Azure service tags: the weekly file that a download-centre page names.

In: the page's address. Out: one record a tag. The file's number, date and name are attributes, never
an identity (sources.md T2): numbers repeat, files are replaced in place, and property edits bump
nothing, so every field is read and nothing is skipped because a number did not move.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from functools import lru_cache

import msgspec
from msgspec import UNSET, Struct, UnsetType

from schema.document import Document, Reading
from schema.endpoint_set import Attributes, EndpointSet
from schema.errors import FetchError
from schema.prefix import canonical_prefixes
from schema.regions import Region, known_region, region_code
from schema.version import SourceState
from schema.words import Cloud
from scrapers.download_center import file_link
from scrapers.json_body import json_bytes, refused, rows
from scrapers.source import Source
from scrapers.upstream import Upstream

STEMS = {
    Cloud.PUBLIC: "Public",
    Cloud.USGOV: "AzureGovernment",
    Cloud.CHINA: "China",
    Cloud.GERMANY: "AzureGermany",
}
"""Upstream's word for a cloud: in the file's name and in its ``cloud``."""

_MIN_BYTES = 1024


async def fetch_service_tags(source: Source, upstream: Upstream, state: SourceState, now: datetime) -> Document | None:
    """Return this week's file, or None when upstream says it is the one that ``state`` knows.

    The page is read every time; the file is asked conditionally only under the address that the
    validators belong to.

    Raises:
        FetchError: the page or the file cannot be read.
        ParseError: the page names no file.
    """
    page = await upstream.get(source.url, accept="text/html")
    if page is None:
        raise FetchError(f"{source.url} answered nothing to an unconditional request", url=source.url)
    link = file_link(page.body, STEMS[source.cloud], page.url)
    known = link.url == state.validated_url
    file = await upstream.get(
        link.url,
        etag=state.etag if known else None,
        last_modified=state.last_modified if known else None,
        accept="application/json",
    )
    named_at = datetime.combine(link.named_on, time(), UTC) if link.named_on else None
    return file.document(now, page_url=page.url, upstream_at=named_at) if file else None


def parse_service_tags(source: Source, document: Document) -> Reading:
    """Return one record a tag, and the file's change number as the upstream version.

    ``{"name": "Storage.WestUS2", "id": "Storage.WestUS2", "properties": {"changeNumber": 7, "region": "westus2",
    "regionId": 40, "platform": "Azure", "systemService": "AzureStorage", "addressPrefixes": ["13.66.176.16/28"],
    "networkFeatures": ["API", "NSG"]}}``
    -> ``EndpointSet(id="azure-service-tags-public:Storage.WestUS2", service="Storage", region="westus2", ...)``

    The region is what the name's suffix says, if that is a region, or else ``properties.region``; upstream's
    own spelling of the latter is kept where it differs (sources.md T4).

    Absent, null and ``[]`` networkFeatures stay three things; an empty addressPrefixes is a tag with
    none (16 files of 2019-20); files before 2020-09 lack regionId and networkFeatures (sources.md T1).

    Raises:
        ParseError: not a whole service-tag file of the source's cloud; every reason is listed.
    """
    url = document.provenance.url
    text = json_bytes(document.body, url=url, min_bytes=_MIN_BYTES)
    try:
        file = _FILE.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise refused(url, _unreadable(text, error)) from error
    reasons = _doubts(source, file)
    records: list[EndpointSet] = []
    for tag in file.values:
        try:
            records.append(_record(source, tag))
        except (ValueError, msgspec.MsgspecError) as error:
            reasons.append(f"tag {tag.name!r}: {error}")
    if reasons:
        raise refused(url, tuple(reasons))
    records.sort(key=lambda record: record.id)
    return Reading(tuple(records), upstream_version=str(file.change_number))


class _Properties(Struct, frozen=True, gc=False, rename="camel"):
    change_number: int
    region: str
    address_prefixes: msgspec.Raw
    region_id: int | UnsetType = UNSET
    platform: str | UnsetType = UNSET
    system_service: str | UnsetType = UNSET
    network_features: list[str] | UnsetType | None = UNSET


class _Tag(Struct, frozen=True, gc=False):
    name: str
    id: str
    properties: _Properties


class _File(Struct, frozen=True, gc=False, rename="camel"):
    change_number: int
    cloud: str
    values: list[_Tag]


class _RawFile(Struct, frozen=True):
    values: list[msgspec.Raw]


_FILE = msgspec.json.Decoder(_File)
_KEY = re.compile(r"[^\s/?#%]+")
_PREFIXES = msgspec.json.Decoder(list[str])


@lru_cache(maxsize=5000)
def _prefixes(listed: bytes) -> tuple[str, ...]:
    """Return a tag's prefixes in canonical form.

    From week to week some 50 of 3,100 tags change (sources.md T3): the others are here, byte for byte. All clouds have
    3,700; what is older than some twenty weeks, a megabyte each, is forgotten.
    """
    return canonical_prefixes(_PREFIXES.decode(listed))


@lru_cache(maxsize=1 << 10)
def _region(suffix: str, said: str) -> tuple[str | None, str | UnsetType]:
    """Return a tag's region and, where it is not that code, how ``properties.region`` spells it.

    | suffix        | properties.region | region        | spelling      |                                       |
    | WestUS2       | westus2           | westus2       |               |                                       |
    | FranceCentral | centralfrance     | francecentral | centralfrance |                                       |
    | EastUS2Stage  | eastus2           | eastus2stage  | eastus2       | a stage, not the region                |
    | EastUS        |                   | eastus        | (empty)       | Storage.EastUS on 20240122, T2         |
    | Frontend      |                   |               |               | a dot does not mean a region           |
    | Nowhere9      | nowhere9          | nowhere9      |               | unknown: reported by `catalog.regions` |
    """
    named = known_region(suffix)
    code = named.code if isinstance(named, Region) else region_code(said)
    return code or None, UNSET if said == code else said


def _record(source: Source, tag: _Tag) -> EndpointSet:
    """Build the record directly: `endpoint_set` would order 100,000 prefixes again that `_prefixes` remembers."""
    properties = tag.properties
    features = properties.network_features
    service, _, suffix = tag.name.partition(".")
    region, upstream_region = _region(suffix, properties.region)
    if not _KEY.fullmatch(tag.name):
        raise ValueError("the name cannot be part of an id")
    return EndpointSet(
        id=f"{source.name}:{tag.name}",
        source=source.name,
        service=service,
        title=tag.name,
        cloud=source.cloud,
        region=region,
        prefixes=_prefixes(bytes(properties.address_prefixes)),
        attributes=Attributes(
            change_number=properties.change_number,
            region_id=properties.region_id,
            platform=properties.platform,
            system_service=properties.system_service,
            network_features=tuple(sorted(set(features))) if isinstance(features, list) else features,
            upstream_region=upstream_region,
        ),
    )


def _doubts(source: Source, file: _File) -> list[str]:
    """Return what is wrong with the file as a whole."""
    doubts = []
    if file.cloud != STEMS[source.cloud]:
        doubts.append(f"the file is for cloud {file.cloud!r}, not {STEMS[source.cloud]!r}")
    if not file.values:
        doubts.append("the file holds no tags")
    seen: set[str] = set()
    for tag in file.values:
        if tag.name != tag.id:  # equal in all 800,000 measured tags
            doubts.append(f"tag {tag.name!r} has the id {tag.id!r}")
        if tag.name in seen:
            doubts.append(f"tag {tag.name!r} is there twice")
        seen.add(tag.name)
    return doubts


def _unreadable(text: bytes, error: Exception) -> tuple[str, ...]:
    """Return every tag that cannot be read, or ``error`` when it is not about tags."""
    try:
        file = msgspec.json.decode(text, type=_RawFile)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return (f"not a service-tag file: {error}",)
    _, reasons = rows(file.values, _Tag, where="values")
    return reasons or (f"not a service-tag file: {error}",)
