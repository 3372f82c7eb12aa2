"""Records as they are published, and pages of them."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from catalog_service.catalog.resolve import Unresolved, Via
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import Entry, Note, Unpublished, Use
from schema.endpoint_set import Attributes, EndpointSet
from schema.fqdn import PatternType, is_mid_wildcard, pattern_type
from schema.words import Cloud, Direction


class RecordProvenance(Struct, frozen=True, omit_defaults=True):
    """Where a record comes from, at the version asked for."""

    url: str
    version: int
    """The version that made its source's content."""
    fetched_at: datetime
    document: str
    """Digest of the fetched bytes."""
    heading: tuple[str, ...] = ()
    upstream_version: str | None = None
    upstream_at: datetime | None = None
    first_seen: int | None = None
    """The first version that listed the record; absent where an older release wrote the data."""
    last_changed: int | None = None
    """The last version that changed it."""


class Pattern(Struct, frozen=True):
    """A name with a hole, or a non-name, that stands among the host names; no allowlist holds it."""

    text: str
    """As upstream writes it."""
    type: PatternType


class Record(Struct, frozen=True, omit_defaults=True):
    """An endpoint set as it is published; fields as in `EndpointSet`."""

    id: str
    source: str
    service: str
    title: str
    provenance: RecordProvenance
    cloud: Cloud | None = None
    clouds: tuple[Cloud, ...] = ()
    region: str | None = None
    direction: Direction | None = None
    prefixes: tuple[str, ...] = ()
    fqdns: tuple[str, ...] = ()
    tcp_ports: tuple[str, ...] = ()
    udp_ports: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    category: str | None = None
    required: bool | None = None
    service_tags: tuple[str, ...] = ()
    purpose: str | None = None
    attributes: Attributes | None = None
    patterns: tuple[Pattern, ...] = ()
    mid_wildcards: tuple[str, ...] = ()
    """Those of ``fqdns`` whose wildcard is not at the beginning: most firewalls cannot express them."""
    scenarios: tuple[Use, ...] = ()
    """Which of the scenarios asked for want it, and in which direction."""
    via: tuple[Via, ...] = ()
    """The service tags that stand behind its prefixes, where references were resolved; sorted by id."""


class RecordPage(Struct, frozen=True, omit_defaults=True):
    """``/v1/endpoints``: records sorted by id; ``next`` is the cursor of the next page, null on the last.

    What is to be said of the whole answer stands on every page.
    """

    version: int
    items: tuple[Record, ...]
    next: str | None
    as_of: datetime | None = None
    """Set where a date or an imported version was asked for: upstreams as they were then."""
    clouds: tuple[Cloud, ...] = ()
    """Those that scenarios are answered for."""
    unresolved: tuple[Unresolved, ...] = ()
    """References to service tags that have no prefixes here, where they were to be resolved."""
    unpublished: tuple[Unpublished, ...] = ()
    """Scenarios without an answer for a cloud, and why."""
    notes: tuple[Note, ...] = ()
    """What has to be known of scenarios' answers."""
    missing: tuple[str, ...] = ()
    """Sources that the answer could draw from and the catalogue has nothing of."""


def entry_view(snapshot: Snapshot, entry: Entry) -> Record:
    """Return a record as published, with the scenarios that want it and the tags it was resolved by."""
    return replace(record_view(snapshot, entry.record), scenarios=entry.scenarios, via=entry.via)


def record_view(snapshot: Snapshot, record: EndpointSet) -> Record:
    """Return ``record`` of ``snapshot`` as published."""
    content = snapshot.by_source[record.source]
    made_by, mark = content.version, content.marks.get(record.id)
    provenance = RecordProvenance(
        url=made_by.url,
        version=made_by.version,
        fetched_at=made_by.fetched_at,
        document=made_by.document,
        heading=record.heading,
        upstream_version=made_by.upstream_version,
        upstream_at=made_by.upstream_at,
        first_seen=mark.first_seen if mark else None,
        last_changed=mark.last_changed if mark else None,
    )
    fields = {name: getattr(record, name) for name in record.__struct_fields__ if name not in {"heading", "patterns"}}
    return Record(
        **fields,
        provenance=provenance,
        patterns=tuple(Pattern(text, pattern_type(text)) for text in record.patterns),
        mid_wildcards=tuple(filter(is_mid_wildcard, record.fqdns)),
    )
