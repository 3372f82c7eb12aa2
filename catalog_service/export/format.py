"""What a format is: its words, what it can hold, where its device stops; and what its renderer is given.

A module of this package that renders a format declares a `Format`; `formats` lists them. What stands here is data that
`options`, `prepare` and `limits` work by, so that a renderer has nothing to decide.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum

from msgspec import Struct

from catalog_service.catalog.select import Allowlist
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import View
from schema.fqdn import is_mid_wildcard
from schema.words import Kind


class Wildcards(StrEnum):
    """Where a format takes the ``*`` of a name."""

    ANYWHERE = "anywhere"
    LABELS = "whole labels"
    """``*.x`` and ``a.*.x``, but neither ``*cdn.x`` nor ``a-*.x``."""
    LEADING = "the first label"
    """``*.x`` alone."""

    def take(self, fqdn: str) -> bool:
        """Tell whether ``fqdn`` can be written with these."""
        if self is Wildcards.ANYWHERE or "*" not in fqdn:
            return True
        whole = all(label == "*" or "*" not in label for label in fqdn.split("."))
        return whole and (self is Wildcards.LABELS or not is_mid_wildcard(fqdn))


class DropReason(StrEnum):
    """Why a member is not in a file."""

    PREFIX = "prefix"
    """The format holds names alone."""
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    FQDN = "fqdn"
    """The format holds prefixes alone."""
    WILDCARD = "wildcard"
    """The format cannot express the name's wildcard where it stands."""
    PATTERN = "pattern"
    """A name with a hole (``<tenant>.sharepoint.com``): no format holds one."""


class Dropped(Struct, frozen=True):
    """How many unique members a file lacks for one reason."""

    reason: DropReason
    count: int


class Limit(Struct, frozen=True):
    """Where a device stops reading: dated data, as makers and models differ; ``limit=`` takes another number."""

    entries: int
    product: str
    source: str
    """The document that says so."""
    checked_on: date
    max_bytes: int | None = None
    """Of the whole file, where that is limited too."""


class Cut(Struct, frozen=True, omit_defaults=True):
    """What was left of a list: told in headers, on stderr and in JSON."""

    entries: int
    """Unique entries in the file, as its device counts them."""
    dropped: tuple[Dropped, ...] = ()
    truncated: int = 0
    """Entries over the limit that were cut off, as asked."""
    part: int = 0
    """Of ``parts``, where the list was to be split; 1 is the first."""
    parts: int = 0


class Content(Struct, frozen=True):
    """What a renderer is given: entries that its format can hold, within its limit, never none."""

    snapshot: Snapshot
    view: View
    listed: Allowlist
    """Prefixes or, where they were asked for, ``first-last`` ranges; v4 then v6."""
    cut: Cut
    name: str
    """Of the list, where the format has one: letters, digits, - and _."""
    families: tuple[int, ...] = (4, 6)
    """Those asked for: a set of each may be empty but is there."""
    kinds: tuple[Kind, ...] = (Kind.PREFIX, Kind.FQDN)
    aggregated: bool = False
    """The prefixes are not those of the records: they cover the same addresses and are apart from each other."""

    @property
    def by_family(self) -> tuple[tuple[int, tuple[str, ...]], ...]:
        """The prefixes or ranges of each family asked for."""
        return tuple(
            (family, tuple(one for one in self.listed.prefixes if (":" in one) == (family == 6)))
            for family in self.families
        )


class Format(Struct, frozen=True):
    """One format: its name in ``format=``, its words in HTTP, its renderer and what it can hold."""

    name: str
    media_type: str
    extension: str
    render: Callable[[Content], bytes]
    holds: str
    """One sentence: how what it holds is written, and families and kinds beside each other."""
    kinds: tuple[Kind, ...] = (Kind.PREFIX, Kind.FQDN)
    families: tuple[int, ...] = (4, 6)
    wildcards: Wildcards = Wildcards.ANYWHERE
    ranges: bool = False
    """Whether ``first-last`` is an entry."""
    limit: Limit | None = None
    name_length: int = 0
    """Characters that a list's name may have, room for what the format adds left; 0: lists have no name in it."""
