"""Host names and addresses that prose and bullets name, outside tables; service tags are `tag_mentions`.

    Ensure your proxy allows traffic to:
    - `*.powerautomate.com` (flow service)                                      -> that host name
    - `*.a.example.com` and `*.b.example.com`                                   -> both
    - 52.244.206.214                                                            -> that address
    v=spf1 ip4:52.165.175.144 ip4:20.118.139.208/30 ~all                        -> both addresses

Conservative: bullets that begin with host names below a sentence that announces them, or that are nothing
else. What it passes over and is evidently an endpoint, `leftovers` refuses.
"""

from __future__ import annotations

import re

from msgspec import Struct

from schema.prefix import canonical_prefix
from scrapers.docs.cells import names_host, read_prefixes
from scrapers.docs.page import BulletList, Text
from scrapers.docs.tag_mentions import Stance, announced_stance

_HOST_NAME = re.compile(r"^(?:\.?[\w\\*-]+(?:\.[\w\\*-]+)+/?|https?://[\w\\*-]+(?:\.[\w\\*-]+)+(?:/\S*)?)$")
_REMARK = re.compile(r"\([^()]*\)")
_SPACED_DOT = re.compile(r"^\.\s+(?=\w)")
_EVIDENT_HOST = re.compile(
    r"\.?(?:[\w*-]+\.)+(?:com|net|org|us|cn|ms|de|fr|eu|uk|io|info|biz|gov|mil|microsoft|cloud|azure|app)"
)
# Up to its "all"; without one the addresses end where they end, or go on where nobody sees.
_SPF = re.compile(r"\bv=spf1\s+(?P<terms>\S*[:/].*?)(?:\s(?P<end>[+?~-]?all)\b|$)", re.IGNORECASE)
_SPF_ADDRESS = re.compile(r"\+?ip[46]:(?P<address>.+)", re.IGNORECASE)
_ADDRESSES = re.compile(r"\bIPs?\b|\baddress(?:es)?\b", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s*(?:[,;/&]|\band\b|\bor\b)?\s*(?:\b(?:and|or)\b\s*)?", re.IGNORECASE)
_ALLOWING = re.compile(
    r"\b(?:allow(?:s|list)?|permits?|traffic|reach|endpoints?|domains?|hosts?|urls?)\b", re.IGNORECASE
)


class Opening(Struct, frozen=True):
    """The host names that a bullet begins with, as written, and the text after them."""

    names: tuple[str, ...]
    rest: str


def lists_host_names(bullets: BulletList) -> bool:
    """Say whether ``bullets`` begin with host names that the paragraph before them asks to allow (sources.md D1.38).

    One name in code or bold tells the list; plain names only where every bullet begins with one. Bullets that are
    nothing but evident host names need no sentence; below one that advises against them they are no list.
    """
    if announced_stance(bullets.lead) is not Stance.ASKED:
        return False
    if _ALLOWING.search(bullets.lead):
        spans = any(_HOST_NAME.match(opening_span(item)) for item in bullets.items)
        return spans or all(opening_names(item).names for item in bullets.items)
    return all(map(_is_bare_name, bullets.items))


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


def opening_span(item: Text) -> str:
    """Return the code or bold span that a bullet begins with, "" when it begins with none."""
    return next((span for span in (*item.codes, *item.bolds) if item.text.startswith(span)), "")


def _is_bare_name(item: Text) -> bool:
    opening = opening_names(item)
    return all(map(is_evident_host, opening.names or ("",))) and not _REMARK.sub("", opening.rest).strip(" .,;")


def is_evident_host(word: str) -> bool:
    """Say whether ``word`` can only be a host name: not Node.js, ASP.NET, settings.json or a link's URL."""
    return _EVIDENT_HOST.fullmatch(word.replace("\\*", "*")) is not None


def first_word(line: str) -> str:
    """Return the first word of ``line``, ``. microsoft.us`` being one (sources.md D1.7); "" when there is none."""
    return next(iter(_SPACED_DOT.sub(".", line).split()), "")


def _holds_addresses(item: Text) -> bool:
    """Struck out or not: what is struck out is refused, not passed over."""
    try:
        read_prefixes(Text(lines=item.lines))
    except ValueError:
        return False
    return True


def _opens_with_address(item: Text) -> bool:
    return _holds_addresses(Text(lines=(item.text.split()[0].rstrip(",;:"),)))
