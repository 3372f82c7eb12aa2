"""What a change asks of a customer, and how much of it is more than noise.

In: the changes of one source, all of them, with their records. Out: a `Verdict` for each that is asked for. Called by
`compare`.

Impact. Microsoft's words (the `impact` of its web service's changes), said of a whole source by the first row that
holds. A member *moves* as `moves` says: it is neither new nor gone. A record that comes to another cloud or direction
gains all it holds there, as if it were new; one that leaves a cloud loses it there. Whoever allows a part of a source
goes by what is added or gained, not by the word: what moved to them is still to be opened.

| first that holds                                                                          | impact                  |
|-------------------------------------------------------------------------------------------|-------------------------|
| the record gains addresses, and names                                                     | AddedIpAndUrl           |
| it gains addresses: a firewall must open, whatever else is removed                        | AddedIp                 |
| it gains names, each covered by a wildcard that the source no longer lists                | AddedSubstituteUrl      |
| it gains names                                                                            | AddedUrl                |
| it loses addresses or names that the source no longer covers: to be closed, without haste | RemovedIpOrUrl          |
| its ExpressRoute attribute changed                                                        | ChangedIsExpressRoute   |
| a member moved                                                                            | MovedIpOrUrl            |
| it loses some, and other records or wildcards of the source cover all of them             | RemovedDuplicateIpOrUrl |
| nothing of these, such as a note, a port, or the same addresses cut another way           | OtherNonPriorityChanges |

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

from collections.abc import Container, Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import cached_property
from itertools import chain

from msgspec import Struct

from catalog_service.catalog.moves import Move, Pair, Scope, scope_of
from catalog_service.catalog.space import Spans, common, covered, shift, touching, without
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
    """What came into and left each record by moving, by id."""

    came: dict[str, set[str]]
    left: dict[str, set[str]]


class _Listed:
    """What a source lists after ``pairs``, each index built when it is first asked."""

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

    def covers(self, addresses: Spans) -> bool:
        return not without(addresses, self.spans)

    def covers_name(self, name: str) -> bool:
        return name in self.names or _matched(name, self.wildcards)


def judge(
    pairs: tuple[Pair, ...], moves: Iterable[Move], records: tuple[EndpointSet, ...], chosen: Container[str]
) -> Iterator[Verdict]:
    """Yield the verdict of those of ``pairs`` whose ids are ``chosen``, in their order.

    ``pairs`` are all the changes of a source, ``moves`` those among them and ``records`` all it lists afterwards.
    """
    listed, moved = _Listed(records, pairs), _moved(moves)
    dropped = _dropped_wildcards(pairs, listed)
    for pair in pairs:
        if pair.change.id in chosen:
            yield _verdict(pair, moved, dropped.get(scope_of(pair.record), ()), listed)


def _verdict(pair: Pair, moved: _Moved, dropped: tuple[str, ...], listed: _Listed) -> Verdict:
    change = pair.change
    came, left = moved.came.get(change.id, _NOTHING), moved.left.get(change.id, _NOTHING)
    gained, lost = _shift(pair)
    opens, closes = _places(pair)
    fresh = bool(pair.record.prefixes) if opens else bool(_own(change.prefixes_added, came, gained))
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
    """Tell whether a record came to a cloud or direction, and whether it left a cloud with what it holds."""
    before, after = pair.before, pair.after
    if before is None or after is None or scope_of(before) == scope_of(after):
        return False, False
    was, is_ = set(before.all_clouds), set(after.all_clouds)
    return bool(is_ - was) or before.direction is not after.direction, bool(
        was - is_ and (after.prefixes or after.fqdns)
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
    if (lost and not listed.covers(lost)) or not all(map(listed.covers_name, gone)):
        return Impact.REMOVED_IP_OR_URL
    if any(one.name == "express_route" for one in change.attributes):
        return Impact.CHANGED_IS_EXPRESS_ROUTE
    if moved:
        return Impact.MOVED_IP_OR_URL
    return Impact.REMOVED_DUPLICATE_IP_OR_URL if lost or gone else Impact.OTHER_NON_PRIORITY_CHANGES


def _significance(change: Change, *, moves_space: bool) -> Significance:
    names = {one.name for one in change.attributes}
    if moves_space or change.fqdns_added or change.fqdns_removed or names - COUNTERS - WORDING:
        return Significance.MATERIAL
    if change.prefixes_added or change.prefixes_removed:
        return Significance.SPACE
    return Significance.WORDING if names & WORDING else Significance.COUNTER


def _moved(moves: Iterable[Move]) -> _Moved:
    moved = _Moved({}, {})
    for move in moves:
        for sides, ids in ((moved.left, move.from_ids), (moved.came, move.to_ids)):
            for id_ in ids:
                sides.setdefault(id_, set()).add(move.member)
    return moved


def _dropped_wildcards(pairs: tuple[Pair, ...], listed: _Listed) -> dict[Scope, tuple[str, ...]]:
    """Return the wildcards that left for good, by what members move within."""
    dropped: dict[Scope, tuple[str, ...]] = {}
    for pair in pairs:
        gone = tuple(name for name in pair.change.fqdns_removed if "*" in name and name not in listed.names)
        if pair.before and gone:
            dropped[scope_of(pair.before)] = (*dropped.get(scope_of(pair.before), ()), *gone)
    return dropped


def _matched(name: str, wildcards: Iterable[str]) -> bool:
    return any(one != name and wildcard_pattern(one).fullmatch(name) for one in wildcards)
