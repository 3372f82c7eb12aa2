"""Service tags and host names that prose and bullets name, outside tables.

    allow traffic into your network from the **AzureConnectors** service tag.   -> AzureConnectors
    Ensure your proxy allows traffic to:
    - `*.powerautomate.com` (flow service)                                      -> that host name
    - `*.a.example.com` and `*.b.example.com`                                   -> both

Conservative: only CamelCase names in bold or code, in a sentence with the words "service tag", and
only bullets that begin with such a name or host names below a sentence that announces them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from scrapers.docs.page import BulletList, Text

_NAMED_TAG = re.compile(r"^[A-Z][a-z0-9]+(?:[A-Z][A-Za-z0-9]*)+(?:\.[A-Za-z0-9]+)*$")
_HOST_NAME = re.compile(r"^(?:[\w\\*-]+(?:\.[\w\\*-]+)+/?|https?://[\w\\*-]+(?:\.[\w\\*-]+)+(?:/\S*)?)$")
_SERVICE_TAG = re.compile(r"\bservice tags?\b", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:not|avoid|instead of)\b|n[’']t\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
# "Allow outbound traffic to the **X** service tag"; "outbound IP addresses" are Power Automate's, inbound here.
_LETTING_OUT = (
    r"\b(?:allow|permit|open|enable)\w*\b.*\b(?:traffic|connections?|connectivity|access|calls|outbound)\b.*"
    r"\bto\s+(?:(?:the|all|these|any|of|following|azure)\s+)*(?:[\w.]+(?:,\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+))*"
)
_SEPARATOR = re.compile(r"\s*(?:[,;/&]|\band\b|\bor\b)?\s*(?:\b(?:and|or)\b\s*)?", re.IGNORECASE)
_ALLOWING = re.compile(
    r"\b(?:allow(?:s|list)?|permits?|traffic|reach|endpoints?|domains?|hosts?|urls?)\b", re.IGNORECASE
)


class Mention(Struct, frozen=True):
    """A service tag and the sentence that names it."""

    tag: str
    sentence: str


class Opening(Struct, frozen=True):
    """The host names that a bullet begins with, as written, and the text after them."""

    names: tuple[str, ...]
    rest: str


def mentioned_tags(text: Text) -> Iterator[Mention]:
    """Yield the service tags that sentences of ``text`` name; a sentence that advises against one names none."""
    for sentence in _SENTENCE_END.split(text.text):
        if _SERVICE_TAG.search(sentence) and not _NEGATION.search(sentence):
            words = set(re.findall(r"[\w.]*\w", sentence))
            named = (span for span in (*text.bolds, *text.codes) if _NAMED_TAG.match(span) and span in words)
            yield from (Mention(tag, sentence) for tag in named)


def lists_service_tags(bullets: BulletList) -> bool:
    """Say whether ``bullets`` begin with service tags that the paragraph before them announces."""
    return bool(_SERVICE_TAG.search(bullets.lead)) and any(map(_NAMED_TAG.match, map(opening_span, bullets.items)))


def lists_host_names(bullets: BulletList) -> bool:
    """Say whether ``bullets`` begin with host names that the paragraph before them asks to allow (sources.md D1.38).

    One name in code or bold tells the list; plain names only where every bullet begins with one.
    """
    if not _ALLOWING.search(bullets.lead):
        return False
    spans = any(_HOST_NAME.match(opening_span(item)) for item in bullets.items)
    return spans or all(opening_names(item).names for item in bullets.items)


def opening_names(item: Text) -> Opening:
    """Return the host names that a bullet begins with.

    They stand between commas, "and" and breaks, or each in a span of its own.
    """
    marked = {word for span in (*item.codes, *item.bolds) for word in re.split(r"[\s,;]+", span)}
    marked.update(line.split()[0] for line in item.lines)
    names: list[str] = []
    rest = item.text
    while True:
        separator = _SEPARATOR.match(rest) if names else None
        after = rest[separator.end() :] if separator else rest
        word = re.split(r"[\s,;]", after, maxsplit=1)[0].rstrip(".:")
        alone = not separator or bool(separator[0].strip()) or word in marked
        if not (alone and _HOST_NAME.match(word)):
            return Opening(tuple(names), rest)
        names.append(word)
        rest = after[len(word) :]


def goes_to_service_tag(sentence: str, tag: str) -> bool:
    """Say whether ``sentence`` asks to let traffic out to ``tag``, or to "the service tags", rather than in from it."""
    return re.search(rf"{_LETTING_OUT}(?:service tags?|{re.escape(tag)})\b", sentence, re.IGNORECASE) is not None


def opening_span(item: Text) -> str:
    """Return the code or bold span that a bullet begins with, "" when it begins with none."""
    return next((span for span in (*item.codes, *item.bolds) if item.text.startswith(span)), "")
