"""``ipset``: for ``ipset restore``, a set of each family that is filled beside the old one and swapped in.

    create catalog-v4 hash:net family inet maxelem 1048576 -exist
    create catalog-v4.new hash:net family inet maxelem 1048576 -exist
    flush catalog-v4.new
    add catalog-v4.new 20.1.2.0/24
    swap catalog-v4.new catalog-v4
    destroy catalog-v4.new

``create -exist`` takes a set that is there only with the same ``maxelem``, so the number is always the same. A set's
name has up to 31 characters, which leaves 19 before ``_1000-v4.new``, and ``hash:net`` takes no block of length 0
(ipset(8)): its halves stand for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from catalog_service.export.format import Content, Format, Limit
from schema.words import Kind

_MAXELEM = 1_048_576
_INET = {4: "inet", 6: "inet6"}
_HALVES = {"0.0.0.0/0": ("0.0.0.0/1", "128.0.0.0/1"), "::/0": ("::/1", "8000::/1")}


def render_ipset(content: Content) -> bytes:
    """Return the commands that make the sets ``NAME-v4`` and ``NAME-v6`` hold the list."""
    sets = (
        _set(f"{content.name}-v{family}", _INET[family], _netted(prefixes)) for family, prefixes in content.by_family
    )
    return "".join(sets).encode()


def _set(name: str, inet: str, prefixes: Iterable[str]) -> str:
    new, made = f"{name}.new", f"hash:net family {inet} maxelem {_MAXELEM} -exist\n"
    added = "".join(f"add {new} {prefix}\n" for prefix in prefixes)
    return f"create {name} {made}create {new} {made}flush {new}\n{added}swap {new} {name}\ndestroy {new}\n"


def _netted(prefixes: tuple[str, ...]) -> Iterator[str]:
    for prefix in prefixes:
        yield from _HALVES.get(prefix, (prefix,))


IPSET = Format(
    "ipset",
    "text/plain",
    "ipset",
    render_ipset,
    "Commands for `ipset restore`: sets `NAME-v4` and `NAME-v6`, each swapped in when it is filled; no names.",
    kinds=(Kind.PREFIX,),
    limit=Limit(_MAXELEM, "the sets as they are made here", "maxelem in the file", date(2026, 11, 23)),
    name_length=19,
)
