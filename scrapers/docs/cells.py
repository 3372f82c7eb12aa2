r"""Cells of endpoint tables become canonical members, or a ValueError that names what cannot be read.

*.flow.microsoft.com <br> \*.logic.azure.com    -> *.flow.microsoft.com, *.logic.azure.com
13.67.8.240 - 13.67.8.255, 52.175.23.169        -> 13.67.8.240/28, 52.175.23.169/32
http, https                                     -> http, https
"""

from __future__ import annotations

import re

from msgspec import Struct

from schema.fqdn import canonical_fqdn
from schema.prefix import canonical_prefix, canonical_prefixes, parse_block, split_range
from scrapers.docs.page import Text

# Commas of three scripts and " and " (sources.md D1.3, D1.26, D1.27); breaks are lines already.
_BETWEEN = re.compile(r"[,;、，；]|\s+(?:and|or)\s+|\s*および\s*", re.IGNORECASE)
_LEADING_AND = re.compile(r"^(?:and|or)\s+", re.IGNORECASE)
_RANGE = re.compile(r"\s*(?:[-–—~〜]|から|\bto\b)\s*")
_URL = re.compile(r"^(?P<scheme>https?|wss?)://(?P<host>[^/:\s]+)(?:/\S*)?$", re.IGNORECASE)
_PROTOCOL = re.compile(r"^[a-z][a-z0-9.+-]*$")
_SERVICE_TAG = re.compile(r"^[A-Z][A-Za-z0-9]*(?:\.[A-Za-z0-9]+)*$")


class Names(Struct, frozen=True):
    """Host names of a cell in the order written, canonical; ``protocols`` are those of its URLs."""

    fqdns: tuple[str, ...]
    protocols: tuple[str, ...]


def read_names(cell: Text) -> Names:
    """Return the host names of a cell, in the order written.

    Names stand between breaks, commas, " and ", or spaces (sources.md D1.1 to D1.4); a URL gives its
    host and its scheme (D1.9).

    Raises:
        ValueError: no name, emphasis (which eats stars, D1.5), struck-out text, or something that is
            not a host name.
    """
    if cell.emphases:
        raise ValueError(f"emphasis has taken the stars of {', '.join(cell.emphases)!r}")
    refuse_struck(cell)
    words = [word for item in items(cell) for word in item.split()]
    problems = [problem for word in words if (problem := _name_problem(word))]
    if problems or not words:
        raise ValueError("; ".join(problems) or "there is no host name")
    apart = {word.rstrip(".") for word in words}
    glued = [code for code in cell.codes if code.rstrip(".") not in apart and not _name_problem(code)]
    if glued:
        raise ValueError(f"{', '.join(map(repr, glued))} runs together with what stands beside it")
    urls = filter(None, map(_URL.match, words))
    return Names(
        fqdns=tuple(dict.fromkeys(canonical_fqdn(without_scheme(word)) for word in words)),
        protocols=tuple(sorted({url["scheme"].lower() for url in urls})),
    )


def read_prefixes(cell: Text) -> tuple[str, ...]:
    """Return the prefixes of a cell, canonical and sorted, none inside another (sources.md D1.25 to D1.29).

    Raises:
        ValueError: no address, or something that is neither an address, a range nor a CIDR block.
    """
    refuse_struck(cell)
    found: list[str] = []
    problems: list[str] = []
    for item in items(cell):
        try:
            found += _item_prefixes(item)
        except ValueError as error:
            problems.append(str(error))
    if problems or not found:
        raise ValueError("; ".join(problems) or "there is no address")
    return _widest(canonical_prefixes(found))


def read_protocols(cell: Text) -> tuple[str, ...]:
    """Return the protocols of a cell, lower case, as written (sources.md D1.24).

    Raises:
        ValueError: a word that is not the name of a protocol.
    """
    words = tuple(word.lower() for item in items(cell) for word in re.split(r"[\s/]+", item) if word)
    wrong = [word for word in words if not _PROTOCOL.match(word)]
    if wrong:
        raise ValueError(f"{', '.join(map(repr, wrong))} is not a protocol")
    return words


def read_service_tags(cell: Text) -> tuple[str, ...]:
    """Return the names of Azure service tags in a cell.

    Raises:
        ValueError: none, or something that is not such a name.
    """
    names = items(cell)
    wrong = [name for name in names if not _SERVICE_TAG.match(name)]
    if wrong or not names:
        raise ValueError(f"{', '.join(map(repr, wrong))} is not a service tag" if wrong else "there is no service tag")
    return names


def items(cell: Text) -> tuple[str, ...]:
    """Return what stands between the separators of a cell, without escapes and empty items (sources.md D1.2)."""
    pieces = (piece for line in cell.lines for piece in _BETWEEN.split(line))
    bare = (_LEADING_AND.sub("", piece.strip()).replace("\\*", "*").strip("` ") for piece in pieces)
    return tuple(filter(None, bare))


def without_scheme(item: str) -> str:
    """Return the host of a URL; anything else as it is."""
    url = _URL.match(item)
    return url["host"] if url else item


def refuse_struck(cell: Text) -> None:
    """Raise ValueError where something is struck out: still written, no longer meant."""
    if cell.strikes:
        raise ValueError(f"{', '.join(cell.strikes)!r} is struck out")


def _name_problem(word: str) -> str | None:
    try:
        canonical_fqdn(without_scheme(word))
    except ValueError as error:
        return str(error)
    return None


def _item_prefixes(item: str) -> tuple[str, ...]:
    ends = _RANGE.split(item)
    if len(ends) == 1:
        return (canonical_prefix(item),)
    if len(ends) > 2:
        raise ValueError(f"{item!r} is not a range of addresses")
    return split_range(*ends)


def _widest(prefixes: tuple[str, ...]) -> tuple[str, ...]:
    """Drop prefixes inside another one of the same cell: 48 single addresses were published so (sources.md D1.29)."""
    blocks = [(parse_block(prefix), prefix) for prefix in prefixes]
    return tuple(
        prefix
        for block, prefix in blocks
        if not any(
            other != block and other.family == block.family and other.first <= block.first and block.last <= other.last
            for other, _ in blocks
        )
    )
