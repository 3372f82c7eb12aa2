"""What the uses of a row say of its clouds (sources.md D2).

| words                                                             | say                          |
|-------------------------------------------------------------------|------------------------------|
| (U.S. Government - GCC only), (GCC and GCCH), (GCC tenants), (L5)  | those and no others          |
| for US government cloud, for GCC only, China only, 21Vianet operated | those and no others        |
| in GCC High, applies to DoD; GCC High: ...                        | those and no others          |
| (also valid for GCC), also needed for GCC, (including China)       | those besides the row's own  |
| (except China), (not available in GCC)                            | the row's own without those  |
| outside EMEA, U.S. government; not needed for ...; for EMEA users  | nothing                      |

A parenthesis that holds a cloud word and is none of these is refused: a row would go into the wrong
allowlist in silence. Prose is free, but a cloud's own name that it leaves unread is told (`CloudUses.unread`).
"""

from __future__ import annotations

import re

from msgspec import Struct

from schema.words import ordered
from scrapers.docs.cloud_words import (
    GOVERNMENT,
    UNITED_STATES,
    VIANET,
    Clouds,
    names_unread_cloud,
    read_cloud_words,
)

_PARENTHESIS = re.compile(r"[(（]([^()（）]*)[)）]")
_HOST = re.compile(r"[\w*-]+(?:\.[\w*-]{2,}){2,}")
# What may stand beside cloud words in a parenthesis that speaks of clouds; any other word makes it a remark.
_FILLER = re.compile(
    r"\b(?:and|or|only|the|in|for|by|of|to|on|is|are|cloud|clouds|customers?|tenants?|users?|environments?|regions?"
    r"|instances?|endpoints?|operated|microsoft|azure|use|used|valid|available|required|needed|supported|applicable"
    r"|applies|mandatory|optional)\b|[\s,;:./&+–—-]",
    re.IGNORECASE,
)
_ALSO_VALID = re.compile(r"^\s*also valid for\b", re.IGNORECASE)
_ALSO = re.compile(r"\b(?:also|as well(?: as)?|too|including|includes)\b", re.IGNORECASE)
_EXCEPT = re.compile(r"\b(?:except(?:ing)?|excluding|excludes|other than|outside|not)\b|\bnon[\s-]", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:except|excluding|other than|outside|not)\b|n[’']t\b", re.IGNORECASE)
_REFERENCE = re.compile(r"\b(?:see|learn more|for example|such as|below|should)\b", re.IGNORECASE)
# A sentence that points elsewhere, or turns to another cloud than the row's, says nothing of the row.
_ELSEWHERE = re.compile(r"\b(?:see|learn more|instead|use|below|above|for example|such as|address)\b", re.IGNORECASE)
_TURN = re.compile(r"^\s*(?:For|In)\b[^,]*$")

_OWN_NAME = (
    rf"(?:\bgcc(?:[\s-]?h(?:igh)?)?\b|\bdod\b|\bdepartment of defen[sc]e\b|{VIANET}"
    r"|\b(?:mooncake|gallatin|fairfax|il[45])\b)"
)
CLOUD_NAME = (
    rf"(?:{GOVERNMENT}|{_OWN_NAME}|\bchina\b|\bl[45]\b"
    r"|\b(?:public|commercial|national|sovereign|government) clouds?\b|\ball clouds\b"
    r"|\bgovernment(?= (?:tenants|customers|users|environments|regions)\b))"
)
AND = r"(?:\s*[,/&]\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+)(?:the\s+)?"
PUBLIC = r"\b(?:public|commercial|worldwide)\b"
_LIST = rf"(?:{PUBLIC}{AND})?{CLOUD_NAME}(?:(?:\s+clouds?)?{AND}(?:{CLOUD_NAME}|{PUBLIC}))*"
_KIND = r"(?:clouds?|customers?|tenants?|users?|environments?|regions?)"
_PHRASE = re.compile(
    rf"\b(?:for|by) (?:both |use in )?(?:the |(?:users|customers|tenants) in (?:the )?)?{_LIST}"
    rf"|\b(?:required|needed|used|available|valid|supported|mandatory|only) (?:only )?in (?:the )?{_LIST}"
    rf"|\b(?:in|appl(?:y|ies) (?:only )?to) (?:the )?{_LIST}|^\W*{_LIST}(?=:\s)"
    rf"|{_LIST}(?:[\s-]{_KIND})?[\s-]only\b"
    rf"|{VIANET}[\s-]operated\b|\boperated by {VIANET}"
    rf"|\ball production regions and [\w\s]*{UNITED_STATES}\s+sovereign clouds",
    re.IGNORECASE,
)
_UNREAD = re.compile(_OWN_NAME, re.IGNORECASE)
_SENTENCE_START = re.compile(r"^.*(?<!\.S)[.;!]\s")
_SENTENCE_END = re.compile(r"(?<!\.S)[.;!](?:\s|$)")


class CloudUses(Struct, frozen=True):
    """What uses say: ``only`` has one entry for each parenthesis or phrase that narrows."""

    only: tuple[Clouds, ...]
    also: Clouds
    without: Clouds
    unread: str = ""
    """A cloud's own name in prose that says nothing else of clouds; "" where there is none."""


SILENT = CloudUses((), (), ())


def read_uses(uses: str) -> CloudUses:
    """Return what ``uses`` say of clouds.

    Raises:
        ValueError: a parenthesis holds a word of clouds and cannot be read.
    """
    text = _HOST.sub(" ·host· ", uses)  # no word around clouds: a parenthesis that gives another host is refused
    prose = _PARENTHESIS.sub(" ", text)
    parts = [*map(_parenthesis, _PARENTHESIS.findall(text)), *_phrases(prose)]
    silent = not any(part.only or part.also or part.without for part in parts)
    return CloudUses(
        only=tuple(clouds for part in parts for clouds in part.only),
        also=ordered({cloud for part in parts for cloud in part.also}),
        without=ordered({cloud for part in parts for cloud in part.without}),
        unread=_own_name(prose) if silent else "",
    )


def split_exception(text: str) -> tuple[str, str]:
    """Return what stands before and after the first "except" or "not"; the latter "" when there is none."""
    found = _EXCEPT.search(text)
    return (text[: found.start()], text[found.end() :]) if found else (text, "")


def is_filler(rest: str) -> bool:
    """Say whether nothing but words around clouds is left."""
    return not _FILLER.sub("", rest)


def _parenthesis(inside: str) -> CloudUses:
    if _ALSO_VALID.search(inside):
        return CloudUses((), read_cloud_words(inside).clouds, ())
    said, exception = split_exception(_ALSO.sub(" ", inside))
    named, excepted = read_cloud_words(said), read_cloud_words(exception)
    if not (named.clouds or excepted.clouds) or not is_filler(named.rest + excepted.rest):
        _refuse_unread(inside)
        return SILENT
    if _ALSO.search(inside):
        return CloudUses((), named.clouds, excepted.clouds)
    return CloudUses((named.clouds,) if named.clouds else (), (), excepted.clouds)


def _refuse_unread(inside: str) -> None:
    if names_unread_cloud(inside) and not _REFERENCE.search(inside):
        raise ValueError(f"({inside}) names a cloud in words that are not known")


def _own_name(prose: str) -> str:
    """Return the first cloud's own name in a sentence that neither negates nor points elsewhere."""
    for sentence in _SENTENCE_END.split(prose):
        found = None if _NEGATION.search(sentence) or _ELSEWHERE.search(sentence) else _UNREAD.search(sentence)
        if found:
            return found[0]
    return ""


def _phrases(prose: str) -> list[CloudUses]:
    """Return what each phrase of ``prose`` says; one that its sentence negates says nothing."""
    said = []
    for found in _PHRASE.finditer(prose):
        before = _SENTENCE_START.sub("", prose[: found.start()])
        after = _SENTENCE_END.split(prose[found.end() :], maxsplit=1)[0]
        clouds = read_cloud_words(found[0]).clouds
        turned = _TURN.search(before + found[0]) and after.startswith(",")
        if clouds and not (turned or _NEGATION.search(before) or _ELSEWHERE.search(before + after)):
            also = _ALSO.search(before) or _ALSO.search(after)
            said.append(CloudUses((), clouds, ()) if also else CloudUses((clouds,), (), ()))
    return said
