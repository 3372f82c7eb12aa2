"""Service tags, host names and addresses that prose and bullets name, outside tables.

    allow traffic into your network from the **AzureConnectors** service tag.   -> AzureConnectors
    Ensure your proxy allows traffic to:
    - `*.powerautomate.com` (flow service)                                      -> that host name
    - `*.a.example.com` and `*.b.example.com`                                   -> both
    - 52.244.206.214                                                            -> that address
    v=spf1 ip4:52.165.175.144 ip4:20.118.139.208/30 ~all                        -> both addresses

Conservative: only CamelCase names in bold or code, in a sentence with the words "service tag", and
only bullets that begin with such a name or host names below a sentence that announces them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from schema.prefix import canonical_prefix
from scrapers.docs.cells import names_host, read_prefixes
from scrapers.docs.page import BulletList, Text

_NAMED_TAG = re.compile(r"^[A-Z][a-z0-9]+(?:[A-Z][A-Za-z0-9]*)+(?:\.[A-Za-z0-9]+)*$")
_HOST_NAME = re.compile(r"^(?:\.?[\w\\*-]+(?:\.[\w\\*-]+)+/?|https?://[\w\\*-]+(?:\.[\w\\*-]+)+(?:/\S*)?)$")
_SERVICE_TAG = re.compile(r"\bservice tags?\b", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:not|avoid|instead of)\b|n[’']t\b", re.IGNORECASE)
# Up to its "all"; without one the addresses end where they end, or go on where nobody sees.
_SPF = re.compile(r"\bv=spf1\s+(?P<terms>\S*[:/].*?)(?:\s(?P<end>[+?~-]?all)\b|$)", re.IGNORECASE)
_SPF_ADDRESS = re.compile(r"\+?ip[46]:(?P<address>.+)", re.IGNORECASE)
_ADDRESSES = re.compile(r"\bIPs?\b|\baddress(?:es)?\b", re.IGNORECASE)
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


def lists_addresses(bullets: BulletList) -> bool:
    """Say whether ``bullets`` list addresses (sources.md D1.31).

    They do where one is nothing else, and where one begins with an address below a sentence about addresses.
    """
    announced = _ADDRESSES.search(bullets.lead) or _ALLOWING.search(bullets.lead)
    return any(_holds_addresses(item) or (announced and _opens_with_address(item)) for item in bullets.items)


def spf_addresses(text: Text) -> tuple[str, ...]:
    """Return the prefixes of the SPF strings in ``text``, canonical; none where there is no such string.

    Raises:
        ValueError: a string without its end, or a term that is no address: those behind ``include:`` are not here.
    """
    strings = tuple(_SPF.finditer(text.text))
    if any(found["end"] is None for found in strings):
        raise ValueError("the SPF string has no end")
    terms = [term for found in strings for term in found["terms"].split()]
    wrong = [term for term in terms if not _SPF_ADDRESS.fullmatch(term)]
    if wrong:
        raise ValueError(f"the SPF string has {', '.join(map(repr, wrong))} beside its addresses")
    return tuple(canonical_prefix(found["address"]) for term in terms if (found := _SPF_ADDRESS.fullmatch(term)))


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
        if not (alone and (_HOST_NAME.match(word) or names_host(word))):
            return Opening(tuple(names), rest)
        names.append(word)
        rest = after[len(word) :]


def goes_to_service_tag(sentence: str, tag: str) -> bool:
    """Say whether ``sentence`` asks to let traffic out to ``tag``, or to "the service tags", rather than in from it."""
    return re.search(rf"{_LETTING_OUT}(?:service tags?|{re.escape(tag)})\b", sentence, re.IGNORECASE) is not None


def opening_span(item: Text) -> str:
    """Return the code or bold span that a bullet begins with, "" when it begins with none."""
    return next((span for span in (*item.codes, *item.bolds) if item.text.startswith(span)), "")


def _holds_addresses(item: Text) -> bool:
    """Struck out or not: what is struck out is refused, not passed over."""
    try:
        read_prefixes(Text(lines=item.lines))
    except ValueError:
        return False
    return True


def _opens_with_address(item: Text) -> bool:
    return _holds_addresses(Text(lines=(item.text.split()[0].rstrip(",;:"),)))
