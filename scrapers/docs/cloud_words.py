"""Words that name clouds, in every spelling and typo they were published with (sources.md D1.13, D2).

    U.S. Goverment GCC and GCC High endpoints   -> usgov, usgov-gcchigh; "endpoints" and "and" are left
    21Vinaet - China only                       -> china; "only" is left

What is left tells a list of clouds from a remark, and shows cloud words that no rule has read.
Called by `clouds` for headings, endpoint types and regions, by `cloud_uses` for the uses.
"""

from __future__ import annotations

import re

from msgspec import Struct

from schema.words import EVERY_CLOUD, US_GOVERNMENT, Cloud, ordered

Clouds = tuple[Cloud, ...]

UNITED_STATES = r"(?:\bu\.?\s?s\.?|\bunited states)"
_GOV = r"gov(?:er?n?ment)?"
GOVERNMENT = rf"(?:{UNITED_STATES}[\s-]*(?:federal\s+)?{_GOV}(?!ern)|\bazure {_GOV}\b)"
"""The government by its country; also the start of ``usgovvirginia``."""
VIANET = r"\b21[\s-]?v[a-z]{3,7}\b"
"""``21Vianet`` as it was ever misspelled."""

_EVERY = re.compile(r"\ball\s+clouds\b|\bevery\s+cloud\b(?!\s+flow)", re.IGNORECASE)
# Code names: L4 and L5 are the impact levels of GCC High and DoD, Fairfax the government's, Gallatin China's.
_GCC_HIGH = re.compile(r"\bgcc[\s-]?h(?:igh)?\b|\bgovernment community cloud high\b|(?<!gcc )\bi?l4\b", re.IGNORECASE)
_GCC = re.compile(r"\bgcc\b|\bgovernment community cloud\b(?!\s*high)", re.IGNORECASE)
_DOD = re.compile(r"\bus[\s-]?dod|\bdod\b|\bdepartment of defen[sc]e\b|(?<!gcc )\bi?l5\b", re.IGNORECASE)
# "Sovereign" alone is the US government's (`US sovereign clouds`); Microsoft's national clouds are China's too.
_US_GOVERNMENT = re.compile(
    rf"{GOVERNMENT}|{UNITED_STATES}\s+(?:sovereign|national|federal)\b|\bfederal(?:\s+{_GOV})?\b|\bsovereign\b"
    rf"|(?<![.\w])gov(?:er?n?ment)?\b(?!\.\w)|\bfairfax\b",
    re.IGNORECASE,
)
_NATIONAL = re.compile(r"\bnational\s+clouds?\b|^\W*national(?:\s+endpoints?)?\W*$", re.IGNORECASE)
_CHINA = re.compile(rf"{VIANET}|\bvianet\b|\bchina(?:\b|(?=east|north))|\b(?:mooncake|gallatin)\b", re.IGNORECASE)
# Germany alone is a region of the public cloud since 2021.
_GERMANY = re.compile(
    r"\bgermany[\s-]+(?:endpoints?|clouds?|only)\b|\bmicrosoft cloud (?:germany|deutschland)\b", re.IGNORECASE
)
_PUBLIC = re.compile(r"\bpublic\b|\bworld?wide\b|\bworlwide\b|\bcommercial\b|\bproduction regions\b", re.IGNORECASE)

# In this order: what is read is taken out, so that "GCC High" is not GCC and "US national clouds" not China's.
_SINGLE: tuple[tuple[re.Pattern[str], Clouds], ...] = (
    (_GCC_HIGH, (Cloud.USGOV_GCCHIGH,)),
    (_GCC, (Cloud.USGOV,)),
    (_DOD, (Cloud.USGOV_DOD,)),
    (_CHINA, (Cloud.CHINA,)),
    (_GERMANY, (Cloud.GERMANY,)),
    (_PUBLIC, (Cloud.PUBLIC,)),
)
# General words, each with the clouds that make it say nothing more: "U.S. Government - GCC only" is GCC.
_GENERAL: tuple[tuple[re.Pattern[str], Clouds, Clouds], ...] = (
    (_US_GOVERNMENT, US_GOVERNMENT, US_GOVERNMENT),
    (_NATIONAL, (*US_GOVERNMENT, Cloud.CHINA), (*US_GOVERNMENT, Cloud.CHINA)),
)

_CLOUD_WORD = re.compile(
    r"\bgov(?:er?n?ment)?\b|\busgov|\bgcc|\bdod\b|\b21[\s-]?v|\bv(?:ia|ai|in|an)[ian]{0,2}et\b|\bchina\b|\bmooncake\b"
    r"|\bsovereign\b|\bnational clouds?\b|\bgermany\b(?!\s+(?:west|north|central))",
    re.IGNORECASE,
)


class CloudWords(Struct, frozen=True):
    """What a text names, in the order of `Cloud`, and the text without those words."""

    clouds: Clouds
    rest: str


def read_cloud_words(text: str) -> CloudWords:
    """Return every cloud that ``text`` names; GCC, GCC High and DoD where only the government is named."""
    rest = _EVERY.sub(" ", text)
    if rest != text:
        return CloudWords(EVERY_CLOUD, _without_words(rest))
    named: set[Cloud] = set()
    for pattern, clouds in _SINGLE:
        rest, count = pattern.subn(" ", rest)
        named.update(clouds if count else ())
    for pattern, clouds, particular in _GENERAL:
        rest, count = pattern.subn(" ", rest)
        named.update(clouds if count and not named.intersection(particular) else ())
    return CloudWords(ordered(named), rest)


def names_unread_cloud(rest: str) -> bool:
    """Say whether a text still holds a word of clouds after every rule has taken its own out."""
    return _CLOUD_WORD.search(rest) is not None


def _without_words(text: str) -> str:
    for pattern in (*(pattern for pattern, _ in _SINGLE), *(pattern for pattern, *_ in _GENERAL)):
        text = pattern.sub(" ", text)
    return text
