"""Address space: what lists of prefixes cover, whatever way it is cut.

In: prefixes in canonical form. Out: the fewest prefixes that cover the same addresses, or those that one list
covers and another does not. ``20.0.0.0/25`` and ``20.0.0.128/25`` are ``20.0.0.0/24`` here. Called by `conflicts`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from schema.prefix import parse_block, split_range

Span = tuple[int, int, int]
"""Family, first and last address."""


def covered(prefixes: Iterable[str]) -> tuple[Span, ...]:
    """Return the addresses of ``prefixes`` as spans: sorted, apart from each other. O(n log n)."""
    spans: list[Span] = []
    for family, first, last, _ in sorted(map(parse_block, prefixes)):
        if spans and spans[-1][0] == family and first <= spans[-1][2] + 1:
            spans[-1] = (family, spans[-1][1], max(last, spans[-1][2]))
        else:
            spans.append((family, first, last))
    return tuple(spans)


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
