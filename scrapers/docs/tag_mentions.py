"""Service tags that prose and bullets name, outside tables.

    allow traffic into your network from the **AzureConnectors** service tag.   -> AzureConnectors, asked for
    You must also allow PowerPlatformPlex.                                      -> PowerPlatformPlex, asked for
    Use a regional tag, for example **AzureConnectors.WestEurope**.             -> declined
    PowerPlatformPlex is a name.                                                -> unclear: `leftovers` refuses it

A tag is one of those these pages have (T5), marked or not, with a region or without; another name only in bold or
code, right beside the words "service tag".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from msgspec import Struct

from schema.words import Direction
from scrapers.docs.page import BulletList, Text

KNOWN_TAG = re.compile(
    r"(?<![\w./#-])(?:AzureConnectors|LogicApps(?:Management)?|PowerPlatform(?:Infra|Plex)|AzureCloud"
    r"|MicrosoftAzureFluidRelay)(?:\.[A-Za-z0-9]+)?(?!\w)"
)
_NAMED_TAG = re.compile(r"^[A-Z][a-z0-9]+(?:[A-Z][A-Za-z0-9]*)+(?:\.[A-Za-z0-9]+)*$")
_SERVICE_TAG = re.compile(r"\bservice tags?\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_VERB = r"(?:allow(?:list)?|permit|use|add|open|include|enable|require|need)(?:s|d|ed|ing)?\b"
_ASKING = re.compile(rf"\b{_VERB}|\bservice tags?\b", re.IGNORECASE)
_EXAMPLE = re.compile(r"\b(?:for example|for instance|such as|e\.g\.)", re.IGNORECASE)
# What advises against a tag when it stands before it; a verb after it asks again, and then the comma decides.
_AGAINST = re.compile(
    rf"(?:\b(?:not|never|no longer)|n[’']t)\s+(?:\w+\s+){{0,2}}?{_VERB}(?:\s+(?:or|and|nor)\s+{_VERB})?"
    r"|\b(?:previously|formerly)\b,?|\b(?:avoid|instead of|remove|delete|deprecated|retired)(?=(?:\s+\w+){0,3}\W*$)",
    re.IGNORECASE,
)
_VERBS = re.compile(rf"\b{_VERB}", re.IGNORECASE)
_NEW_CLAUSE = re.compile(r"[,;:]|\b(?:but|if|when)\b", re.IGNORECASE)
_WITHDRAWN = re.compile(
    r"^\W*(?:service tags?\W*)?(?:(?:is|are|was|were|has been|have been)\s+)?(?:(?:now|since)\s+)?"
    r"(?:deprecated|retired|obsolete|no longer|not (?:required|needed))\b",
    re.IGNORECASE,
)
# "Allow outbound traffic to the **X** service tag"; "outbound IP addresses" are Power Automate's, inbound here.
_LETTING_OUT = (
    r"\b(?:allow|permit|open|enable)\w*\b.*\b(?:traffic|connections?|connectivity|access|calls|outbound)\b.*"
    r"\bto\s+(?P<from>and\s+from\s+)?"
    r"(?:(?:the|all|these|any|of|following|azure)\s+)*(?:[\w.]+(?:,\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+))*"
)


class Stance(Enum):
    """What a sentence says of a tag."""

    ASKED = "asked"
    DECLINED = "declined"
    """An example, or advised against."""
    UNCLEAR = "unclear"


class Mention(Struct, frozen=True):
    """A service tag and the sentence that names it."""

    tag: str
    sentence: str
    stance: Stance = Stance.ASKED


def mentioned_tags(text: Text) -> Iterator[Mention]:
    """Yield the service tags that sentences of ``text`` ask to allow."""
    return (mention for mention in tag_mentions(text) if mention.stance is Stance.ASKED)


def tag_mentions(text: Text) -> Iterator[Mention]:
    """Yield every service tag that ``text`` names, each with what its sentence says of it."""
    for sentence in _SENTENCE_END.split(text.text):
        for start, end in sorted({*_known_places(sentence), *_marked_places(text, sentence)}):
            stance = _stance(sentence[:start], sentence[end:])
            yield Mention(sentence[start:end], sentence, stance)


def lists_service_tags(bullets: BulletList) -> bool:
    """Say whether ``bullets`` begin with service tags: the paragraph before them announces them, or all of them do."""
    if announced_stance(bullets.lead) is not Stance.ASKED:
        return False
    if _SERVICE_TAG.search(bullets.lead) and any(map(opening_tag, bullets.items)):
        return True
    known = [KNOWN_TAG.fullmatch(opening_tag(item)) is not None for item in bullets.items]
    return all(known) or (any(known) and _ASKING.search(bullets.lead) is not None)


def opening_tag(item: Text) -> str:
    """Return the tag that a bullet begins with, marked or known; "" when it begins with none."""
    marked = (span for span in (*item.codes, *item.bolds) if item.text.startswith(span) and _NAMED_TAG.match(span))
    known = KNOWN_TAG.match(item.text)
    return next(marked, known[0] if known else "")


def tag_directions(sentence: str, tag: str) -> tuple[Direction | None, ...]:
    """Return the directions a sentence states for ``tag``; (None,) where it leaves them to the section.

    Outbound where it asks to let traffic out to the tag, or to "the service tags"; both where it says
    "to and from".
    """
    found = re.search(rf"{_LETTING_OUT}(?:service tags?|{re.escape(tag)})\b", sentence, re.IGNORECASE)
    if not found:
        return (None,)
    return (Direction.OUTBOUND, Direction.INBOUND) if found["from"] else (Direction.OUTBOUND,)


def announced_stance(before: str) -> Stance:
    """Return how a sentence stands to what follows ``before``: asked for, unless a word advises against it."""
    *_, against = (None, *_AGAINST.finditer(before))
    if against is None:
        return Stance.ASKED
    verb = _VERBS.search(before, against.end())
    if verb is None:
        return Stance.DECLINED
    return Stance.ASKED if _NEW_CLAUSE.search(before, against.end(), verb.start()) else Stance.UNCLEAR


def _known_places(sentence: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in KNOWN_TAG.finditer(sentence))


def _marked_places(text: Text, sentence: str) -> Iterator[tuple[int, int]]:
    """Yield where other names in bold or code stand right beside the words "service tag"."""
    spans = {re.escape(span) for span in (*text.bolds, *text.codes) if _NAMED_TAG.match(span)}
    if not spans:
        return
    name = rf"\b(?:{'|'.join(sorted(spans, key=len, reverse=True))})\b"
    names = rf"{name}(?:(?:\s*,|\s+(?:and|or)\b)+\s*(?:the\s+)?{name})*"
    beside = rf"\bservice tags?(?:\s+(?:is|are|named|called))?[\s:,(]*{names}|{names}[\s(]*service tags?\b"
    for found in re.finditer(beside, sentence, re.IGNORECASE):
        for inner in re.finditer(name, found[0]):
            yield found.start() + inner.start(), found.start() + inner.end()


def _stance(before: str, after: str) -> Stance:
    if _EXAMPLE.search(before) or _WITHDRAWN.search(after):
        return Stance.DECLINED
    leaning = announced_stance(before)
    return leaning if leaning is not Stance.ASKED or _ASKING.search(before + after) else Stance.UNCLEAR
