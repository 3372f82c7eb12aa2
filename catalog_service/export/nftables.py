"""``nftables``: for ``nft -f``, a set of each family that replaces its content in one transaction.

    add table inet catalog
    add set inet catalog catalog_v4 { type ipv4_addr; flags interval; auto-merge; }
    flush set inet catalog catalog_v4
    add element inet catalog catalog_v4 {
        20.1.2.0/24,
    }

Both families asked for have their set, even one that is empty: rules refer to it. The prefixes of service tags
overlap, which ``auto-merge`` allows.
"""

from __future__ import annotations

from catalog_service.export.format import Content, Format
from schema.words import Kind

_TABLE = "inet catalog"


def render_nftables(content: Content) -> bytes:
    """Return the commands that make the sets ``NAME_v4`` and ``NAME_v6`` hold the list."""
    sets = "".join(_set(f"{content.name}_v{family}", family, prefixes) for family, prefixes in content.by_family)
    return f"add table {_TABLE}\n{sets}".encode()


def _set(name: str, family: int, prefixes: tuple[str, ...]) -> str:
    made = (
        f"add set {_TABLE} {name} {{ type ipv{family}_addr; flags interval; auto-merge; }}\nflush set {_TABLE} {name}\n"
    )
    if not prefixes:
        return made
    elements = "".join(f"\t{prefix},\n" for prefix in prefixes)
    return f"{made}add element {_TABLE} {name} {{\n{elements}}}\n"


NFTABLES = Format(
    "nftables",
    "text/plain",
    "nft",
    render_nftables,
    "Commands for `nft -f`: sets `NAME_v4` and `NAME_v6` in the table `inet catalog`, replaced in one step; no names.",
    kinds=(Kind.PREFIX,),
    ranges=True,
    name_length=64,
)
