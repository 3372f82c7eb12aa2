"""What several changesets take back among themselves: members that come and go, or leave and return.

In: the changesets in their order, the one they fold into, and every record afterwards. Out: a `TakenBack` for each
record. Pure; called by `events.judgements`, for changes that are told as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain

from msgspec import Struct

from schema.change import Change, Changeset
from schema.endpoint_set import EndpointSet
from schema.errors import CorruptContentError
from schema.prefix import canonical_prefixes

_Members = Callable[[Change], Iterable[str]]


class TakenBack(Struct, frozen=True):
    """Members of one record that moved, and that the changes as a whole do not touch; at least one."""

    record: EndpointSet
    """As it is now, or as it last was."""
    prefixes: tuple[str, ...]
    """Canonical order, unique; ``fqdns`` are sorted."""
    fqdns: tuple[str, ...]


def taken_back(
    changesets: Iterable[Changeset], folded: Changeset, after: Mapping[str, EndpointSet]
) -> tuple[TakenBack, ...]:
    """Return what ``changesets``, which fold into ``folded`` and led to ``after``, took back: sorted by id.

    Raises:
        CorruptContentError: they did not lead to ``after``.
    """
    history: dict[str, list[Change]] = {}
    for change in chain.from_iterable(changesets):
        history.setdefault(change.id, []).append(change)
    net = {change.id: change for change in folded}
    several = ((id_, steps) for id_, steps in sorted(history.items()) if len(steps) > 1)
    found = (_of_record(steps, net.get(id_), after) for id_, steps in several)
    return tuple(one for one in found if one)


def _of_record(steps: Sequence[Change], net: Change | None, after: Mapping[str, EndpointSet]) -> TakenBack | None:
    prefixes, fqdns = _undone(_prefixes, steps, net), _undone(_fqdns, steps, net)
    if not (prefixes or fqdns):
        return None
    last = steps[-1]
    record = after.get(last.id) or last.record
    if record is None:
        raise CorruptContentError(f"Change of {last.id}, which is not there", id=last.id)
    return TakenBack(record, canonical_prefixes(prefixes), tuple(sorted(fqdns)))


def _undone(members: _Members, steps: Iterable[Change], net: Change | None) -> set[str]:
    return set(chain.from_iterable(map(members, steps))).difference(members(net) if net else ())


def _prefixes(change: Change) -> Iterable[str]:
    return chain(change.prefixes_added, change.prefixes_removed)


def _fqdns(change: Change) -> Iterable[str]:
    return chain(change.fqdns_added, change.fqdns_removed)
