"""Is this changeset safe to publish without a person?

In: a source's limits, its records before and after, and the changes between them. Out: every reason
to hold it back, () when there is none. An allowlist that silently shrinks or opens up is the one
fault this product must not have (limits-and-faults.md A9, B7). Called by sync before every commit.
"""

from __future__ import annotations

from collections.abc import Iterator

from schema.change import Change, Changeset, summarize
from schema.endpoint_set import EndpointSet
from schema.guard import GuardLimits
from schema.prefix import unsafe_reason
from schema.version import count
from schema.words import Disposition

_LISTED = 5
_HALF = 0.5

Records = tuple[EndpointSet, ...]


def unsafe_reasons(limits: GuardLimits, previous: Records, current: Records, changes: Changeset) -> tuple[str, ...]:
    """Return why ``changes`` must be held, as sentences; () when they may be published.

    ``previous`` is empty before a source's first version: then only size and content are judged.
    """
    reasons = list(_too_small(limits, current))
    if previous:
        reasons += _shares(limits, previous, changes)
        reasons += _listed("emptied", [change.id for change in _emptied(previous, changes)])
    reasons += _listed("unsafe prefix", list(_unsafe_prefixes(changes)))
    reasons += _listed("unsafe name", list(_unsafe_names(changes)))
    return tuple(reasons)


def _too_small(limits: GuardLimits, current: Records) -> Iterator[str]:
    if len(current) < limits.min_endpoint_sets:
        yield f"{len(current)} endpoint sets, fewer than the {limits.min_endpoint_sets} this source has at least"


def _shares(limits: GuardLimits, previous: Records, changes: Changeset) -> Iterator[str]:
    counts, before = summarize(changes), count(previous)
    members = before.prefixes + before.fqdns
    judged = (
        ("members removed", counts.prefixes_removed + counts.fqdns_removed, members, limits.max_members_removed_share),
        ("endpoint sets removed", counts.endpoint_sets_removed, len(previous), limits.max_endpoint_sets_removed_share),
        ("members added", counts.prefixes_added + counts.fqdns_added, members, limits.max_members_added_share),
    )
    for what, changed, total, limit in judged:
        share = changed / total if total else 0.0
        # A handful is no flood, unless a handful is most of what there was.
        if share > limit and (changed > limits.small or (share > _HALF and "removed" in what)):
            yield f"{changed} of {total} {what} ({share:.1%}), more than {limit:.0%}"


def _emptied(previous: Records, changes: Changeset) -> Iterator[Change]:
    """Yield changes that leave a record standing with no member of those it had (0 of 245 real weeks)."""
    before = {record.id: record for record in previous}
    for change in changes:
        if change.disposition is Disposition.CHANGE and not (change.prefixes_added or change.fqdns_added):
            record = before[change.id]
            lost = len(change.prefixes_removed) + len(change.fqdns_removed)
            if lost and lost == len(record.prefixes) + len(record.fqdns):
                yield change


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
