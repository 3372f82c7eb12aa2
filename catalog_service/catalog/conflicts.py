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
from collections.abc import Callable, Iterator, Mapping

from catalog_service.catalog.conflict import BySource, Conflict, ConflictKind, Party, ids_of
from catalog_service.catalog.name_conflicts import of_names
from catalog_service.catalog.prefix_conflicts import of_prefixes
from catalog_service.catalog.snapshot import Snapshot
from schema.endpoint_set import EndpointSet
from schema.fqdn import is_mid_wildcard, pattern_type
from schema.words import ordered


def conflicts(snapshot: Snapshot) -> tuple[Conflict, ...]:
    """Return every conflict and flag of ``snapshot``, sorted by kind, subject, region, direction and cloud."""
    by_name = _by_member(snapshot, lambda record: record.fqdns)
    by_pattern = _by_member(snapshot, lambda record: record.patterns)
    found = [*of_names(snapshot, by_name), *of_prefixes(snapshot), *_flags(by_name, by_pattern)]
    return tuple(sorted(found, key=_order))


def _order(one: Conflict) -> tuple[object, ...]:
    return list(ConflictKind).index(one.kind), one.subject, one.region or "", one.direction or "", one.clouds


def _by_member(snapshot: Snapshot, members: Callable[[EndpointSet], tuple[str, ...]]) -> Mapping[str, BySource]:
    """Return the records that list each member, by source."""
    found: dict[str, dict[str, list[EndpointSet]]] = defaultdict(lambda: defaultdict(list))
    for record in snapshot.endpoint_sets:
        for member in members(record):
            found[member][record.source].append(record)
    return found


def _flags(by_name: Mapping[str, BySource], by_pattern: Mapping[str, BySource]) -> Iterator[Conflict]:
    for pattern, by_source in by_pattern.items():
        yield _flag(ConflictKind.PATTERN, pattern, pattern_type(pattern).value, by_source)
    for fqdn, by_source in by_name.items():
        if is_mid_wildcard(fqdn):
            yield _flag(ConflictKind.MID_WILDCARD, fqdn, ConflictKind.MID_WILDCARD.value, by_source)


def _flag(kind: ConflictKind, subject: str, says: str, by_source: BySource) -> Conflict:
    parties = tuple(Party(source, ids_of(records), (says,)) for source, records in sorted(by_source.items()))
    held = (cloud for records in by_source.values() for record in records for cloud in record.all_clouds)
    return Conflict(kind, subject, parties, ordered(held))
