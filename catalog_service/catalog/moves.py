"""Members that left one record and came into another.

In: the changes of a diff, each with its record before and after. Out: `Move`s. A prefix or name moves within one
source alone: two sources publish for themselves, and what both happen to change in one diff between far versions
may lie months apart. It moves among records of the same clouds and direction: elsewhere a firewall must open for it,
and that is an addition. `impact` says which moves ask for nothing. The same member is meant, as text: addresses that
come back cut another way are no move, and `space` shows that nothing was gained. Called by `judged`.
"""

from __future__ import annotations

from itertools import chain

from msgspec import Struct

from schema.change import Change
from schema.endpoint_set import EndpointSet
from schema.prefix import parse_block
from schema.words import Cloud, Direction, Kind


class Pair(Struct, frozen=True):
    """A change with its record at either end; at least one is there.

    ``before`` is the record as its fields were: after a Change its members are still those of ``after``.
    """

    change: Change
    before: EndpointSet | None
    after: EndpointSet | None

    @property
    def record(self) -> EndpointSet:
        """The record as it is now, or as it last was."""
        record = self.after or self.before
        assert record is not None
        return record


class Move(Struct, frozen=True):
    """A prefix or name that left some records of a source and came into others."""

    source: str
    kind: Kind
    member: str
    from_ids: tuple[str, ...]
    """Sorted, never empty; as are ``to_ids``, and no id is in both."""
    to_ids: tuple[str, ...]


Scope = tuple[str, tuple[Cloud, ...], Direction | None]
"""What a member moves within: source, clouds and direction."""
_Holders = dict[str, list[str]]
"""Ids of records by member."""


def scope_of(record: EndpointSet) -> Scope:
    """Return what the members of ``record`` move within."""
    return record.source, record.all_clouds, record.direction


def moves(pairs: tuple[Pair, ...]) -> tuple[Move, ...]:
    """Return the moves within ``pairs``, those of one source complete: by source, prefixes first, in member order."""
    left = _left(pairs)
    came: dict[Scope, _Holders] = {}
    for pair in pairs:
        if pair.after and (gone := left.get(scope_of(pair.after))):
            held = came.setdefault(scope_of(pair.after), {})
            for member in chain(pair.change.prefixes_added, pair.change.fqdns_added):
                if member in gone:
                    held.setdefault(member, []).append(pair.change.id)
    found = (
        Move(scope[0], _kind(member), member, tuple(sorted(left[scope][member])), tuple(sorted(ids)))
        for scope, held in came.items()
        for member, ids in held.items()
    )
    return tuple(sorted(found, key=_place))


def _left(pairs: tuple[Pair, ...]) -> dict[Scope, _Holders]:
    left: dict[Scope, _Holders] = {}
    for pair in pairs:
        if pair.before and (pair.change.prefixes_removed or pair.change.fqdns_removed):
            held = left.setdefault(scope_of(pair.before), {})
            for member in chain(pair.change.prefixes_removed, pair.change.fqdns_removed):
                held.setdefault(member, []).append(pair.change.id)
    return left


def _kind(member: str) -> Kind:
    return Kind.PREFIX if "/" in member else Kind.FQDN


def _place(move: Move) -> tuple[object, ...]:
    """Order moves: by source, prefixes in catalogue order, then names; one member's by where it went."""
    number = parse_block(move.member) if move.kind is Kind.PREFIX else ()
    return move.source, move.kind is Kind.FQDN, number, move.member, move.to_ids
