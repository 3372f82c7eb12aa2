"""Is this changeset safe to publish without a person?

In: a source's limits, its records before and after, and the changes between them. Out: every reason
to hold it back, () when there is none. An allowlist that silently shrinks or opens up is the one
fault this product must not have (limits-and-faults.md A9, B7). Called by sync before every commit.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET, Struct

from schema.change import Change, Changeset, summarize
from schema.endpoint_set import EndpointSet
from schema.guard import GuardLimits
from schema.prefix import unsafe_reason
from schema.words import Disposition

_LISTED = 5
_HALF = 0.5
_LARGE = 20
_GUTTED_SHARE = 0.9
"""A record of 20 members or more that loses nine tenths of them is as good as emptied: 3 of 245 real weeks (A9)."""
_LISTS = frozenset({"gateway_regions", "patterns", "service_tags"})
"""What a `Change` lists among the attributes though it is a record's content."""

Records = tuple[EndpointSet, ...]


class Share(Struct, frozen=True):
    """How many of ``total`` changed, and the share that may."""

    what: str
    changed: int
    total: int
    limit: float

    @property
    def share(self) -> float:
        """1.0: all of them; 0.0 where there was nothing before."""
        return self.changed / self.total if self.total else 0.0


def unsafe_reasons(limits: GuardLimits, previous: Records, current: Records, changes: Changeset) -> tuple[str, ...]:
    """Return why ``changes`` must be held, as sentences; () when they may be published.

    ``previous`` is empty before a source's first version: then only size and content are judged.
    """
    reasons = list(_outside_band(limits, current))
    if previous:
        reasons += _too_large(limits, previous, changes)
        reasons += _mere_losses(limits, changes)
        reasons += _too_many_gone(limits, changes)
        reasons += _listed("emptied", [change.id for change in _emptied(previous, changes)])
        reasons += _listed("nearly emptied", list(_gutted(previous, changes)))
    reasons += _listed("unsafe prefix", list(_unsafe_prefixes(changes)))
    reasons += _listed("unsafe name", list(_unsafe_names(changes)))
    return tuple(reasons)


def shares(limits: GuardLimits, previous: Records, changes: Changeset) -> tuple[Share, ...]:
    """Return how much ``changes`` take away and add, against what there was and the limits."""
    counts = summarize(changes)
    members = sum(map(member_count, previous))
    added, removed = (sum(moved) for moved in zip((0, 0), *map(members_moved, changes), strict=True))
    return (
        Share("members removed", removed, members, limits.max_members_removed_share),
        Share(
            "endpoint sets removed", counts.endpoint_sets_removed, len(previous), limits.max_endpoint_sets_removed_share
        ),
        Share("members added", added, members, limits.max_members_added_share),
        Share("members moved to other endpoint sets", _moved(changes), members, limits.max_members_moved_share),
    )


def member_count(record: EndpointSet) -> int:
    """Return how many members ``record`` has: prefixes, names, and what stands for them, each as one."""
    return len(_members(record))


def members_moved(change: Change) -> tuple[int, int]:
    """Return how many members a record gained and lost."""
    gained, lost = _gained_and_lost(change)
    return len(gained), len(lost)


def _outside_band(limits: GuardLimits, current: Records) -> Iterator[str]:
    if len(current) < limits.min_endpoint_sets:
        yield f"{len(current)} endpoint sets, fewer than the {limits.min_endpoint_sets} this source has at least"
    if len(current) > limits.max_endpoint_sets:
        yield f"{len(current)} endpoint sets, more than the {limits.max_endpoint_sets} this source has at most"


def _too_large(limits: GuardLimits, previous: Records, changes: Changeset) -> Iterator[str]:
    for one in shares(limits, previous, changes):
        # A handful is no flood, unless a handful is most of what there was.
        most = one.share > _HALF and "removed" in one.what
        if one.share > one.limit and (one.changed > limits.small or most):
            yield f"{one.changed} of {one.total} {one.what} ({one.share:.1%}), more than {one.limit:.0%}"


def _mere_losses(limits: GuardLimits, changes: Changeset) -> Iterator[str]:
    """Yield the reason where there is something less and nothing else: 2 of 58 real edits (docs/adr/0007).

    A cut adds nothing and edits one record at most, the one it went through.
    """
    added, removed = (sum(moved) for moved in zip((0, 0), *map(members_moved, changes), strict=True))
    sets = summarize(changes)
    edited = [one for one in changes if one.disposition is Disposition.CHANGE and not members_moved(one)[1]]
    lost = sets.endpoint_sets_removed or removed
    if limits.holds_mere_losses and lost and not (added or sets.endpoint_sets_added or len(edited) > 1):
        yield (
            f"{sets.endpoint_sets_removed} endpoint sets and {removed} members less, and nothing else: "
            "a page cut short looks so"
        )


def _too_many_gone(limits: GuardLimits, changes: Changeset) -> Iterator[str]:
    gone, most = summarize(changes).endpoint_sets_removed, limits.max_endpoint_sets_removed
    if most is not None and gone > most:
        yield f"{gone} endpoint sets removed, more than {most}"


def _emptied(previous: Records, changes: Changeset) -> Iterator[Change]:
    """Yield changes that leave a record standing with no member of those it had (0 of 245 real weeks)."""
    before = {record.id: record for record in previous}
    for change in changes:
        if change.disposition is Disposition.CHANGE:
            added, removed = members_moved(change)
            if removed and not added and removed == member_count(before[change.id]):
                yield change


def _gutted(previous: Records, changes: Changeset) -> Iterator[str]:
    """Yield which large records keep next to nothing of what they had, whatever they got instead."""
    before = {record.id: record for record in previous}
    for change in changes:
        lost = members_moved(change)[1]
        if change.disposition is Disposition.CHANGE and lost:
            had = member_count(before[change.id])
            if had >= _LARGE and lost >= _GUTTED_SHARE * had:
                yield f"{change.id} lost {lost} of {had}"


def _moved(changes: Changeset) -> int:
    """Return how many members left one record and came to another."""
    sides = [(change.id, *_gained_and_lost(change)) for change in changes]
    left: dict[str, set[str]] = {}
    for id_, _, lost in sides:
        for member in lost:
            left.setdefault(member, set()).add(id_)
    return sum(bool(left.get(member, set()) - {id_}) for id_, gained, _ in sides for member in gained)


def _gained_and_lost(change: Change) -> tuple[frozenset[str], frozenset[str]]:
    if change.record is not None:
        held = frozenset(_members(change.record))
        return (held, frozenset()) if change.disposition is Disposition.ADD else (frozenset(), held)
    gained = {*change.prefixes_added, *change.fqdns_added}
    lost = {*change.prefixes_removed, *change.fqdns_removed}
    for attribute in change.attributes:
        if attribute.name in _LISTS:
            before, after = (
                set(side) if isinstance(side, tuple) else set() for side in (attribute.previous, attribute.current)
            )
            gained |= after - before
            lost |= before - after
    return frozenset(gained), frozenset(lost)


def _members(record: EndpointSet) -> tuple[str, ...]:
    gateways = record.attributes.gateway_regions if record.attributes else UNSET
    return (*record.prefixes, *record.fqdns, *record.service_tags, *record.patterns, *(gateways or ()))


def _unsafe_prefixes(changes: Changeset) -> Iterator[str]:
    for change in changes:
        for prefix in change.prefixes_added:
            if reason := unsafe_reason(prefix):
                yield f"{reason} ({change.id})"


def _unsafe_names(changes: Changeset) -> Iterator[str]:
    """Yield names that would allow a whole top-level domain."""
    for change in changes:
        for fqdn in change.fqdns_added:
            if sum("*" not in label for label in fqdn.split(".")) < 2:
                yield f"{fqdn} covers a whole top-level domain ({change.id})"


def _listed(what: str, found: list[str]) -> Iterator[str]:
    """Yield one reason for all of ``found``: the first few named, the rest counted."""
    if found:
        rest = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        yield f"{what}: {'; '.join(found[:_LISTED])}{rest}"
