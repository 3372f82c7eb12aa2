r"""Cells of endpoint tables become canonical members, or a ValueError that names what cannot be read.

*.flow.microsoft.com <br> \*.logic.azure.com    -> *.flow.microsoft.com, *.logic.azure.com
https://*.crm#.dynamics.com, localhost          -> patterns *.crm#.dynamics.com, localhost; https
13.67.8.240 - 13.67.8.255, 52.175.23.169        -> 13.67.8.240/28, 52.175.23.169/32
http, https                                     -> http, https
"""

from __future__ import annotations

import re

from msgspec import Struct

from schema.fqdn import PatternType, canonical_fqdn, pattern_type, suffix_fqdns
from schema.prefix import canonical_prefix, canonical_prefixes, parse_block, split_range
from scrapers.docs.cloud_words import names_unread_cloud, read_cloud_words
from scrapers.docs.page import Text

# Commas of three scripts and " and " (sources.md D1.3, D1.26, D1.27); breaks are lines already.
_BETWEEN = re.compile(r"[,;、，；]|\s+(?:and|or)\s+|\s*および\s*", re.IGNORECASE)
_LEADING_AND = re.compile(r"^(?:and|or)\s+", re.IGNORECASE)
_RANGE = re.compile(r"\s*(?:[-–—~〜]|から|\bto\b)\s*")
# A hole may hold spaces: <your tenant>.sharepoint.com, https://example.com/apps/{app id}.
_HOLE = r"<[^<>]*>|\{[^{}]*\}"
_WORD = re.compile(rf"(?:{_HOLE}|\S)+")
_URL = re.compile(rf"^(?P<scheme>https?|wss?)://(?P<host>(?:{_HOLE}|[^/:\s<{{])+)(?:/(?:{_HOLE}|\S)*)?$", re.IGNORECASE)
_REMARK = re.compile(r"(?P<url>\b(?:https?|wss?)://\S+)\s+\((?P<remark>[^()]*)\)", re.IGNORECASE)
_SPACED_DOT = re.compile(r"(?:^|(?<=[\s,;]))\.\s+(?=\w)")
_PROTOCOLS = frozenset(
    (
        *("amqp", "amqps", "dns", "ftp", "ftps", "grpc", "http", "https", "icmp", "ldap", "ldaps", "mqtt", "mqtts"),
        *("ntp", "quic", "rdp", "sftp", "smtp", "smtps", "ssh", "ssl", "tcp", "tds", "tls", "udp", "ws", "wss"),
    )
)
"""Ten years of pages say https and http alone; what is none of these is a cell of another column."""
_SERVICE_TAG = re.compile(r"^[A-Z][A-Za-z0-9]*(?:\.[A-Za-z0-9]+)*$")


class Names(Struct, frozen=True):
    """What a cell of host names holds, in the order written; ``protocols`` are those of its URLs."""

    fqdns: tuple[str, ...]
    """Canonical, unique; empty where the cell holds patterns alone."""
    protocols: tuple[str, ...]
    patterns: tuple[str, ...] = ()
    """Names with holes and non-names (`schema.fqdn.pattern_type`), verbatim, unique (sources.md D1.12)."""


def read_names(cell: Text, *, dotted: bool = False) -> Names:
    """Return the host names of a cell, in the order written.

    Names stand between breaks, commas, " and ", or spaces (sources.md D1.1 to D1.4); a URL gives its
    host and its scheme, and a parenthesis after it is a remark (D1.9). ``dotted``: the list writes a
    domain and all below it as ``.microsoft.us`` or ``. microsoft.us`` (D1.7); elsewhere a leading dot is
    what is left of a name whose star was eaten, and is refused.

    Raises:
        ValueError: no name, emphasis (which eats stars, D1.5), struck-out text, or something that is
            neither a host name nor a pattern.
    """
    if cell.emphases:
        raise ValueError(f"emphasis has taken the stars of {', '.join(cell.emphases)!r}")
    refuse_struck(cell)
    words = _words(cell, dotted=dotted)
    problems = [problem for word in words if (problem := _name_problem(word, dotted=dotted))]
    if problems or not words:
        raise ValueError("; ".join(problems) or "there is no host name")
    apart = {word.rstrip(".") for word in words}
    glued = [code for code in cell.codes if code.rstrip(".") not in apart and not _name_problem(code, dotted=dotted)]
    if glued:
        raise ValueError(f"{', '.join(map(repr, glued))} runs together with what stands beside it")
    urls = filter(None, map(_URL.match, words))
    hosts = [host for word in words for host in _hosts(word, dotted=dotted)]
    return Names(
        fqdns=tuple(dict.fromkeys(host for host in hosts if not _is_pattern(host))),
        protocols=tuple(sorted({url["scheme"].lower() for url in urls})),
        patterns=tuple(dict.fromkeys(filter(_is_pattern, hosts))),
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
    wrong = [word for word in words if word not in _PROTOCOLS]
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


def names_host(word: str) -> bool:
    """Say whether ``word`` is a host name, a URL or a name with a hole; ``localhost`` alone is a word like others."""
    host = without_scheme(word)
    try:
        return bool(canonical_fqdn(host))
    except ValueError:
        return _is_pattern(host) and pattern_type(host) is PatternType.PLACEHOLDER


def without_scheme(item: str) -> str:
    """Return the host of a URL; anything else as it is."""
    url = _URL.match(item)
    return url["host"] if url else item


def refuse_struck(cell: Text) -> None:
    """Raise ValueError where something is struck out: still written, no longer meant."""
    if cell.strikes:
        raise ValueError(f"{', '.join(cell.strikes)!r} is struck out")


def _words(cell: Text, *, dotted: bool) -> tuple[str, ...]:
    lines = [_REMARK.sub(_without_remark, line) for line in cell.lines]
    if dotted:
        lines = [_SPACED_DOT.sub(".", line) for line in lines]
    return tuple(word for item in items(Text(lines=tuple(lines))) for word in _WORD.findall(item))


def _without_remark(found: re.Match[str]) -> str:
    """Drop ``(Europe)``; ``(GCC)`` stays and is refused: it says for which cloud the name is."""
    remark = found["remark"]
    if read_cloud_words(remark).clouds or names_unread_cloud(remark):
        return found[0]
    return f"{found['url']} "


def _hosts(word: str, *, dotted: bool) -> tuple[str, ...]:
    """Return the pattern that ``word`` is, verbatim, or its canonical host names."""
    host = without_scheme(word).rstrip(".")
    if _is_pattern(host):
        return (host,)
    if dotted and host.startswith("."):
        return suffix_fqdns(host)
    return (canonical_fqdn(without_scheme(word)),)


def _name_problem(word: str, *, dotted: bool) -> str | None:
    try:
        _hosts(word, dotted=dotted)
    except ValueError as error:
        return str(error)
    return None


def _is_pattern(host: str) -> bool:
    try:
        pattern_type(host)
    except ValueError:
        return False
    return True


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
        prefix for block, prefix in blocks if not any(other != block and other.holds(block) for other, _ in blocks)
    )
