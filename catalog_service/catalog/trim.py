"""The part of a change that is asked for.

In: a change, and the kinds, families and side wanted. Out: the change with those of its members alone, or None. The
members of a change are its prefixes, its names and the service tags it refers to. One that had members and keeps none
goes; one of attributes alone stays, unless kinds or a side are asked for. Called by `compare`; `impact` asks
for the tags alone.
"""

from __future__ import annotations

from msgspec.structs import replace

from schema.change import Change
from schema.words import Disposition, Family, Kind, Only

_Tags = tuple[tuple[str, ...], tuple[str, ...]]


def trimmed(change: Change, kinds: tuple[Kind, ...], family: Family, only: Only | None) -> Change | None:
    """Return what is left of ``change``, None when that is nothing; empty filters take nothing away."""
    if not (kinds or only) and family is Family.BOTH:
        return change
    adds, removes = only is not Only.REMOVED, only is not Only.ADDED
    prefixes, names = not kinds or Kind.PREFIX in kinds, not kinds or Kind.FQDN in kinds
    added, removed = tags_of(change)
    tagged = (not kinds or Kind.SERVICE_TAG in kinds) and bool((added and adds) or (removed and removes))
    left = replace(
        change,
        prefixes_added=_of_family(change.prefixes_added, family) if prefixes and adds else (),
        prefixes_removed=_of_family(change.prefixes_removed, family) if prefixes and removes else (),
        fqdns_added=change.fqdns_added if names and adds else (),
        fqdns_removed=change.fqdns_removed if names and removes else (),
        attributes=tuple(one for one in change.attributes if tagged or one.name != "service_tags"),
    )
    if _has_members(left) or tagged:
        return left
    return None if kinds or only or _has_members(change) or added or removed else left


def tags_of(change: Change) -> _Tags:
    """Return the references to service tags that ``change`` adds and removes."""
    if change.record:
        tags = change.record.service_tags
        return (tags, ()) if change.disposition is Disposition.ADD else ((), tags)
    for one in change.attributes:
        if one.name == "service_tags":
            before, after = (set(side) if isinstance(side, tuple) else set() for side in (one.previous, one.current))
            return tuple(after - before), tuple(before - after)
    return (), ()


def _has_members(change: Change) -> bool:
    return bool(change.prefixes_added or change.prefixes_removed or change.fqdns_added or change.fqdns_removed)


def _of_family(prefixes: tuple[str, ...], family: Family) -> tuple[str, ...]:
    if family is Family.BOTH:
        return prefixes
    return tuple(prefix for prefix in prefixes if (":" in prefix) is (family is Family.IPV6))
