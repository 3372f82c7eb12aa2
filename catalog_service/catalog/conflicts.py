"""Where sources speak of the same thing and disagree, and names that need a second look.

In: a snapshot. Out: `Conflict`s, sorted. A source is taken at its word as a whole: what its rows say of one thing
is put together first, as they complete each other. What counts:

| kind         | the same thing                            | they disagree when                                       |
| ports        | a name, in a cloud both list it for       | their ports differ; https says tcp/443, http tcp/80      |
| protocol     | the same                                  | the same, and all of them name protocols alone           |
| cloud        | a name                                    | their clouds share none, although one of them speaks for |
|              |                                           | a cloud that the other lists it for                      |
| prefixes     | service, region, direction and cloud; the | they cover other addresses, however these are cut        |
|              | regional tag's for connectors, Logic Apps |                                                          |
| pattern      | a name with a hole, a non-name: a flag    | always                                                   |
| mid-wildcard | a name with a wildcard inside it: a flag  | always                                                   |

A source that says nothing of ports has no part in a conflict of ports. Called by `api.reads`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from catalog_service.catalog.resolve import azure_regions, tag_records, tag_source
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.space import as_prefixes, covered, without
from schema.endpoint_set import EndpointSet
from schema.fqdn import is_mid_wildcard, pattern_type
from schema.words import Cloud, Direction


class ConflictKind(StrEnum):
    """What sources disagree on, or what is flagged."""

    PORTS = "ports"
    PROTOCOL = "protocol"
    CLOUD = "cloud"
    PREFIXES = "prefixes"
    PATTERN = "pattern"
    MID_WILDCARD = "mid-wildcard"


class Party(Struct, frozen=True, omit_defaults=True):
    """One source, and what it says of the subject."""

    source: str
    ids: tuple[str, ...]
    """Of the records that say so, sorted."""
    says: tuple[str, ...]
    """Ports, protocols, clouds, the type of a pattern; of prefixes their count."""
    only: tuple[str, ...] = ()
    """What no other party says."""
    lacks: tuple[str, ...] = ()
    """What others say and this one does not."""


class Conflict(Struct, frozen=True, omit_defaults=True):
    """One subject, and everyone who speaks of it: two parties or more, but for a flag."""

    kind: ConflictKind
    subject: str
    """A name, or a service."""
    parties: tuple[Party, ...]
    """Sorted by source."""
    clouds: tuple[Cloud, ...] = ()
    """Where; of a conflict of clouds none."""
    region: str | None = None
    direction: Direction | None = None


Records = Mapping[str, list[EndpointSet]]
"""Records by source."""


def conflicts(snapshot: Snapshot) -> tuple[Conflict, ...]:
    """Return every conflict and flag of ``snapshot``, sorted by kind, subject, region, direction and cloud."""
    by_name = _by_name(snapshot)
    found = [*_of_names(snapshot, by_name), *_of_prefixes(snapshot), *_flags(snapshot, by_name)]
    return tuple(sorted(found, key=_order))


def _order(one: Conflict) -> tuple[object, ...]:
    return list(ConflictKind).index(one.kind), one.subject, one.region or "", one.direction or "", one.clouds


def _by_name(snapshot: Snapshot) -> Mapping[str, Records]:
    """Return the records that list each name, by source."""
    found: dict[str, dict[str, list[EndpointSet]]] = defaultdict(lambda: defaultdict(list))
    for record in snapshot.endpoint_sets:
        for fqdn in record.fqdns:
            found[fqdn][record.source].append(record)
    return found


def _of_names(snapshot: Snapshot, by_name: Mapping[str, Records]) -> Iterator[Conflict]:
    speaks_for = {
        source: {cloud for record in content.endpoint_sets if record.fqdns for cloud in record.all_clouds}
        for source, content in snapshot.by_source.items()
    }
    for fqdn, by_source in by_name.items():
        if len(by_source) > 1:
            yield from _of_ports(fqdn, by_source)
            yield from _of_clouds(fqdn, by_source, speaks_for)


def _of_ports(fqdn: str, by_source: Records) -> Iterator[Conflict]:
    """Yield the conflicts of ports and protocols; clouds where everybody says the same make one."""
    where: dict[tuple[tuple[str, tuple[str, ...]], ...], list[Cloud]] = defaultdict(list)
    for cloud in Cloud:
        spoken = {source: _speaking(records, (cloud,)) for source, records in sorted(by_source.items())}
        where[tuple((source, _all_ports(records)) for source, records in spoken.items() if records)].append(cloud)
    for statement, clouds in where.items():
        if len({ports for _, ports in statement}) > 1:
            said: list[Said] = [(source, _speaking(by_source[source], clouds), ports) for source, ports in statement]
            worded = not any(record.tcp_ports or record.udp_ports for _, records, _ in said for record in records)
            if worded:
                said = [(source, records, _all_protocols(records)) for source, records, _ in said]
            kind = ConflictKind.PROTOCOL if worded else ConflictKind.PORTS
            yield Conflict(kind, fqdn, _parties(said), tuple(clouds))


def _speaking(records: Iterable[EndpointSet], clouds: Iterable[Cloud]) -> list[EndpointSet]:
    """Return those of ``records`` that say something of ports for one of ``clouds``."""
    return [one for one in records if _transport(one) and any(cloud in one.all_clouds for cloud in clouds)]


def _of_clouds(fqdn: str, by_source: Records, speaks_for: Mapping[str, set[Cloud]]) -> Iterator[Conflict]:
    clouds = {source: {cloud for one in records for cloud in one.all_clouds} for source, records in by_source.items()}
    at_odds = {
        source
        for source, own in clouds.items()
        for other, others in clouds.items()
        if own.isdisjoint(others) and (own & speaks_for[other] or others & speaks_for[source])
    }
    if at_odds:
        said = [
            (source, by_source[source], tuple(cloud.value for cloud in Cloud if cloud in clouds[source]))
            for source in sorted(at_odds)
        ]
        yield Conflict(ConflictKind.CLOUD, fqdn, _parties(said))


Said = tuple[str, list[EndpointSet], tuple[str, ...]]
"""A source, its records, and what they say."""


def _parties(said: Iterable[Said]) -> tuple[Party, ...]:
    """Return the parties of statements that are sets of words, in the order of ``said``."""
    listed = [(source, records, words) for source, records, words in said]
    parties = []
    for index, (source, records, words) in enumerate(listed):
        others = dict.fromkeys(word for at, (_, _, theirs) in enumerate(listed) if at != index for word in theirs)
        only = tuple(word for word in words if word not in others)
        lacks = tuple(word for word in others if word not in words)
        parties.append(Party(source, _ids(records), words, only, lacks))
    return tuple(parties)


_PORTS_OF = {"https": "tcp/443", "http": "tcp/80"}


def _transport(record: EndpointSet) -> set[str]:
    """Return the ports that ``record`` says: ``tcp/443``; those of its protocols where it names none."""
    numbered = {f"tcp/{port}" for port in record.tcp_ports} | {f"udp/{port}" for port in record.udp_ports}
    return numbered or {_PORTS_OF.get(protocol, protocol) for protocol in record.protocols}


def _all_ports(records: Iterable[EndpointSet]) -> tuple[str, ...]:
    """Return the ports of ``records``, neighbours as one range, so that equal sets are equal text."""
    merged: list[tuple[str, int, int]] = []
    words = []
    for text in {port for record in records for port in _transport(record)}:
        kind, slash, ports = text.partition("/")
        low, _, high = ports.partition("-")
        if slash:
            merged.append((kind, int(low), int(high or low)))
        else:
            words.append(text)
    ranges: list[tuple[str, int, int]] = []
    for kind, first, last in sorted(merged):
        if ranges and ranges[-1][0] == kind and first <= ranges[-1][2] + 1:
            ranges[-1] = (kind, ranges[-1][1], max(last, ranges[-1][2]))
        else:
            ranges.append((kind, first, last))
    numbered = (f"{kind}/{first}" if first == last else f"{kind}/{first}-{last}" for kind, first, last in ranges)
    return (*numbered, *sorted(words))


def _all_protocols(records: Iterable[EndpointSet]) -> tuple[str, ...]:
    return tuple(sorted({protocol for record in records for protocol in record.protocols}))


class _Topic(Struct, frozen=True):
    """What rows of addresses speak of. ``tag``: the service tag that says the same."""

    subject: str
    tag: str | None
    direction: Direction | None
    cloud: Cloud
    region: str | None


def _of_prefixes(snapshot: Snapshot) -> Iterator[Conflict]:
    topics: dict[_Topic, dict[str, list[EndpointSet]]] = defaultdict(lambda: defaultdict(list))
    for record in snapshot.endpoint_sets:
        if record.prefixes and record.source != tag_source(record.all_clouds[0] if record.all_clouds else Cloud.PUBLIC):
            for cloud in record.all_clouds:
                topics[_topic(record, cloud)][record.source].append(record)
    for topic, by_source in topics.items():
        tags = _tags(snapshot, topic)
        said: Records = {**by_source, **({tags[0].source: list(tags)} if tags else {})}
        parties = _disputing(said) if len(said) > 1 else ()
        if parties:
            yield Conflict(ConflictKind.PREFIXES, topic.subject, parties, (topic.cloud,), topic.region, topic.direction)


def _topic(record: EndpointSet, cloud: Cloud) -> _Topic:
    """Return what ``record`` speaks of in ``cloud``.

    Addresses that connectors call from are AzureConnectors', those that HTTP actions call from LogicApps'
    (the Logic Apps page says so above its tables); those that customers call have no regional tag.
    """
    tag, inbound = None, record.direction is not Direction.OUTBOUND
    if inbound and (record.service == "Managed connectors" or record.category == "connectors"):
        tag = "AzureConnectors"
    elif inbound and (record.service == "Logic Apps" or record.category == "http-actions"):
        tag = "LogicApps"
    subject = tag or " ".join(filter(None, (record.service, record.category)))
    return _Topic(subject, tag, record.direction, cloud, record.region)


def _tags(snapshot: Snapshot, topic: _Topic) -> tuple[EndpointSet, ...]:
    """Return the regional tags that speak of ``topic``; the whole tag speaks of more than one region."""
    if topic.tag is None or topic.region is None:
        return ()
    found = tag_records(snapshot, topic.cloud, topic.tag, azure_regions(topic.region))
    return found if all(record.region for record in found) else ()


def _disputing(said: Records) -> tuple[Party, ...]:
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
        parties.append(Party(source, _ids(records), (says,), as_prefixes(only), as_prefixes(lacks)))
    return tuple(parties)


def _flags(snapshot: Snapshot, by_name: Mapping[str, Records]) -> Iterator[Conflict]:
    by_pattern: dict[str, dict[str, list[EndpointSet]]] = defaultdict(lambda: defaultdict(list))
    for record in snapshot.endpoint_sets:
        for pattern in record.patterns:
            by_pattern[pattern][record.source].append(record)
    for pattern, sources in by_pattern.items():
        yield _flag(ConflictKind.PATTERN, pattern, pattern_type(pattern).value, sources)
    for fqdn, by_source in by_name.items():
        if is_mid_wildcard(fqdn):
            yield _flag(ConflictKind.MID_WILDCARD, fqdn, ConflictKind.MID_WILDCARD.value, by_source)


def _flag(kind: ConflictKind, subject: str, says: str, by_source: Records) -> Conflict:
    parties = tuple(Party(source, _ids(records), (says,)) for source, records in sorted(by_source.items()))
    held = {cloud for records in by_source.values() for record in records for cloud in record.all_clouds}
    return Conflict(kind, subject, parties, tuple(cloud for cloud in Cloud if cloud in held))


def _ids(records: Iterable[EndpointSet]) -> tuple[str, ...]:
    return tuple(sorted({record.id for record in records}))
