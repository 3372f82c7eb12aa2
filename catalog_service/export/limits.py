"""Lists and the limits of devices: over the limit a list is refused, split, cut with a count or aggregated.

A device over its limit skips entries without a word; a list that this module lets through fits. Called by `prepare`.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

from msgspec import Struct

from catalog_service.catalog.select import Allowlist
from catalog_service.export.format import Format
from catalog_service.export.options import PART_MOST, Options, Overflow
from schema.errors import BadParameterError, OverLimitError


class Fit(Struct, frozen=True):
    """The entries of a list, or of one part of it, that fit."""

    listed: Allowlist
    truncated: int = 0
    part: int = 0
    parts: int = 0
    aggregated: bool = False


class _Bounds(Struct, frozen=True):
    entries: int
    max_bytes: int

    def hold(self, members: tuple[str, ...]) -> bool:
        return len(members) <= self.entries and _size(members) <= self.max_bytes


def fitted(format_: Format, listed: Allowlist, options: Options, aggregated: Callable[[], Allowlist]) -> Fit:
    """Return what of ``listed`` fits into ``format_``, by ``options``; ``aggregated`` gives its lossless aggregate.

    Raises:
        OverLimitError: more than the limit, and it is neither to be split nor to be cut.
        BadParameterError: there is no such part.
    """
    bounds = _bounds(format_, options)
    members = (*listed.prefixes, *listed.fqdns)
    if options.overflow is Overflow.SPLIT:
        return _part(listed, _cuts(members, bounds), options.part or 1)
    if bounds.hold(members):
        return Fit(listed)
    if options.overflow is Overflow.TRUNCATE:
        stop = _cuts(members, bounds)[1]
        return Fit(_slice(listed, 0, stop), len(members) - stop)
    fewest = aggregated()
    if options.overflow is Overflow.AGGREGATE and bounds.hold((*fewest.prefixes, *fewest.fqdns)):
        return Fit(fewest, aggregated=True)
    raise _over(format_, members, (*fewest.prefixes, *fewest.fqdns), bounds)


def _bounds(format_: Format, options: Options) -> _Bounds:
    """Return the limits that count: above the known number, ``limit`` tells of a larger device, of unknown bytes."""
    known, given = format_.limit, options.limit
    if known is None or (given or 0) > known.entries:
        return _Bounds(given or sys.maxsize, sys.maxsize)
    return _Bounds(given or known.entries, known.max_bytes or sys.maxsize)


def _part(listed: Allowlist, cuts: list[int], part: int) -> Fit:
    parts = len(cuts) - 1
    if parts > PART_MOST:
        raise BadParameterError(f"limit would make {parts} parts, over {PART_MOST}", parameter="limit", parts=parts)
    if part > parts:
        raise BadParameterError(f"there are {parts} parts", parameter="part", value=part, parts=parts)
    return Fit(_slice(listed, cuts[part - 1], cuts[part]), part=part, parts=parts)


def _cuts(members: tuple[str, ...], bounds: _Bounds) -> list[int]:
    """Return where the parts of ``members`` begin, and the end; no member alone is over a limit in bytes."""
    ends = list(accumulate(len(member) + 1 for member in members))
    cuts = [0]
    while cuts[-1] < len(members):
        start = cuts[-1]
        used = ends[start - 1] if start else 0
        cuts.append(min(start + bounds.entries, bisect_right(ends, used + bounds.max_bytes)))
    return cuts


def _slice(listed: Allowlist, start: int, stop: int) -> Allowlist:
    middle = len(listed.prefixes)
    return Allowlist(listed.prefixes[start:stop], listed.fqdns[max(0, start - middle) : max(0, stop - middle)])


def _size(members: tuple[str, ...]) -> int:
    """Return the bytes of ``members``, one a line."""
    return sum(map(len, members)) + len(members)


def _over(format_: Format, members: tuple[str, ...], fewest: tuple[str, ...], bounds: _Bounds) -> OverLimitError:
    count, size = len(members), _size(members)
    too_long = count > bounds.entries
    over = (
        f"{count} entries, {count - bounds.entries} over the limit of {bounds.entries}"
        if too_long
        else (f"{size} bytes, {size - bounds.max_bytes} over the limit of {bounds.max_bytes}")
    )
    fits, ways = ("which fits", "aggregate, split") if bounds.hold(fewest) else ("too many as well", "split")
    message = (
        f"this list has {over} for {format_.name}; aggregated it has {len(fewest)} ({fits});"
        f" overflow={ways} or truncate, a narrower filter, or limit= for a larger device"
    )
    return OverLimitError(
        message,
        parameter="overflow",
        entries=count,
        limit=bounds.entries,
        over=count - bounds.entries if too_long else None,
        bytes=None if too_long else size,
        max_bytes=None if too_long else bounds.max_bytes,
        aggregated=len(fewest),
        product=format_.limit.product if format_.limit else None,
    )
