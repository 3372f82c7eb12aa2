"""``cisco-asa``: an object group of networks, IPv4 and IPv6 in one (not for NAT, which takes no mixed group).

    object-group network catalog
     network-object 20.1.2.0 255.255.255.0
     network-object host 13.66.60.119
     network-object 2603:1000::/40

Entered on a device that has the group, it adds to it: what has left the list is for its owner to remove. A name has
up to 64 characters (ASA configuration guide, objects for access control), which leaves 59 before ``_1000``.
"""

from __future__ import annotations

from socket import inet_ntoa

from catalog_service.export.format import Content, Format
from schema.words import Kind

_MASKS = [inet_ntoa(((1 << 32) - (1 << 32 - length)).to_bytes(4)) for length in range(33)]


def render_asa(content: Content) -> bytes:
    """Return the object group ``NAME``."""
    lines = "".join(f" network-object {_network(prefix)}\n" for prefix in content.listed.prefixes)
    return f"object-group network {content.name}\n{lines}".encode()


def _network(prefix: str) -> str:
    address, _, length = prefix.partition("/")
    if length == ("128" if ":" in prefix else "32"):
        return f"host {address}"
    return prefix if ":" in prefix else f"{address} {_MASKS[int(length)]}"


CISCO_ASA = Format(
    "cisco-asa",
    "text/plain",
    "cfg",
    render_asa,
    "Cisco ASA `object-group network`: IPv4 and IPv6 in one group, no names.",
    kinds=(Kind.PREFIX,),
    name_length=59,
)
