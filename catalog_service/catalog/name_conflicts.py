"""Where sources disagree on a name: its ports, its protocols, its clouds.

In: a snapshot, and the records that list each name. Out: `Conflict`s, in no order. Called by `conflicts`, which says
what counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from catalog_service.catalog.conflict import BySource, Conflict, ConflictKind, Party, ids_of
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.space import joined
from catalog_service.catalog.transport import transport
from schema.endpoint_set import EndpointSet
from schema.words import Cloud, ordered


def of_names(snapshot: Snapshot, by_name: Mapping[str, BySource]) -> Iterator[Conflict]:
    """Yield the conflicts on the names that two sources or more list."""
    speaks_for = {
        source: {cloud for record in content.endpoint_sets if record.fqdns for cloud in record.all_clouds}
        for source, content in snapshot.by_source.items()
    }
    for fqdn, by_source in by_name.items():
        if len(by_source) > 1:
            yield from _of_ports(fqdn, by_source)
            yield from _of_clouds(fqdn, by_source, speaks_for)


def _of_ports(fqdn: str, by_source: BySource) -> Iterator[Conflict]:
    """Yield the conflicts of ports and protocols; clouds where everybody says the same make one."""
    where: dict[tuple[tuple[str, tuple[str, ...]], ...], list[Cloud]] = defaultdict(list)
    for cloud in Cloud:
        spoken = {source: _speaking(records, (cloud,)) for source, records in sorted(by_source.items())}
        where[tuple((source, _all_ports(records)) for source, records in spoken.items() if records)].append(cloud)
    for statement, clouds in where.items():
        if len({ports for _, ports in statement}) > 1:
            said: list[_Said] = [(source, _speaking(by_source[source], clouds), ports) for source, ports in statement]
            worded = not any(record.tcp_ports or record.udp_ports for _, records, _ in said for record in records)
            if worded:
                said = [(source, records, _all_protocols(records)) for source, records, _ in said]
            kind = ConflictKind.PROTOCOL if worded else ConflictKind.PORTS
            yield Conflict(kind, fqdn, _parties(said), tuple(clouds))


def _speaking(records: Iterable[EndpointSet], clouds: Iterable[Cloud]) -> list[EndpointSet]:
    """Return those of ``records`` that say something of ports for one of ``clouds``."""
    return [one for one in records if transport(one) and any(cloud in one.all_clouds for cloud in clouds)]


def _of_clouds(fqdn: str, by_source: BySource, speaks_for: Mapping[str, set[Cloud]]) -> Iterator[Conflict]:
    clouds = {source: {cloud for one in records for cloud in one.all_clouds} for source, records in by_source.items()}
    at_odds = {
        source
        for source, own in clouds.items()
        for other, others in clouds.items()
        if own.isdisjoint(others) and (own & speaks_for[other] or others & speaks_for[source])
    }
    if at_odds:
        said = [
            (source, by_source[source], tuple(cloud.value for cloud in ordered(clouds[source])))
            for source in sorted(at_odds)
        ]
        yield Conflict(ConflictKind.CLOUD, fqdn, _parties(said))


_Said = tuple[str, list[EndpointSet], tuple[str, ...]]
"""A source, its records, and what they say."""


def _parties(said: list[_Said]) -> tuple[Party, ...]:
    """Return the parties of statements that are sets of words, in the order of ``said``."""
    parties = []
    for index, (source, records, words) in enumerate(said):
        others = dict.fromkeys(word for at, (_, _, theirs) in enumerate(said) if at != index for word in theirs)
        only = tuple(word for word in words if word not in others)
        lacks = tuple(word for word in others if word not in words)
        parties.append(Party(source, ids_of(records), words, only, lacks))
    return tuple(parties)


def _all_ports(records: Iterable[EndpointSet]) -> tuple[str, ...]:
    """Return the ports of ``records``, neighbours as one range, so that equal sets are equal text."""
    ranges: list[tuple[str, int, int]] = []
    words: list[str] = []
    for text in {port for record in records for port in transport(record)}:
        kind, slash, ports = text.partition("/")
        low, _, high = ports.partition("-")
        if slash:
            ranges.append((kind, int(low), int(high or low)))
        else:
            words.append(text)
    apart = joined(ranges)
    numbered = (f"{kind}/{first}" if first == last else f"{kind}/{first}-{last}" for kind, first, last in apart)
    return (*numbered, *sorted(words))


def _all_protocols(records: Iterable[EndpointSet]) -> tuple[str, ...]:
    return tuple(sorted({protocol for record in records for protocol in record.protocols}))
