"""Who is at the other end: the peer of the connection, or whom a trusted proxy says it speaks for.

In: the peer's address and X-Forwarded-For, -Proto. Out: addresses as text, and the scheme. Called by `gate`.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from msgspec import Struct

_LOCAL = "127.0.0.1"
_V6_CLIENT_BITS = 64
_MOST_HOPS = 50
_MOST_CHARACTERS = 64


class Peer(Struct, frozen=True, gc=False):
    """The client, as far as it is known."""

    address: str
    """Canonical; an IPv4 address within IPv6 as itself; of a unix socket's peer ``127.0.0.1``: it is on this host."""
    is_https: bool
    """It came by TLS, to the server or to a trusted proxy."""

    @property
    def client(self) -> str:
        """What requests are counted by: the address, or of IPv6 its /64, which one client has whole."""
        return _client(self.address)


class Peers:
    """The networks that are trusted."""

    def __init__(self, trusted: tuple[str, ...]) -> None:
        self._networks = tuple(ip_network(one) for one in trusted)
        self._trusts = lru_cache(4096)(self._is_within)

    def of(self, client: tuple[str, int] | None, scheme: str, forwarded_for: str, forwarded_proto: str) -> Peer:
        """Return the peer; of a trusted one, the last hop before the trusted ones.

        Each proxy appends whom it got a request from, so only what the trusted ones appended is believed: hops are
        read from the right until one is not trusted, or cannot be read; then the one before it counts.
        """
        address, is_https = _canonical(client[0] if client else "") or _LOCAL, scheme in {"https", "wss"}
        if not self._networks or not self._trusts(address):
            return Peer(address, is_https)
        for hop in map(str.strip, reversed(forwarded_for.split(",")[-_MOST_HOPS:])):
            if len(hop) > _MOST_CHARACTERS or (found := _canonical(hop)) is None:
                break
            address = found
            if not self._trusts(address):
                break
        proto = forwarded_proto.rpartition(",")[2].strip().lower()
        return Peer(address, proto == "https" if proto in {"http", "https"} else is_https)

    def _is_within(self, address: str) -> bool:
        found = ip_address(address)
        return any(found in network for network in self._networks)


@lru_cache(4096)
def _canonical(text: str) -> str | None:
    """Return the address in ``text``, which may have a port and brackets; None where there is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(found)


@lru_cache(4096)
def _client(address: str) -> str:
    return str(ip_network((address, _V6_CLIENT_BITS), strict=False)) if ":" in address else address
