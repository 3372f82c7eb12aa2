"""The record: one published group of destinations with the same attributes.

A service tag, a Microsoft 365 endpoint set, a row of a docs table and a region's row of addresses
all become an `EndpointSet`. Scrapers build them with `endpoint_set()`, which refuses what is not
canonical; everything above only reads them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec
from msgspec import UNSET, Struct, UnsetType

from schema.fqdn import canonical_fqdns, canonical_patterns
from schema.ports import canonical_ports
from schema.prefix import canonical_prefixes
from schema.words import Cloud, Direction, Kind, ordered


class Attributes(Struct, frozen=True, omit_defaults=True, gc=False):
    """What an upstream says beyond the common fields, in its own words. Absent when it does not say."""

    change_number: int | UnsetType = UNSET
    """Azure's counter of this tag. It restarts at 1 when a tag returns (sources.md T2): never an identity."""
    region_id: int | UnsetType = UNSET
    platform: str | UnsetType = UNSET
    system_service: str | UnsetType = UNSET
    network_features: tuple[str, ...] | UnsetType | None = UNSET
    """Sorted set; absent, null and [] are three different things upstream says (sources.md T1)."""
    express_route: bool | UnsetType = UNSET
    service_area: str | UnsetType = UNSET
    service_area_display_name: str | UnsetType = UNSET
    endpoint_type: str | UnsetType = UNSET
    """The words of a docs table's "Endpoint type" column, verbatim."""
    when: str | UnsetType = UNSET
    """The words of a docs table's "When" column, verbatim."""
    upstream_region: str | UnsetType = UNSET
    """How upstream spells the record's region, empty for none; absent where that is the region's code itself."""
    gateway_regions: tuple[str, ...] | UnsetType = UNSET
    """Azure regions of on-premises gateways that a geography's environments can use: sorted codes."""


class EndpointSet(Struct, frozen=True, omit_defaults=True, gc=False):
    """One record. Equal content means equal fields except ``heading``, which only says where it stood.

    ``cloud`` is the one cloud a record is published for; ``clouds`` lists every cloud it applies to where
    that is more than one. A row published for several has no ``cloud`` (docs/adr/0001).
    """

    id: str
    """``source:key``; made from content, never from position."""
    source: str
    service: str
    title: str
    cloud: Cloud | None = None
    clouds: tuple[Cloud, ...] = ()
    """Two or more, in the order of `Cloud`; empty when ``cloud`` says it all."""
    region: str | None = None
    """`schema.regions.region_code` of the upstream's words; None: not regional."""
    direction: Direction | None = None
    prefixes: tuple[str, ...] = ()
    """Canonical CIDR, v4 then v6, numerically sorted, unique."""
    fqdns: tuple[str, ...] = ()
    """Lower case, ``*`` allowed, sorted, unique."""
    tcp_ports: tuple[str, ...] = ()
    """``"443"`` or ``"3478-3481"``, numerically sorted, unique."""
    udp_ports: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    """Lower case, sorted, unique."""
    category: str | None = None
    required: bool | None = None
    service_tags: tuple[str, ...] = ()
    """Names of Azure service tags this record refers to, sorted, unique."""
    purpose: str | None = None
    attributes: Attributes | None = None
    """None when upstream says nothing beyond the common fields."""
    heading: tuple[str, ...] = ()
    """Heading path of the table or list in its document; not compared, not digested."""
    patterns: tuple[str, ...] = ()
    """Names with holes and non-names that stand among the host names (``<tenant>.sharepoint.com``, ``localhost``),
    verbatim, sorted, unique; typed by `schema.fqdn.pattern_type`. No allowlist holds them."""

    @property
    def all_clouds(self) -> tuple[Cloud, ...]:
        """Every cloud this record speaks for, in one tuple."""
        return self.clouds or ((self.cloud,) if self.cloud else ())

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What this record holds."""
        held = ((Kind.PREFIX, self.prefixes), (Kind.FQDN, self.fqdns), (Kind.SERVICE_TAG, self.service_tags))
        return tuple(kind for kind, members in held if members)


def endpoint_set(
    source: str,
    key: str,
    *,
    service: str,
    title: str,
    cloud: Cloud | None = None,
    clouds: Iterable[Cloud] = (),
    region: str | None = None,
    direction: Direction | None = None,
    prefixes: Iterable[str] = (),
    fqdns: Iterable[str] = (),
    patterns: Iterable[str] = (),
    tcp_ports: Iterable[str] = (),
    udp_ports: Iterable[str] = (),
    protocols: Iterable[str] = (),
    category: str | None = None,
    required: bool | None = None,
    service_tags: Iterable[str] = (),
    purpose: str | None = None,
    attributes: Attributes | None = None,
    heading: tuple[str, ...] = (),
) -> EndpointSet:
    """Return the record ``source:key`` with every member in canonical form and order.

    ``clouds`` are all it applies to; ``cloud`` is the one it is published for, if that is not the only one.

    Raises:
        ValueError: a member is not canonical, or ``key`` is empty or holds white space, ``/``, ``?`` or ``#``.
    """
    if not key or any(character.isspace() or character in "/?#%" for character in key):
        raise ValueError(f"{key!r} cannot be part of an id")
    several = ordered((*clouds, *((cloud,) if cloud else ())))
    return EndpointSet(
        id=f"{source}:{key}",
        source=source,
        service=service,
        title=title,
        cloud=cloud or (several[0] if len(several) == 1 else None),
        clouds=several if len(several) > 1 else (),
        region=region or None,
        direction=direction,
        prefixes=canonical_prefixes(prefixes),
        fqdns=canonical_fqdns(fqdns),
        tcp_ports=canonical_ports(tcp_ports),
        udp_ports=canonical_ports(udp_ports),
        protocols=tuple(sorted({protocol.strip().lower() for protocol in protocols} - {""})),
        category=category or None,
        required=required,
        service_tags=tuple(sorted(set(service_tags))),
        purpose=purpose or None,
        attributes=attributes if attributes != Attributes() else None,
        heading=heading,
        patterns=canonical_patterns(patterns),
    )


_CANONICAL = msgspec.msgpack.Encoder()


def content_digest(endpoint_sets: Iterable[EndpointSet]) -> str:
    """Return ``sha256:<hex>`` over the canonical encoding of records sorted by id, headings left out.

    Equal content has an equal digest on every machine and release: this, not an upstream number or
    file name, is the identity of a source's content (sources.md T2).
    """
    digest = hashlib.sha256()
    for record in sorted(endpoint_sets, key=lambda record: record.id):
        bare = msgspec.structs.replace(record, heading=()) if record.heading else record
        digest.update(_CANONICAL.encode(bare))
    return f"sha256:{digest.hexdigest()}"
