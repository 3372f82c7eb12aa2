"""For which clouds a row speaks (sources.md D2).

| where            | words                                            | clouds                       |
|------------------|--------------------------------------------------|------------------------------|
| uses, narrowing  | (U.S. Government - GCC only), (GCC and GCCH)      | those                        |
| uses, narrowing  | for US government cloud, for the Mooncake region  | those                        |
| uses, widening   | (also valid for GCC), (also valid for public ...) | those besides the row's own  |
| endpoint type    | Worldwide endpoints, All endpoints, 21Vianet ...  | those; XRM says nothing      |
| heading          | Global endpoints, U.S. Government endpoints       | those                        |
| nothing          |                                                  | the source's own cloud       |

Labels are read with the typos they were published with: Worlwide, Goverment, 21Vinaet (D1.13).
EMEA and Chinese users that a sentence keeps out narrow nothing.
"""

from __future__ import annotations

import re

from schema.words import EVERY_CLOUD, US_GOVERNMENT, Cloud

Clouds = tuple[Cloud, ...]

_US = r"(?:\bu\.?\s?s\.?|\bunited states)"
_US_GOVERNMENT = re.compile(rf"{_US}\s+(?:gov(?:ern?ment)?\b|sovereign)|\bazure government\b", re.IGNORECASE)
_GCC_HIGH = re.compile(r"\bgcc[\s-]?h(?:igh)?\b", re.IGNORECASE)
_GCC = re.compile(r"\bgcc\b(?![\s-]?h(?:igh)?\b)", re.IGNORECASE)
_DOD = re.compile(r"\bdod\b|\bdepartment of defense\b", re.IGNORECASE)
_CHINA = re.compile(r"\b21\s?vi(?:an|na)et\b|\bchina\b|\bmooncake\b", re.IGNORECASE)
_GERMANY = re.compile(r"\bgermany endpoints\b|\bmicrosoft cloud (?:germany|deutschland)\b", re.IGNORECASE)
_PUBLIC = re.compile(r"\bpublic\b|\bworld?wide\b|\bworlwide\b|\bproduction regions\b", re.IGNORECASE)
_EVERY = re.compile(r"\b(?:all|global) endpoints\b", re.IGNORECASE)

_PARENTHESIS = re.compile(r"\(([^()]*)\)")
_ALSO = re.compile(r"^also valid for (?P<clouds>.*)$", re.IGNORECASE)
# What may stand beside cloud words in a parenthesis that narrows; any other word makes it a remark.
_FILLER = re.compile(r"\b(?:and|or|only|cloud|clouds|the|in|for|government|goverment)\b|[\s,/&.–—-]", re.IGNORECASE)
_PHRASE = re.compile(
    rf"\bfor (?:the |users in )?(?P<clouds>{_US}\s+gover?n?ment|public cloud|21vi(?:an|na)et|mooncake|china)\b"
    rf"|(?P<several>\ball production regions and [\w\s]*{_US}\s+sovereign clouds)",
    re.IGNORECASE,
)
# A sentence that keeps a cloud out says nothing of which clouds are meant.
_EXCLUDING = re.compile(r"(?:\b(?:not|outside|except|excluding)\b|n[’']t\b)[^.]*$", re.IGNORECASE)
_HEADING_SCOPE = re.compile(r"\b(?:public|world?wide|worlwide)\s+endpoints\b", re.IGNORECASE)
_SCOPE_WORDS = re.compile(r"\b(?:all|global|endpoints?)\b|[()]", re.IGNORECASE)
_ENDPOINTS = re.compile(r"\S+\s+endpoints?$", re.IGNORECASE)


def row_clouds(uses: str, endpoint_type: str, headings: tuple[str, ...], default: Cloud) -> Clouds:
    """Return the clouds of a row: what its uses say of the endpoint type's, else the heading's, else ``default``.

    Raises:
        ValueError: the endpoint type names endpoints of a cloud that is not known.
    """
    stated = endpoint_type_clouds(endpoint_type) or heading_clouds(headings)
    own = _narrowed(stated, _narrowing(uses)) or (default,)
    return _ordered({*own, *_widening(uses)})


def region_clouds(region: str, default: Cloud) -> Clouds:
    """Return the clouds of a region by its name, ``US DoD Central`` or ``United States Government (GCC)``."""
    return _government(region) or _if(_CHINA, region, Cloud.CHINA) or (default,)


def endpoint_type_clouds(endpoint_type: str) -> Clouds:
    """Return the clouds an "Endpoint type" names; none when it names something else (``XRM``).

    Raises:
        ValueError: it says "endpoints" of something that is not known.
    """
    clouds = EVERY_CLOUD if endpoint_type.strip().lower() in ("all", "global") else _named(endpoint_type)
    if not clouds and _ENDPOINTS.search(endpoint_type):
        raise ValueError(f"the endpoint type {endpoint_type!r} names no known cloud")
    return clouds


def heading_clouds(headings: tuple[str, ...]) -> Clouds:
    """Return the clouds of the innermost heading that names one; none when no heading does."""
    for heading in reversed(headings):
        if clouds := _of_heading(heading):
            return clouds
    return ()


def is_cloud_heading(heading: str) -> bool:
    """Say whether a heading names clouds and nothing else: ``21Vianet endpoints (China)``."""
    return bool(_of_heading(heading)) and not _FILLER.sub("", _SCOPE_WORDS.sub(" ", _without_clouds(heading)))


def _of_heading(heading: str) -> Clouds:
    if _EVERY.search(heading):
        return EVERY_CLOUD
    public = (Cloud.PUBLIC,) if _HEADING_SCOPE.search(heading) else ()
    return _ordered({*public, *_government(heading), *_if(_CHINA, heading, Cloud.CHINA)})


def _named(text: str) -> Clouds:
    """Return every cloud that ``text`` names."""
    if _EVERY.search(text):
        return EVERY_CLOUD
    return _ordered(
        {
            *_if(_PUBLIC, text, Cloud.PUBLIC),
            *_government(text),
            *_if(_CHINA, text, Cloud.CHINA),
            *_if(_GERMANY, text, Cloud.GERMANY),
        }
    )


def _government(text: str) -> Clouds:
    """GCC, GCC High and DoD where they are named; all three where only the government is."""
    named = (
        *_if(_GCC, text, Cloud.USGOV),
        *_if(_GCC_HIGH, text, Cloud.USGOV_GCCHIGH),
        *_if(_DOD, text, Cloud.USGOV_DOD),
    )
    return named or (US_GOVERNMENT if _US_GOVERNMENT.search(text) else ())


def _if(pattern: re.Pattern[str], text: str, cloud: Cloud) -> Clouds:
    return (cloud,) if pattern.search(text) else ()


def _narrowing(uses: str) -> list[Clouds]:
    """Return what each parenthesis and each phrase of ``uses`` restricts the row to."""
    parentheses = [_named(inside) for inside in _PARENTHESIS.findall(uses) if _is_cloud_list(inside)]
    prose = _PARENTHESIS.sub(" ", uses)
    phrases = [
        _named(found["clouds"] or found["several"])
        for found in _PHRASE.finditer(prose)
        if not _EXCLUDING.search(prose[: found.start()])
    ]
    return [clouds for clouds in (*parentheses, *phrases) if clouds]


def _is_cloud_list(inside: str) -> bool:
    rest = _without_clouds(inside)
    return rest != inside and not _FILLER.sub("", rest)


def _without_clouds(text: str) -> str:
    for pattern in (_US_GOVERNMENT, _GCC_HIGH, _GCC, _DOD, _CHINA, _PUBLIC):
        text = pattern.sub(" ", text)
    return text


def _narrowed(stated: Clouds, restrictions: list[Clouds]) -> Clouds:
    """Return what ``stated`` and all ``restrictions`` agree on; where they contradict, the later word holds.

    The general table states public by its place alone, so its "(U.S. Government - GCC only)" is no
    contradiction: ``stated`` is empty there.
    """
    clouds = stated
    for restriction in sorted(restrictions, key=len, reverse=True):
        clouds = _ordered(set(clouds) & set(restriction)) or restriction
    return clouds


def _widening(uses: str) -> Clouds:
    also = filter(None, map(_ALSO.match, _PARENTHESIS.findall(uses)))
    return tuple(cloud for found in also for cloud in _named(found["clouds"]))


def _ordered(clouds: set[Cloud]) -> Clouds:
    return tuple(cloud for cloud in Cloud if cloud in clouds)
