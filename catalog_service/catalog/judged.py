"""What is to be said of every change of a diff, before anybody asks for some of it.

In: the changes that lead from one point to another, and every record afterwards, by id: what was before follows from
both, so the earlier point is never loaded. Out: a `Judged`, of which `compare` answers any number of questions. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import chain

from catalog_service.catalog.diff import FIELDS
from catalog_service.catalog.fold import changed
from catalog_service.catalog.impact import Judge, Verdict, judge
from catalog_service.catalog.moves import Move, Pair, moves
from schema.change import AttributeChange, Change, Changeset
from schema.endpoint_set import EndpointSet
from schema.errors import CorruptContentError
from schema.words import Disposition


class Judged:
    """The changes of a diff with their verdicts and moves, each made when it is first asked for, and kept.

    A verdict is that of the whole change among all changes of its source, whoever asks, and in whatever order.
    Threads may share it: at worst, two make the same.
    """

    def __init__(self, pairs: tuple[Pair, ...], after: Mapping[str, EndpointSet]) -> None:
        self.pairs = pairs
        """Sorted by id."""
        self.after = after
        """Every record afterwards, by id."""
        self._judges: dict[str, Judge] = {}
        self._verdicts: dict[str, Verdict] = {}

    @cached_property
    def moves(self) -> tuple[Move, ...]:
        """As `catalog.moves` sorts them."""
        return moves(self.pairs)

    def moves_of(self, id_: str) -> tuple[int, ...]:
        """Return where in `moves` those are that the record ``id_`` has a part in; () for none."""
        return self._places.get(id_, ())

    def verdict(self, pair: Pair) -> Verdict:
        """Return what is to be said of ``pair``, one of `pairs`."""
        found = self._verdicts.get(pair.change.id)
        if found is None:
            found = self._verdicts[pair.change.id] = self._judge(pair.record.source)(pair)
        return found

    def _judge(self, source: str) -> Judge:
        if source not in self._judges:
            own = tuple(pair for pair in self.pairs if pair.record.source == source)
            here = tuple(move for move in self.moves if move.source == source)
            self._judges[source] = judge(own, here, tuple(self._listed[source]))
        return self._judges[source]

    @cached_property
    def _listed(self) -> dict[str, list[EndpointSet]]:
        """What each source that changed lists afterwards."""
        listed: dict[str, list[EndpointSet]] = {pair.record.source: [] for pair in self.pairs}
        for record in self.after.values():
            if record.source in listed:
                listed[record.source].append(record)
        return listed

    @cached_property
    def _places(self) -> dict[str, tuple[int, ...]]:
        places: dict[str, list[int]] = {}
        for number, move in enumerate(self.moves):
            for id_ in chain(move.from_ids, move.to_ids):
                places.setdefault(id_, []).append(number)
        return {id_: tuple(several) for id_, several in places.items()}


def judged(changes: Changeset, after: Mapping[str, EndpointSet]) -> Judged:
    """Return ``changes``, which led to ``after``, to be asked about. Raises CorruptContentError, as `pair_of`."""
    return Judged(tuple(pair_of(change, after) for change in changes), after)


def pair_of(change: Change, after: Mapping[str, EndpointSet]) -> Pair:
    """Return ``change``, which led to ``after``, with its record at either end.

    Raises:
        CorruptContentError: it is a change of a record that ``after`` does not hold.
    """
    if change.disposition is Disposition.ADD:
        return Pair(change, None, change.record)
    if change.disposition is Disposition.REMOVE:
        return Pair(change, change.record, None)
    record = after.get(change.id)
    if record is None:
        raise CorruptContentError(f"Change of {change.id}, which is not there", id=change.id)
    return Pair(change, _fields_before(record, change), record)


def _fields_before(record: EndpointSet, change: Change) -> EndpointSet:
    """Return ``record`` with its fields as they were; its members are left as they are."""
    own = tuple(AttributeChange(one.name, one.current, one.previous) for one in change.attributes if one.name in FIELDS)
    return changed(record, Change(change.id, Disposition.CHANGE, attributes=own)) if own else record
