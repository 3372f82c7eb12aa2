"""References to service tags, as the prefixes of those tags: of the same cloud, in the same snapshot.

    power-automate-...:http-actions:LogicApps names the tag LogicApps
        -> the same record with the prefixes of azure-service-tags-public:LogicApps, and a `Via` that says so
    managed-connectors-...:europe names AzureConnectors in the geography Europe
        -> the prefixes of AzureConnectors.NorthEurope and AzureConnectors.WestEurope

Never narrower than upstream says: regional tags stand for a tag only where the record has a region (or the
question asks for one), and only where every Azure region of it has its own; else the whole tag does. What
cannot be resolved is listed, never dropped. Called by `view` and `conflicts`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from catalog_service.catalog.snapshot import Snapshot
from schema.endpoint_set import EndpointSet
from schema.prefix import canonical_prefixes
from schema.regions import Geography, known_region, region_code
from schema.words import Cloud

AZURE_CLOUDS = {
    Cloud.PUBLIC: Cloud.PUBLIC,
    Cloud.USGOV: Cloud.USGOV,
    Cloud.USGOV_GCCHIGH: Cloud.USGOV,
    Cloud.USGOV_DOD: Cloud.USGOV,
    Cloud.CHINA: Cloud.CHINA,
    Cloud.GERMANY: Cloud.GERMANY,
}
"""The Azure cloud that a cloud's services run in, whose service tags its references mean.

| cloud          | Azure cloud                 | said by                                                            |
| public         | Azure                       | the Power Automate page links the public file alone                |
| usgov (GCC)    | Azure Government            | "Power Automate US Government and Azure Services": all three are   |
| usgov-gcchigh  | Azure Government            | deployed to Azure Government. GCC shares the public directory,     |
| usgov-dod      | Azure Government            | not the public Azure, and is sent to the US Government download    |
| china          | Azure operated by 21Vianet  | Power Platform URLs: one download a cloud                          |
| germany        | Azure Germany, until 2021   | the same; an archive alone                                         |
"""

RegionCodes = frozenset[str]
"""Codes of Azure regions; empty: everywhere."""


class Via(Struct, frozen=True):
    """The tag that prefixes came from: a record of its own, with its version and document."""

    tag: str
    id: str
    source: str
    version: int
    document: str
    """Digest of the fetched file."""


class Unresolved(Struct, frozen=True, omit_defaults=True):
    """A reference without prefixes: its file has none of such a tag, or is not read yet, or nobody asked for them."""

    by: str
    """Id of the record that refers to it, or ``scenario:`` and the name of the scenario that asks for it."""
    tag: str
    cloud: Cloud
    source: str
    unread: bool = False
    unasked: bool = False
    """``resolve=tags`` was not asked for, and nothing else in the answer holds them."""


class Resolved(Struct, frozen=True):
    """A record without references, but those that could not be resolved."""

    record: EndpointSet
    via: tuple[Via, ...] = ()
    """Sorted by id, unique."""
    unresolved: tuple[Unresolved, ...] = ()


def tag_source(cloud: Cloud) -> str:
    """Return the source of the service tags that ``cloud`` means."""
    return f"azure-service-tags-{AZURE_CLOUDS[cloud].value}"


def resolved(
    snapshot: Snapshot, record: EndpointSet, clouds: tuple[Cloud, ...] = (), regions: RegionCodes = frozenset()
) -> Resolved:
    """Return ``record`` with prefixes in place of its references, of each of its clouds by itself.

    ``clouds``: of these of its clouds alone (none: of all). ``regions``: where the question asks, for a record
    that says no region of its own.
    """
    if not record.service_tags:
        return Resolved(record)
    found: dict[str, EndpointSet] = {}
    failed: list[Unresolved] = []
    for cloud, tag, targets in references(snapshot, record, clouds, regions):
        found.update((target.id, target) for target in targets)
        if not targets:
            failed.append(unresolved(snapshot, record.id, tag, cloud))
    left = {one.tag for one in failed}
    prefixes = (*record.prefixes, *(prefix for target in found.values() for prefix in target.prefixes))
    return Resolved(
        replace(
            record,
            prefixes=canonical_prefixes(prefixes),
            service_tags=tuple(tag for tag in record.service_tags if tag in left),
        ),
        tuple(_via(snapshot, found[id_]) for id_ in sorted(found)),
        tuple(failed),
    )


def references(
    snapshot: Snapshot, record: EndpointSet, clouds: tuple[Cloud, ...] = (), regions: RegionCodes = frozenset()
) -> Iterator[tuple[Cloud, str, tuple[EndpointSet, ...]]]:
    """Yield each reference of ``record``: cloud, tag, and the tag's records, which may be none. As `resolved`."""
    where = azure_regions(record.region) if record.region else regions
    for cloud in record.all_clouds:
        if not clouds or cloud in clouds:
            for tag in record.service_tags:
                yield cloud, tag, tag_records(snapshot, cloud, tag, where)


def unresolved(snapshot: Snapshot, by: str, tag: str, cloud: Cloud) -> Unresolved:
    """Return why ``tag`` of ``cloud`` gives nothing."""
    source = tag_source(cloud)
    return Unresolved(by, tag, cloud, source, unread=source not in snapshot.by_source)


def azure_regions(region: str) -> RegionCodes:
    """Return the Azure regions of ``region``, itself or a geography's; empty where Microsoft documents none."""
    known = known_region(region)
    return frozenset(known.regions) if isinstance(known, Geography) else frozenset({region_code(region)})


def tag_records(snapshot: Snapshot, cloud: Cloud, tag: str, regions: RegionCodes) -> tuple[EndpointSet, ...]:
    """Return the records that ``tag`` means in ``regions`` of ``cloud``, sorted by id; () where none has a prefix.

    tag                         regions                 records
    AzureConnectors             everywhere              AzureConnectors
    AzureConnectors             westeurope              AzureConnectors.WestEurope
    PowerPlatformInfra          eastus, northcentralus  PowerPlatformInfra: there is none for northcentralus
    AzureConnectors.WestEurope  any                     AzureConnectors.WestEurope
    """
    regional = tuple(_regional(snapshot, cloud, tag)) if regions else ()
    inside = tuple(record for record in regional if record.region in regions)
    needed = regions & (_served(snapshot, cloud) or regions)
    if inside and needed <= {record.region for record in inside}:
        return inside
    whole = snapshot.by_id.get(f"{tag_source(cloud)}:{tag}")
    return (whole,) if whole and whole.prefixes else ()


def _regional(snapshot: Snapshot, cloud: Cloud, tag: str) -> Iterator[EndpointSet]:
    """Yield the tags ``tag.<Region>`` with prefixes; a dot does not mean a region (sources.md T4)."""
    content = snapshot.by_source.get(tag_source(cloud))
    if content is None:
        return
    records, start = content.endpoint_sets, f"{tag_source(cloud)}:{tag}."
    for index in range(bisect_left(records, start, key=_id), len(records)):
        record = records[index]
        if not record.id.startswith(start):
            return
        if record.prefixes and record.region and region_code(record.id.removeprefix(start)) == record.region:
            yield record


def _served(snapshot: Snapshot, cloud: Cloud) -> RegionCodes:
    """Return the regions that a cloud's file has at all: AzureCloud has a tag for each."""
    return frozenset(record.region for record in _regional(snapshot, cloud, "AzureCloud") if record.region)


def _via(snapshot: Snapshot, tag: EndpointSet) -> Via:
    version = snapshot.by_source[tag.source].version
    return Via(tag.title, tag.id, tag.source, version.version, version.document)


def _id(record: EndpointSet) -> str:
    return record.id
