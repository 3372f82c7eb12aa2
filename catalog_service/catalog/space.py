"""Address space: what lists of prefixes cover, whatever way it is cut.

In: prefixes in canonical form. Out: the fewest prefixes that cover the same addresses, those that one list
covers and another does not, or what a change gains and loses. ``20.0.0.0/25`` and ``20.0.0.128/25`` are
``20.0.0.0/24`` here. Called by `compare` and `prefix_conflicts`; `name_conflicts` joins ports as addresses are here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop
from typing import TypeVar

from msgspec import Struct

from schema.prefix import parse_block

Span = tuple[int, int, int]
"""Family, first and last address."""
Spans = tuple[Span, ...]
"""Sorted, apart from each other."""
_Kind = TypeVar("_Kind", int, str)
_REMEMBERED = 1 << 17
"""A whole Public file names 57,000 prefixes, most of them in several records: their spans are asked for again."""


class Extent(Struct, frozen=True):
    """Some addresses: the fewest prefixes that cover them, and how many there are.

    Counts are decimal text: 2**96 addresses are nothing unusual, and no JSON number.
    """

    prefixes: tuple[str, ...]
    """In catalogue order."""
    ipv4_addresses: str
    ipv6_addresses: str


class AddressSpace(Struct, frozen=True):
    """What was covered by nothing before and is now, and the other way round."""

    gained: Extent
    lost: Extent


def covered(prefixes: Iterable[str]) -> Spans:
    """Return the addresses of ``prefixes`` as spans: sorted, apart from each other. O(n log n)."""
    return joined(map(_span, prefixes))


def joined(ranges: Iterable[tuple[_Kind, int, int]]) -> tuple[tuple[_Kind, int, int], ...]:
    """Return ``ranges`` sorted, those of one kind that overlap or touch as one."""
    ordered = sorted(ranges)
    if not ordered:
        return ()
    apart: list[tuple[_Kind, int, int]] = []
    open_kind, start, end = ordered[0]
    for kind, first, last in ordered:
        if kind != open_kind or first > end + 1:
            apart.append((open_kind, start, end))
            open_kind, start, end = kind, first, last
        elif last > end:
            end = last
    apart.append((open_kind, start, end))
    return tuple(apart)


def without(spans: Spans, taken: Spans) -> Spans:
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


def common(spans: Spans, others: Spans) -> Spans:
    """Return what both cover."""
    return without(spans, without(spans, others))


def shift(added: Iterable[str], removed: Iterable[str], kept: Iterable[str]) -> tuple[Spans, Spans]:
    """Return the addresses gained and lost where ``kept`` and ``removed`` became ``kept`` and ``added``."""
    fresh, gone = covered(added), covered(removed)
    stays = touching(kept, joined((*fresh, *gone)))
    return without(without(fresh, stays), gone), without(without(gone, stays), fresh)


def touching(prefixes: Iterable[str], spans: Spans) -> Spans:
    """Return what those of ``prefixes`` cover that share an address with ``spans``.

    The others are not worth sorting: AzureCloud holds 14,000 prefixes and moves a handful.
    """
    firsts, lasts = ({family: [one[at] for one in spans if one[0] == family] for family in (4, 6)} for at in (1, 2))
    found = []
    for span in map(_span, prefixes):
        family, first, last = span
        at = bisect_right(firsts[family], last) - 1
        if at >= 0 and lasts[family][at] >= first:
            found.append(span)
    return joined(found)


def address_space(gained: Spans, lost: Spans) -> AddressSpace:
    """Return ``gained`` and ``lost`` as they are told."""
    return AddressSpace(_extent(gained), _extent(lost))


def as_prefixes(spans: Spans) -> tuple[str, ...]:
    """Return the fewest prefixes that cover ``spans``, in catalogue order."""
    return tuple(prefix for span in spans for prefix in _blocks(*span))


def _extent(spans: Spans) -> Extent:
    sizes = {4: 0, 6: 0}
    for family, first, last in spans:
        sizes[family] += last - first + 1
    return Extent(as_prefixes(spans), str(sizes[4]), str(sizes[6]))


@lru_cache(maxsize=_REMEMBERED)
def _span(prefix: str) -> Span:
    return parse_block(prefix)[:3]


def _blocks(family: int, first: int, last: int) -> Iterator[str]:
    """Yield the fewest blocks from ``first`` to ``last``: each as large as its start and what is left allow."""
    bits, code = (32, AF_INET) if family == 4 else (128, AF_INET6)
    while first <= last:
        aligned = (first & -first).bit_length() - 1 if first else bits
        host_bits = min(aligned, (last - first + 1).bit_length() - 1)
        yield f"{inet_ntop(code, first.to_bytes(bits // 8))}/{bits - host_bits}"
        first += 1 << host_bits
