"""How a list is to be cut, beyond which records it is made of: the common parameters of every format.

In: what a client asks for, already typed. Out: the `Options` that `prepare` works by, checked against the format.
Called by REST, GraphQL and the command line.
"""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct

from catalog_service.export.format import Format
from schema.errors import BadParameterError
from schema.words import Family, Kind

DEFAULT_NAME = "catalog"
LIMIT_MOST = 10_000_000
PART_MOST = 1000
# What a list may be called in every format: no quote, no space, no line end, nothing that a device reads as syntax.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class Ranges(StrEnum):
    """How addresses are written."""

    CIDR = "cidr"
    RANGE = "range"
    """``first-last``: the fewest ranges that cover the same addresses."""


class Overflow(StrEnum):
    """What to do with a list over the limit; it is never cut without a word."""

    REFUSE = "refuse"
    TRUNCATE = "truncate"
    """The first entries up to the limit, and how many are cut off."""
    SPLIT = "split"
    """Parts of at most the limit."""
    AGGREGATE = "aggregate"
    """The fewest prefixes that cover the same addresses; refused if these are over the limit too."""


class Options(Struct, frozen=True, omit_defaults=True):
    """The common parameters. ``limit`` None is the device's own, ``name`` None the default one."""

    family: Family = Family.BOTH
    aggregate: bool = False
    ranges: Ranges = Ranges.CIDR
    overflow: Overflow = Overflow.REFUSE
    limit: int | None = None
    name: str | None = None
    part: int | None = None
    """1 is the first; only where the overflow is split."""


PLAIN = Options()
"""Everything, as upstream cuts it."""


def check_options(format_: Format, options: Options) -> None:
    """Raise BadParameterError for what ``format_`` has no use for: an option that was meant and not heard misleads."""
    if options.name is not None:
        _check_name(format_, options.name)
    _check_addresses(format_, options)
    if options.limit is not None and not 1 <= options.limit <= LIMIT_MOST:
        raise _bad(f"limit is a number from 1 to {LIMIT_MOST}", "limit", options.limit)
    if options.overflow is not Overflow.REFUSE and not (options.limit or format_.limit):
        raise _bad(f"{format_.name} has no limit of its own: overflow needs limit", "overflow", options.overflow)
    if options.part is not None and options.overflow is not Overflow.SPLIT:
        raise _bad("part goes with overflow=split", "part", options.part)
    if options.part is not None and not 1 <= options.part <= PART_MOST:
        raise _bad(f"part is a number from 1 to {PART_MOST}", "part", options.part)


def _check_name(format_: Format, name: str) -> None:
    if not format_.name_length:
        raise _bad(f"a list in the format {format_.name} has no name", "name", name[:80])
    if len(name) > format_.name_length or not _NAME.fullmatch(name):
        message = (
            f"a name is a letter, then letters, digits, - and _; up to {format_.name_length} of them in {format_.name}"
        )
        raise _bad(message, "name", name[:80])


def _check_addresses(format_: Format, options: Options) -> None:
    if options.ranges is Ranges.RANGE and not format_.ranges:
        raise _bad(f"{format_.name} cannot hold ranges", "ranges", options.ranges)
    if Kind.PREFIX in format_.kinds:
        return
    for name, meant in (
        ("family", options.family is not Family.BOTH),
        ("aggregate", options.aggregate),
        ("overflow", options.overflow is Overflow.AGGREGATE),
    ):
        if meant:
            raise _bad(f"{format_.name} holds no addresses: {name} has no meaning there", name, None)


def _bad(message: str, parameter: str, value: object) -> BadParameterError:
    return BadParameterError(message, parameter=parameter, value=value)
