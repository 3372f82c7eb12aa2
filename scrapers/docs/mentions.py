"""Service tags and host names that prose and bullets name, outside tables.

    allow traffic into your network from the **AzureConnectors** service tag.   -> AzureConnectors
    Ensure your proxy allows traffic to:
    - `*.powerautomate.com` (flow service)                                      -> that host name

Conservative: only CamelCase names in bold or code, in a sentence with the words "service tag", and
only bullets that begin with such a name or a host name below a sentence that announces them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from scrapers.docs.page import BulletList, Text

_NAMED_TAG = re.compile(r"^[A-Z][a-z0-9]+(?:[A-Z][A-Za-z0-9]*)+(?:\.[A-Za-z0-9]+)*$")
_HOST_NAME = re.compile(r"^(?:https?://)?[\w\\*-]+(?:\.[\w\\*-]+)+/?$")
_SERVICE_TAG = re.compile(r"\bservice tags?\b", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:not|avoid|instead of)\b|n[’']t\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_ALLOWING = re.compile(
    r"\b(?:allow(?:s|list)?|permits?|traffic|reach|endpoints?|domains?|hosts?|urls?)\b", re.IGNORECASE
)


class Mention(Struct, frozen=True):
    """A service tag and the sentence that names it."""

    tag: str
    sentence: str


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
    """Say whether ``bullets`` begin with host names that the paragraph before them asks to allow (sources.md D1.38)."""
    openings = (opening_span(item) for item in bullets.items)
    return bool(_ALLOWING.search(bullets.lead)) and any(map(_HOST_NAME.match, openings))


def opening_span(item: Text) -> str:
    """Return the code or bold span that a bullet begins with, "" when it begins with none."""
    return next((span for span in (*item.codes, *item.bolds) if item.text.startswith(span)), "")
