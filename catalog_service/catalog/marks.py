"""Since which version each record is listed, and which one changed it last.

In: the marks before, and a version's changeset. Out: the marks after. A record that left keeps its mark:
when it returns, it was first seen when it really was (sources.md T3, vanish and return). Kept beside each
keyframe; called by the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from schema.change import Changeset
from schema.words import Disposition


class Mark(Struct, frozen=True, array_like=True, gc=False):
    """Version numbers of one record's first listing and its last change."""

    first_seen: int
    last_changed: int


Marks = Mapping[str, Mark]
"""By record id."""


def marked(marks: Marks, steps: Iterable[tuple[int, Changeset]]) -> Marks:
    """Return ``marks`` after the changesets of ``steps``, each with its version's number, in their order."""
    after = dict(marks)
    for number, changes in steps:
        for change in changes:
            known = after.get(change.id)
            if known:
                after[change.id] = Mark(known.first_seen, number)
            elif change.disposition is Disposition.ADD:
                after[change.id] = Mark(number, number)
    return after
