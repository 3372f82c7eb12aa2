"""For which clouds a row speaks (sources.md D2).

| where            | words                                            | clouds                       |
|------------------|--------------------------------------------------|------------------------------|
| uses             | (GCC only), (also valid for GCC), (except China) | see `cloud_uses`             |
| endpoint type    | Worldwide endpoints, All endpoints, 21Vianet ... | those; XRM says nothing      |
| heading          | Global endpoints, U.S. Government endpoints      | those                        |
| region           | US DoD Central, usgovvirginia, China East        | those                        |
| nothing          |                                                  | the source's own cloud       |

"Government" and "sovereign clouds" are GCC, GCC High and DoD; "national clouds" China as well. A cloud
word that no rule has read is refused in an endpoint type, in a table's own heading and in a
parenthesis of the uses: silence would put the row into the wrong allowlist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from schema.words import EVERY_CLOUD, Cloud, ordered
from scrapers.docs.cloud_uses import AND, CLOUD_NAME, PUBLIC, is_filler, read_uses, split_exception
from scrapers.docs.cloud_words import Clouds, CloudWords, names_unread_cloud, read_cloud_words

_EVERY_ENDPOINT = re.compile(r"\b(?:all|global) endpoints\b", re.IGNORECASE)
_BESIDE_PUBLIC = r"\b(?:sovereign|national|government)\b"
# Where "public" is a cloud in a heading; "All cloud flows" are none.
_PUBLIC_SCOPE = re.compile(
    r"\b(?:all|every|global|public|world?wide|worlwide|commercial)\s+(?:endpoints|clouds?)\b(?!\s+flow)"
    r"|^\W*(?:all|global)\W"
    rf"|{PUBLIC}(?:\s*\([^()]*\))?{AND}(?:{CLOUD_NAME}|{_BESIDE_PUBLIC})|{CLOUD_NAME}{AND}{PUBLIC}",
    re.IGNORECASE,
)
_SCOPE_WORDS = re.compile(r"\b(?:all|global|endpoints?)\b|[()]", re.IGNORECASE)
_ENDPOINTS = re.compile(r"\S+\s+endpoints?$", re.IGNORECASE)
_SERIES = re.compile(r"^\S.*?\sendpoints\b(?:\s*\([^()]*\))?(?P<what>.*)$", re.IGNORECASE)
_NAME_ALONE = {
    **dict.fromkeys(("all", "global"), EVERY_CLOUD),
    **dict.fromkeys(("public", "commercial", "worldwide"), (Cloud.PUBLIC,)),
    "germany": (Cloud.GERMANY,),
}


def row_clouds(uses: str, endpoint_type: str, headings: tuple[str, ...], default: Cloud) -> Clouds:
    """Return the clouds of a row: what its uses say of the endpoint type's, else the heading's, else ``default``.

    Raises:
        ValueError: the endpoint type or a parenthesis names a cloud that is not known, the uses name one in words
            that are not read while nothing else states a cloud, or no cloud is left.
    """
    said = read_uses(uses)
    stated = endpoint_type_clouds(endpoint_type) or heading_clouds(headings)
    if said.unread and not stated:
        raise ValueError(f"{uses!r} names {said.unread} in words that are not known")
    own = _narrowed(stated, said.only) or (default,)
    clouds = ordered({*own, *said.also} - {*said.without})
    if not clouds:
        raise ValueError(f"{uses!r} leaves no cloud")
    return clouds


def lead_clouds(lead: str, headings: tuple[str, ...], default: Cloud) -> Clouds:
    """Return the clouds of a list: those the sentence before it is for, else the heading's, else ``default``.

    The sentence tells more than its heading: "For GCC and GCC High" stands under "GCC (Government)" (sources.md D1.31).

    Raises:
        ValueError: as `row_clouds`; also where sentence and heading share no cloud.
    """
    placed = row_clouds(lead, "", headings, default)
    return row_clouds(lead, "", (), default) if read_uses(lead).only else placed


def region_clouds(region: str, headings: tuple[str, ...], default: Cloud) -> Clouds:
    """Return the clouds of a region: what its name says, ``US DoD Central``, else the heading, else ``default``."""
    named = read_cloud_words(region).clouds
    places = (Cloud.PUBLIC, Cloud.GERMANY)
    return tuple(cloud for cloud in named if cloud not in places) or heading_clouds(headings) or (default,)


def endpoint_type_clouds(endpoint_type: str) -> Clouds:
    """Return the clouds an "Endpoint type" names; none when it names something else (``XRM``).

    Raises:
        ValueError: it says "endpoints" of something that is not known, or holds a cloud word that is not read.
    """
    clouds, _, rest = _scope(endpoint_type)
    if names_unread_cloud(rest) or (not clouds and _ENDPOINTS.search(endpoint_type)):
        raise ValueError(f"the endpoint type {endpoint_type!r} names no known cloud")
    return clouds


def heading_clouds(headings: tuple[str, ...]) -> Clouds:
    """Return the clouds of the innermost heading that names one; none when no heading does."""
    excepted: set[Cloud] = set()
    for heading in reversed(headings):
        clouds, without, _ = _of_heading(heading)
        excepted.update(without)
        if clouds:
            return ordered({*clouds} - excepted)
    return ()


def refuse_unread_heading(headings: tuple[str, ...]) -> None:
    """Look at the heading right over a table of endpoints.

    Raises:
        ValueError: it holds a word of clouds that no rule reads.
    """
    if headings and names_unread_cloud(_of_heading(headings[-1])[2]):
        raise ValueError(f"the heading {headings[-1]!r} names no known cloud")


def refuse_unread_lead(lead: str, headings: tuple[str, ...], default: Cloud) -> None:
    """Look at the sentence right before a table of endpoints.

    Raises:
        ValueError: it is for other clouds than the heading's, or ``default``, or names one in unknown words.
    """
    stated, said = heading_clouds(headings), read_uses(lead)
    placed = {*(stated or (default,))}
    only = {cloud for clouds in said.only for cloud in clouds}
    if (only or placed) != placed or placed.intersection(said.without) or not placed.issuperset(said.also):
        raise ValueError(f"the sentence before the table, {lead[:120]!r}, is not for {', '.join(ordered(placed))}")
    if said.unread and not stated:
        raise ValueError(f"the sentence before the table, {lead[:120]!r}, names {said.unread}")


def unknown_of_series(heading: str, others: Iterable[str]) -> bool:
    """Say whether ``heading`` names no known cloud where ``others``, alike but for that name, do.

    ``Bleu endpoints for desktop flows runtime`` beside ``US Government endpoints for desktop flows runtime``.
    """
    what = _SERIES.search(heading)
    if what is None or _of_heading(heading)[0]:
        return False
    alike = (other for other in others if (found := _SERIES.search(other)) and found["what"] == what["what"])
    return any(_of_heading(other)[0] for other in alike)


def is_cloud_heading(heading: str) -> bool:
    """Say whether a heading names clouds and nothing else: ``21Vianet endpoints (China)``."""
    clouds, _, rest = _of_heading(heading)
    return bool(clouds) and is_filler(_SCOPE_WORDS.sub(" ", rest))


@lru_cache(maxsize=1 << 12)  # each row of a table asks for its headings
def _of_heading(heading: str) -> tuple[Clouds, Clouds, str]:
    """As `_scope`; "public" is a cloud there only beside "endpoints" or "cloud"."""
    clouds, without, rest = _scope(heading)
    scoped = _PUBLIC_SCOPE.search(f"{heading} ") or heading.strip().lower() in _NAME_ALONE
    return tuple(cloud for cloud in clouds if scoped or cloud is not Cloud.PUBLIC), without, rest


def _scope(text: str) -> tuple[Clouds, Clouds, str]:
    """Return the clouds that ``text`` names, those it excepts, and its other words."""
    said, exception = split_exception(text)
    named, excepted = read_cloud_words(said), read_cloud_words(exception)
    if not is_filler(_SCOPE_WORDS.sub(" ", excepted.rest)):
        said, named, excepted = text, read_cloud_words(text), CloudWords((), "")
    alone = _NAME_ALONE.get(said.strip(" (").lower())
    every = EVERY_CLOUD if _EVERY_ENDPOINT.search(said) else ()
    clouds = ordered({*(alone or every or named.clouds)} - {*excepted.clouds})
    return clouds, excepted.clouds, ("" if alone else named.rest) + excepted.rest


def _narrowed(stated: Clouds, restrictions: tuple[Clouds, ...]) -> Clouds:
    """Return what ``stated`` and the ``restrictions`` agree on.

    Restrictions that share no cloud are an enumeration: "for GCC High and for DoD". The general table
    states public by its place alone, so its "(U.S. Government - GCC only)" is no contradiction:
    ``stated`` is empty there.
    """
    clouds: set[Cloud] = set()
    for restriction in sorted(restrictions, key=len, reverse=True):
        clouds = clouds & {*restriction} or clouds | {*restriction}
    if stated and clouds and clouds.isdisjoint(stated):
        raise ValueError(f"its uses are for {', '.join(ordered(clouds))}, its place for {', '.join(stated)}")
    return ordered({*stated} & clouds or clouds or {*stated})
