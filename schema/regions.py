"""One region under every spelling: ARM name, display name, service-tag suffix, ``properties.region``, geography.

In: a region as anyone writes it. Out: its code. Scrapers store codes, filters compare codes, so that a
query may use any spelling. Case, white space, hyphens, dots and footnote stars do not count; nothing else is guessed: a
spelling that `region_table` does not hold stays what upstream wrote, and `catalog.regions` reports it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from schema.region_table import GEOGRAPHIES, REGIONS, Geography, Region

__all__ = ["GEOGRAPHIES", "REGIONS", "Geography", "Region", "covered_codes", "known_region", "region_code"]

_SKIPPED = re.compile(r"[\s.*\u200b\ufeff-]+")


@lru_cache(maxsize=1 << 12)
def known_region(text: str) -> Region | Geography | None:
    """Return the region or geography that ``text`` spells, None when the crosswalk does not know it."""
    return _BY_SPELLING.get(_key(text))


def region_code(text: str) -> str:
    """Return the code of the region or geography ``text``; unknown: ``text`` in lower case, white space collapsed.

    ``Germany West Central``, ``germanywc`` -> ``germanywestcentral``; ``Asia Pacific`` -> ``asia``;
    ``New  Region`` -> ``new region``. A code is its own code. Empty text stays empty.
    """
    known = known_region(text)
    return known.code if known else " ".join(text.split()).lower()


def covered_codes(text: str) -> frozenset[str]:
    """Return the codes of records that a query for ``text`` means: its own, and a geography's Azure regions'.

    A geography that no page documents the regions of, such as China, has all those of its cloud.
    """
    known = known_region(text)
    if not isinstance(known, Geography):
        return frozenset((region_code(text),))
    every = (one.code for one in REGIONS if not one.staging and not set(one.clouds).isdisjoint(known.clouds))
    return frozenset((known.code, *(known.regions or every)))


def _key(text: str) -> str:
    return _SKIPPED.sub("", text).casefold()


_ENTRIES: tuple[Region | Geography, ...] = (*REGIONS, *GEOGRAPHIES)
_BY_SPELLING = {_key(text): one for one in _ENTRIES for text in (one.code, one.name, *one.spellings)}
