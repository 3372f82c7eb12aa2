"""What a change asks of a customer, and how much of it is more than noise.

In: the changes of one source, all of them, with their records. Out: a `Verdict` for each that is asked for. Called by
`judged`.

Impact. Microsoft's words (the `impact` of its web service's changes), said of a whole source by the first row that
holds. A record that comes to another cloud, direction, service or region, or asks for more ports, gains all it holds
there, as if it were new; one that leaves a cloud loses it there. A member that *moves* (`moves`) is not gone; nor is it
new, unless its record would be: whoever allows one service, region or port has to open what moved to it. A reference
to a service tag stands for addresses.

| first that holds                                                                          | impact                  |
|-------------------------------------------------------------------------------------------|-------------------------|
| the record gains addresses, and names                                                     | AddedIpAndUrl           |
| it gains addresses: a firewall must open, whatever else is removed                        | AddedIp                 |
| it gains names, each covered by a wildcard that the source no longer lists                | AddedSubstituteUrl      |
| it gains names                                                                            | AddedUrl                |
| it loses some that its clouds no longer have in the source: to be closed, without haste   | RemovedIpOrUrl          |
| its ExpressRoute attribute changed                                                        | ChangedIsExpressRoute   |
| a member moved                                                                            | MovedIpOrUrl            |
| it loses some, and other records or wildcards there cover all of them                     | RemovedDuplicateIpOrUrl |
| nothing of these, such as a note, fewer ports, or the same addresses cut another way      | OtherNonPriorityChanges |

Significance. The greatest part of a change; Add and Remove are material, as is a field that is not named here.
Another order of members or records never shows: both are canonical before they are compared.

| part     | what changed                                                                     |
|----------|----------------------------------------------------------------------------------|
| material | addresses covered, names, or any other field: ports, category, region, tags, ... |
| space    | prefixes alone, and they cover the same addresses                                |
| wording  | how upstream puts it: `WORDING`                                                  |
| counter  | numbers that upstream keeps for itself: `COUNTERS`                               |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from itertools import chain

from msgspec import Struct

from catalog_service.catalog.moves import Move, Pair, Scope, scope_of
from catalog_service.catalog.space import Spans, common, covered, shift, touching, without
from catalog_service.catalog.transport import asks_more
from catalog_service.catalog.trim import tags_of
from schema.change import Change
from schema.endpoint_set import EndpointSet
from schema.fqdn import wildcard_pattern
from schema.words import Disposition, Impact, Significance

COUNTERS = frozenset({"change_number", "region_id"})
WORDING = frozenset({"title", "purpose", "endpoint_type", "when", "service_area_display_name", "upstream_region"})
_NOTHING: AbstractSet[str] = frozenset()


class Verdict(Struct, frozen=True):
    """What is to be said of one change."""

    pair: Pair
    impact: Impact
    significance: Significance
    gained: Spans
    """Addresses that the record covers now and did not before."""
    lost: Spans


class _Moved(Struct, frozen=True):
    """What left each record by moving, and what of that came to where it was open already, by id."""

    came: dict[str, set[str]]
    left: dict[str, set[str]]


class _Listed:
    """What some records of a source list after ``pairs``, each index built when it is first asked."""

    def __init__(self, records: tuple[EndpointSet, ...], pairs: tuple[Pair, ...]) -> None:
        self._records = records
        self._pairs = pairs

    @cached_property
    def spans(self) -> Spans:
        """Addresses, as far as they touch what ``pairs`` removed."""
        removed = covered(chain.from_iterable(pair.change.prefixes_removed for pair in self._pairs))
        return touching(set(chain.from_iterable(record.prefixes for record in self._records)), removed)

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(chain.from_iterable(record.fqdns for record in self._records))

    @cached_property
    def wildcards(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if "*" in name)

    @cached_property
    def tags(self) -> frozenset[str]:
        return frozenset(chain.from_iterable(record.service_tags for record in self._records))

    def covers(self, addresses: Spans) -> bool:
        return not without(addresses, self.spans)

    def covers_name(self, name: str) -> bool:
        return name in self.names or _matched(name, self.wildcards)


Judge = Callable[[Pair], Verdict]


def judge(pairs: tuple[Pair, ...], moves: Iterable[Move], records: tuple[EndpointSet, ...]) -> Judge:
    """Return what gives the verdict of any of ``pairs``.

    ``pairs`` are all the changes of a source, ``moves`` those among them and ``records`` all it lists afterwards.
    """
    listed = {scope: _Listed(_listed_in(scope, records), pairs) for scope in {scope_of(pair.record) for pair in pairs}}
    moved, dropped = _moved(moves, pairs), _dropped_wildcards(pairs, listed)

    def verdict(pair: Pair) -> Verdict:
        scope = scope_of(pair.record)
        return _verdict(pair, moved, dropped.get(scope, ()), listed[scope])

    return verdict


def _listed_in(scope: Scope, records: tuple[EndpointSet, ...]) -> tuple[EndpointSet, ...]:
    """Return those of ``records`` of the direction and for every cloud of ``scope``."""
    _, clouds, direction = scope
    return tuple(one for one in records if one.direction is direction and set(clouds) <= {*one.all_clouds})


def _verdict(pair: Pair, moved: _Moved, dropped: tuple[str, ...], listed: _Listed) -> Verdict:
    change = pair.change
    came, left = moved.came.get(change.id, _NOTHING), moved.left.get(change.id, _NOTHING)
    gained, lost = _shift(pair)
    opens, closes = _places(pair)
    fresh = bool(_own(change.prefixes_added, came, gained) or tags_of(change)[0])
    if opens:
        fresh = bool(pair.record.prefixes or pair.record.service_tags)
    names = list(pair.record.fqdns) if opens else [name for name in change.fqdns_added if name not in came]
    if names:
        impact = _names_added(names, dropped, with_addresses=fresh)
    elif fresh:
        impact = Impact.ADDED_IP
    elif closes:
        impact = Impact.REMOVED_IP_OR_URL
    else:
        gone = [name for name in change.fqdns_removed if name not in left]
        impact = _without_additions(
            change, _own(change.prefixes_removed, left, lost), gone, listed, moved=bool(came or left)
        )
    if change.disposition is not Disposition.CHANGE:
        return Verdict(pair, impact, Significance.MATERIAL, gained, lost)
    return Verdict(pair, impact, _significance(change, moves_space=bool(gained or lost)), gained, lost)


def _places(pair: Pair) -> tuple[bool, bool]:
    """Tell whether a record came to where it was not open, and whether it left a cloud with what it holds."""
    before, after = pair.before, pair.after
    if before is None or after is None or before is after:
        return False, False
    left = {*before.all_clouds} - {*after.all_clouds}
    return not _was_open(before, after), bool(left and (after.prefixes or after.fqdns or after.service_tags))


def _was_open(before: EndpointSet, after: EndpointSet) -> bool:
    """Tell whether everyone whose list has what ``after`` holds had opened it, when ``before`` held it."""
    return (
        (before.service, before.region, before.direction) == (after.service, after.region, after.direction)
        and {*after.all_clouds} <= {*before.all_clouds}
        and not asks_more(before, after)
    )


def _shift(pair: Pair) -> tuple[Spans, Spans]:
    """Return the addresses that the record of ``pair`` gained and lost."""
    change = pair.change
    if not (change.prefixes_added or change.prefixes_removed):
        return (), ()
    if change.disposition is not Disposition.CHANGE:
        return covered(change.prefixes_added), covered(change.prefixes_removed)
    added = set(change.prefixes_added)
    kept = (prefix for prefix in pair.record.prefixes if prefix not in added)
    return shift(change.prefixes_added, change.prefixes_removed, kept)


def _own(prefixes: tuple[str, ...], moved: AbstractSet[str], spans: Spans) -> Spans:
    """Return what of ``spans`` is due to ``prefixes`` that did not move."""
    if not moved:
        return spans
    return common(covered(prefix for prefix in prefixes if prefix not in moved), spans)


def _names_added(names: list[str], dropped: tuple[str, ...], *, with_addresses: bool) -> Impact:
    if with_addresses:
        return Impact.ADDED_IP_AND_URL
    substitutes = all(_matched(name, dropped) for name in names)
    return Impact.ADDED_SUBSTITUTE_URL if substitutes else Impact.ADDED_URL


def _without_additions(change: Change, lost: Spans, gone: list[str], listed: _Listed, *, moved: bool) -> Impact:
    _, tags = tags_of(change)
    covered_still = listed.tags.issuperset(tags) and all(map(listed.covers_name, gone))
    if not covered_still or (lost and not listed.covers(lost)):
        return Impact.REMOVED_IP_OR_URL
    if any(one.name == "express_route" for one in change.attributes):
        return Impact.CHANGED_IS_EXPRESS_ROUTE
    if moved:
        return Impact.MOVED_IP_OR_URL
    return Impact.REMOVED_DUPLICATE_IP_OR_URL if lost or gone or tags else Impact.OTHER_NON_PRIORITY_CHANGES


def _significance(change: Change, *, moves_space: bool) -> Significance:
    names = {one.name for one in change.attributes}
    if moves_space or change.fqdns_added or change.fqdns_removed or names - COUNTERS - WORDING:
        return Significance.MATERIAL
    if change.prefixes_added or change.prefixes_removed:
        return Significance.SPACE
    return Significance.WORDING if names & WORDING else Significance.COUNTER


def _moved(moves: Iterable[Move], pairs: tuple[Pair, ...]) -> _Moved:
    moved, by_id = _Moved({}, {}), {pair.change.id: pair for pair in pairs}
    for move in moves:
        for id_ in move.from_ids:
            moved.left.setdefault(id_, set()).add(move.member)
        for id_ in move.to_ids:
            holders = (by_id[from_].before for from_ in move.from_ids)
            if any(before and _was_open(before, by_id[id_].record) for before in holders):
                moved.came.setdefault(id_, set()).add(move.member)
    return moved


def _dropped_wildcards(pairs: tuple[Pair, ...], listed: Mapping[Scope, _Listed]) -> dict[Scope, tuple[str, ...]]:
    """Return the wildcards that left for good, by what members move within."""
    dropped: dict[Scope, tuple[str, ...]] = {}
    for pair in pairs:
        wildcards = [name for name in pair.change.fqdns_removed if "*" in name]
        if wildcards and pair.before and (scope := scope_of(pair.before)) in listed:
            gone = (name for name in wildcards if name not in listed[scope].names)
            dropped[scope] = (*dropped.get(scope, ()), *gone)
    return dropped


def _matched(name: str, wildcards: Iterable[str]) -> bool:
    return any(one != name and wildcard_pattern(one).fullmatch(name) for one in wildcards)
