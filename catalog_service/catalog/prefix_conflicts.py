"""Where sources disagree on the addresses of a service in a region.

In: a snapshot. Out: `Conflict`s, in no order. References are taken for the prefixes of their tags (`resolve`); a record
with one that has none is left out, as nobody knows all it says. Called by `conflicts`, which says what counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from catalog_service.catalog.conflict import BySource, Conflict, ConflictKind, Party, ids_of
from catalog_service.catalog.resolve import azure_regions, resolved, tag_records, tag_source
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.space import as_prefixes, covered, without
from schema.endpoint_set import EndpointSet
from schema.words import Cloud, Direction, ordered

_CONNECTORS = frozenset({"connectors", "ip-addresses"})
"""Sections of the Power Automate pages whose addresses are the connectors'."""


class _Topic(Struct, frozen=True):
    """What rows of addresses speak of. ``tag``: the service tag that says the same."""

    subject: str
    tag: str | None
    direction: Direction | None
    region: str | None


def of_prefixes(snapshot: Snapshot) -> Iterator[Conflict]:
    """Yield the conflicts of addresses; clouds where everybody says the same make one."""
    topics: dict[tuple[_Topic, Cloud], dict[str, list[EndpointSet]]] = defaultdict(lambda: defaultdict(list))
    for record in snapshot.endpoint_sets:
        for cloud in record.all_clouds:
            said = resolved(snapshot, record, (cloud,))
            if said.record.prefixes and not said.unresolved and record.source != tag_source(cloud):
                topics[_topic(record), cloud][record.source].append(said.record)
    where: dict[tuple[_Topic, tuple[Party, ...]], list[Cloud]] = defaultdict(list)
    for (topic, cloud), by_source in topics.items():
        tags = _tags(snapshot, topic, cloud)
        parties = _disputing({**by_source, **({tags[0].source: list(tags)} if tags else {})})
        if parties:
            where[topic, parties].append(cloud)
    for (topic, parties), found in where.items():
        yield Conflict(ConflictKind.PREFIXES, topic.subject, parties, ordered(found), topic.region, topic.direction)


def _topic(record: EndpointSet) -> _Topic:
    """Return what ``record`` speaks of.

    Addresses that connectors call from are AzureConnectors', those that HTTP actions call from LogicApps'
    (the Logic Apps page says so above its tables); those that customers call have no regional tag.
    """
    tag, inbound = None, record.direction is not Direction.OUTBOUND
    if inbound and (record.service == "Managed connectors" or record.category in _CONNECTORS):
        tag = "AzureConnectors"
    elif inbound and (record.service == "Logic Apps" or record.category == "http-actions"):
        tag = "LogicApps"
    subject = tag or " ".join(filter(None, (record.service, record.category)))
    return _Topic(subject, tag, record.direction, record.region)


def _tags(snapshot: Snapshot, topic: _Topic, cloud: Cloud) -> tuple[EndpointSet, ...]:
    """Return the regional tags that speak of ``topic``; the whole tag speaks of more than one region."""
    if topic.tag is None or topic.region is None:
        return ()
    found = tag_records(snapshot, cloud, topic.tag, azure_regions(topic.region))
    return found if all(record.region for record in found) else ()


def _disputing(said: BySource) -> tuple[Party, ...]:
    """Return a party a source where their address spaces differ, () where all are the same."""
    listed = sorted(said.items())
    prefixes = {source: [prefix for one in records for prefix in one.prefixes] for source, records in listed}
    spaces = {source: covered(prefixes[source]) for source, _ in listed}
    if len(set(spaces.values())) == 1:
        return ()
    parties = []
    for source, records in listed:
        others = covered(prefix for other, _ in listed if other != source for prefix in prefixes[other])
        only, lacks = without(spaces[source], others), without(others, spaces[source])
        count = len(set(prefixes[source]))
        says = f"{count} prefix{'' if count == 1 else 'es'}"
        parties.append(Party(source, ids_of(records), (says,), as_prefixes(only), as_prefixes(lacks)))
    return tuple(parties)
