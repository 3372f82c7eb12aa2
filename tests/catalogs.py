"""Snapshots out of records that a test makes itself: tags of any cloud, rows of any page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from catalog_service.catalog.snapshot import Snapshot, SourceContent
from schema.change import Summary
from schema.endpoint_set import EndpointSet, content_digest, endpoint_set
from schema.regions import known_region
from schema.version import Version, count
from schema.words import Cloud, Direction

PUBLIC_TAGS, GOV_TAGS, CHINA_TAGS = (f"azure-service-tags-{name}" for name in ("public", "usgov", "china"))
SEED = "power-automate-ip-address-configuration"
CONNECTORS = "managed-connectors-outbound-ip-addresses"
LOGIC_APPS = "logic-apps-limits-and-configuration"
WORLDWIDE = "microsoft-365-worldwide"
START = datetime(2026, 11, 2, 6, tzinfo=UTC)


def tag(name: str, *prefixes: str, source: str = PUBLIC_TAGS) -> EndpointSet:
    """Return a service tag, of the region that its suffix names."""
    service, _, suffix = name.partition(".")
    region = known_region(suffix)
    cloud = Cloud(source.rpartition("-")[2])
    return endpoint_set(
        source,
        name,
        service=service,
        title=name,
        cloud=cloud,
        region=region.code if region else None,
        prefixes=prefixes,
    )


def row(source: str, key: str, **fields: object) -> EndpointSet:
    """Return a row of a page: the public cloud's, into the customer's network, unless told otherwise."""
    defaults: dict[str, object] = {
        "service": "Power Automate",
        "title": key,
        "clouds": (Cloud.PUBLIC,),
        "direction": Direction.INBOUND,
    }
    return endpoint_set(source, key, **{**defaults, **fields})  # type: ignore[arg-type]


def snapshot_of(records: Iterable[EndpointSet]) -> Snapshot:
    """Return a snapshot whose sources hold ``records``; the sources' versions are 1, 2, 3 ... in their order."""
    by_source: dict[str, list[EndpointSet]] = {}
    for one in records:
        by_source.setdefault(one.source, []).append(one)
    contents = tuple(_content(number, source, kept) for number, (source, kept) in enumerate(by_source.items(), start=1))
    return Snapshot(len(contents), contents)


def _content(number: int, source: str, records: list[EndpointSet]) -> SourceContent:
    kept = tuple(sorted(records, key=lambda one: one.id))
    url, digest = f"https://{source}.example/", content_digest(kept)
    version = Version(number, source, START, START, digest, count(kept), Summary(), url, f"sha256:{number:02}")
    return SourceContent(version, kept)
