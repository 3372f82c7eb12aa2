"""The past of one source in memory: who held what, from when to when.

In: the steps of a source along upstream's time, oldest first (`store.steps`). Out: a `Chronicle` that tells of any
prefix, name or record in microseconds. It is never changed: a new version makes a new one that shares the rest.
Called by `biography` and by `api.reads.chronicles`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from catalog_service.catalog.lookup import Wildcards
from schema.change import Change, Changeset


class Moment(Struct, frozen=True, gc=False):
    """Since when a version of a source was valid upstream."""

    at: datetime
    version: int
    """0: upstream was closed."""
    gap_from: datetime | None = None
    """From when to ``at`` versions were valid that were pruned: what happened ``at`` may have happened since then."""


class Step(Struct, frozen=True):
    """A moment, and what changed then."""

    moment: Moment
    changes: Changeset


class Span(Struct, frozen=True, gc=False):
    """From which step to which a record held a member."""

    record: str
    came: int
    left: int | None = None
    """The step that no longer has it; None: no end is known."""

    def covers(self, step: int) -> bool:
        """Tell whether the member was held at ``step``."""
        return self.came <= step and (self.left is None or step < self.left)


class Turn(Struct, frozen=True):
    """A step in which a record changed."""

    step: int
    change: Change


class Chronicle(Struct, frozen=True, dict=True, eq=False):
    """The past of one source, from the oldest content that is known."""

    source: str
    moments: tuple[Moment, ...] = ()
    """Of each step, in order; steps are named by their place here."""
    spans: Mapping[str, tuple[Span, ...]] = MappingProxyType({})
    """By prefix or name: who held it when, in the order they came."""
    turns: Mapping[str, tuple[Turn, ...]] = MappingProxyType({})
    """By record id: its changes, in order."""

    @cached_property
    def wildcards(self) -> Wildcards:
        """The names with a wildcard that were ever listed."""
        return Wildcards(self.spans)

    def step_at(self, at: datetime) -> int | None:
        """Return the step that was valid at ``at``, None when nothing is known of that time."""
        found = bisect_right(self.moments, at, key=lambda moment: moment.at) - 1
        following = self.moments[found + 1] if found + 1 < len(self.moments) else None
        in_gap = following is not None and following.gap_from is not None and following.gap_from <= at
        return None if found < 0 or in_gap else found

    def is_vague(self, step: int) -> bool:
        """Tell whether what happened in ``step`` may have happened before: what was right before is not known."""
        return step == 0 or self.moments[step].gap_from is not None

    def step_of(self, version: int) -> int | None:
        """Return the newest step of ``version``, None when there is none."""
        return next((step for step in self._newest_first() if self.moments[step].version == version), None)

    def _newest_first(self) -> Iterator[int]:
        return reversed(range(len(self.moments)))


def extended(before: Chronicle, steps: Iterable[Step]) -> Chronicle:
    """Return ``before`` with ``steps`` after its own."""
    moments, spans, turns = list(before.moments), dict(before.spans), dict(before.turns)
    texts: dict[str, str] = {}
    for number, step in enumerate(steps, len(moments)):
        moments.append(step.moment)
        for change in step.changes:
            shared = _shared(change, texts)
            turns[change.id] = (*turns.get(change.id, ()), Turn(number, shared))
            _came(spans, Span(change.id, number), (*shared.prefixes_added, *shared.fqdns_added))
            _left(spans, change.id, number, (*shared.prefixes_removed, *shared.fqdns_removed))
    return Chronicle(before.source, tuple(moments), spans, turns)


def _came(spans: dict[str, tuple[Span, ...]], span: Span, members: Iterable[str]) -> None:
    alone = (span,)
    for member in members:
        known = spans.get(member)
        spans[member] = (*known, span) if known else alone


def _left(spans: dict[str, tuple[Span, ...]], record: str, step: int, members: Iterable[str]) -> None:
    closed: dict[Span, Span] = {}
    for member in members:
        spans[member] = tuple(
            closed.setdefault(span, Span(record, span.came, step))
            if span.left is None and span.record == record
            else span
            for span in spans[member]
        )


def _shared(change: Change, texts: dict[str, str]) -> Change:
    """Return ``change`` with one object for equal texts: what is decoded from bytes has one for each."""
    prefixes, fqdns = _one_each(change.prefixes_added, texts), _one_each(change.fqdns_added, texts)
    gone, gone_fqdns = _one_each(change.prefixes_removed, texts), _one_each(change.fqdns_removed, texts)
    record = change.record
    if record is not None:
        record = replace(record, prefixes=prefixes or gone, fqdns=fqdns or gone_fqdns)
    return replace(
        change,
        prefixes_added=prefixes,
        prefixes_removed=gone,
        fqdns_added=fqdns,
        fqdns_removed=gone_fqdns,
        record=record,
    )


def _one_each(members: tuple[str, ...], texts: dict[str, str]) -> tuple[str, ...]:
    return tuple(texts.setdefault(member, member) for member in members)
