"""Address space: what lists of prefixes cover, whatever way it is cut.

In: prefixes in canonical form. Out: the fewest prefixes that cover the same addresses, or those that one list
covers and another does not. ``20.0.0.0/25`` and ``20.0.0.128/25`` are ``20.0.0.0/24`` here. Called by
`prefix_conflicts`; `name_conflicts` joins ports as addresses are joined here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TypeVar

from schema.prefix import parse_block, split_range

Span = tuple[int, int, int]
"""Family, first and last address."""
_Kind = TypeVar("_Kind", int, str)


def covered(prefixes: Iterable[str]) -> tuple[Span, ...]:
    """Return the addresses of ``prefixes`` as spans: sorted, apart from each other. O(n log n)."""
    return joined((family, first, last) for family, first, last, _ in map(parse_block, prefixes))


def joined(ranges: Iterable[tuple[_Kind, int, int]]) -> tuple[tuple[_Kind, int, int], ...]:
    """Return ``ranges`` sorted, those of one kind that overlap or touch as one."""
    apart: list[tuple[_Kind, int, int]] = []
    for kind, first, last in sorted(ranges):
        if apart and apart[-1][0] == kind and first <= apart[-1][2] + 1:
            apart[-1] = (kind, apart[-1][1], max(last, apart[-1][2]))
        else:
            apart.append((kind, first, last))
    return tuple(apart)


def without(spans: tuple[Span, ...], taken: tuple[Span, ...]) -> tuple[Span, ...]:
    """Return what is left of ``spans`` without ``taken``, both as `covered` returns them."""
    left: list[Span] = []
    index = 0
    for family, first, last in spans:
        start = first
        while index < len(taken) and (taken[index][0], taken[index][2]) < (family, start):
            index += 1
        at = index
        while at < len(taken) and taken[at][0] == family and taken[at][1] <= last:
            if start < taken[at][1]:
                left.append((family, start, taken[at][1] - 1))
            start = taken[at][2] + 1
            at += 1
        if start <= last:
            left.append((family, start, last))
    return tuple(left)


def as_prefixes(spans: tuple[Span, ...]) -> tuple[str, ...]:
    """Return the fewest prefixes that cover ``spans``, in catalogue order."""
    return tuple(
        prefix for family, first, last in spans for prefix in split_range(_text(family, first), _text(family, last))
    )


def _text(family: int, address: int) -> str:
    return str(ipaddress.IPv4Address(address) if family == 4 else ipaddress.IPv6Address(address))
