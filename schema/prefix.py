"""Prefixes: CIDR blocks in their one canonical text.

In: the text of an address, a CIDR block or a first-last range as upstreams write it. Out: canonical
CIDR text (RFC 4632; IPv6 as RFC 5952 writes it) in catalogue order, IPv4 before IPv6, numerically.
Called by the scrapers' normaliser, the catalogue's indexes and every lookup.
"""

from __future__ import annotations

import ipaddress
from bisect import insort
from collections.abc import Collection, Iterable
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import NamedTuple

# A whole Public service-tag file names 57,000 unique prefixes (sources.md T1); the same ones come
# back every week, so their parsed form is remembered and 101,516 rows cost dictionary look-ups.
_REMEMBERED = 1 << 18


_BYTE = [bytes((number,)) for number in range(256)]
_HOST_BITS = [(1 << bits) - 1 for bits in range(129)]


class Block(NamedTuple):
    """A parsed prefix as integers, for indexes and address arithmetic."""

    family: int
    first: int
    last: int
    length: int

    def holds(self, other: Block) -> bool:
        """Tell whether ``other`` lies inside this block, or is the same."""
        return self.family == other.family and self.first <= other.first and other.last <= self.last


def parse_block(text: str) -> Block:
    """Return the block that ``text`` names. Raises ValueError as `canonical_prefix`."""
    key = _parsed(text)[0].encode("latin-1")
    first, length = int.from_bytes(key[1:-1]), key[-1]
    return Block(key[0], first, first | _HOST_BITS[8 * (len(key) - 2) - length], length)


def canonical_prefix(text: str) -> str:
    """Return the canonical CIDR of ``text``, an address or CIDR block.

    Raises:
        ValueError: not an address or CIDR block, host bits set, or an IPv6 zone.
    """
    return _parsed(text)[1]


def canonical_prefixes(texts: Iterable[str]) -> tuple[str, ...]:
    """Return ``texts`` as canonical CIDR, v4 then v6, numerically sorted, unique.

    Raises:
        ValueError: as `canonical_prefix`.
    """
    return tuple(dict.fromkeys([text for _, text in sorted(map(_parsed, texts))]))


def merge_prefixes(prefixes: tuple[str, ...], added: Collection[str], removed: Collection[str]) -> tuple[str, ...]:
    """Return canonical ``prefixes`` with canonical ``added`` and without ``removed``, in catalogue order.

    A few additions are inserted into place: AzureCloud holds 14,000 prefixes and gains a handful a week.
    """
    merged = [prefix for prefix in prefixes if prefix not in removed] if removed else list(prefixes)
    if len(added) * 8 > len(merged):
        return canonical_prefixes([*merged, *added])
    for prefix in added:
        insort(merged, prefix, key=_parsed)
    return tuple(merged)


def split_range(first: str, last: str) -> tuple[str, ...]:
    """Return the CIDR blocks that cover exactly the addresses from ``first`` to ``last``.

    Every one of 5,225 published ranges is one block (sources.md D1.25); others come out as several.

    Raises:
        ValueError: not addresses, of two families, or in the wrong order.
    """
    low, high = ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
    if low.version != high.version or int(low) > int(high):
        raise ValueError(f"{first.strip()} - {last.strip()} is not a range")
    return tuple(str(network) for network in ipaddress.summarize_address_range(low, high))


def unsafe_reason(text: str) -> str | None:
    """Say why a canonical prefix has no place in a public allowlist, or None when it has.

    Special-purpose space (RFC 6890 and its registries: private, loopback, link-local, shared, multicast,
    documentation, reserved), 168.63.129.16 (Azure's host agent) and blocks wider than /8 or IPv6 /16 are
    refused: 127.0.0.1 was published for GCC and DoD in late 2020 (sources.md D1.28).
    """
    block = parse_block(text)
    if block.length < (8 if block.family == 4 else 16):
        return f"{text} is too wide"
    for first, last in _SPECIAL[block.family]:
        if first <= block.last and block.first <= last:
            return f"{text} is not public address space"
    return None


@lru_cache(maxsize=_REMEMBERED)
def _parsed(text: str) -> tuple[str, str]:
    """Return the sort key (family, first address and length, a byte a character) and the canonical text.

    inet_pton reads an address several times faster than `ipaddress`, with the same verdict; sorting has
    a fast path for tuples that begin with such text.
    """
    address, slash, digits = text.partition("/")
    family, code, bits = (6, AF_INET6, 128) if ":" in address else (4, AF_INET, 32)
    try:
        packed = inet_pton(code, address)
        length = int(digits) if slash else bits
    except (OSError, ValueError):
        raise ValueError(f"{text!r} is not an address or a CIDR block") from None
    if not 0 <= length <= bits or (slash and str(length) != digits):
        raise ValueError(f"{text!r} has no prefix length from 0 to {bits}")
    if int.from_bytes(packed) & _HOST_BITS[bits - length]:
        raise ValueError(f"{text!r} has host bits set: its block is {_block_of(packed, length, code)}/{length}")
    return (_BYTE[family] + packed + _BYTE[length]).decode("latin-1"), f"{inet_ntop(code, packed)}/{length}"


def _block_of(packed: bytes, length: int, code: int) -> str:
    bits = 8 * len(packed) - length
    return inet_ntop(code, (int.from_bytes(packed) >> bits << bits).to_bytes(len(packed)))


# 192.88.99.0/24 (6to4 relays, deprecated) and 2002::/16 are routed nowhere a customer should allow either.
_SPECIAL_PREFIXES = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "::/8", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
    "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)  # fmt: skip
_SPECIAL = {
    family: tuple((one.first, one.last) for one in map(parse_block, _SPECIAL_PREFIXES) if one.family == family)
    for family in (4, 6)
}
