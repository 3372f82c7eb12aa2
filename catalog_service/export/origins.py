"""Which records, and which service tags, each entry of a list comes from.

In: a `Content`. Out: its entries in their order, with who holds each. Called by the formats that tell it: `table`,
`lines`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct

from catalog_service.catalog.view import Entry
from catalog_service.export.format import Content
from schema.prefix import parse_block
from schema.words import Kind

Home = Callable[[str], str | None]
Tags = Mapping[str, frozenset[str | None]]


class Holder(Struct, frozen=True):
    """A record that holds a member, and the ids of the service tags it has it from, sorted."""

    entry: Entry
    via: tuple[str, ...] = ()


def credited(content: Content) -> Iterator[tuple[str, Kind, tuple[Holder, ...]]]:
    """Yield each member of the list with its kind and holders, sorted by id; an aggregate's hold a part of it."""
    home = _homes(content) if content.aggregated else None
    tags = {via.id: content.snapshot.by_id[via.id].prefixes for entry in content.view.entries for via in entry.via}
    placed = {id_: frozenset(_places(prefixes, home)) for id_, prefixes in tags.items()}
    holders: dict[str | None, tuple[Holder, ...]] = {}
    for entry in content.view.entries:
        plain = (Holder(entry),)  # one tuple for all the members that a record alone holds, which are most
        for place in _places(entry.record.prefixes, home):
            own = (_resolved(entry, place, placed),) if entry.via else plain
            holders[place] = holders[place] + own if place in holders else own
        for fqdn in entry.record.fqdns:
            holders[fqdn] = holders[fqdn] + plain if fqdn in holders else plain
    for kind, members in ((Kind.PREFIX, content.listed.prefixes), (Kind.FQDN, content.listed.fqdns)):
        for member in members:
            yield member, kind, holders[member]


def _places(prefixes: tuple[str, ...], home: Home | None) -> Iterable[str | None]:
    """Return the entries of the list that ``prefixes`` are or lie in, each once; None where the list has none."""
    return prefixes if home is None else dict.fromkeys(map(home, prefixes))


def _resolved(entry: Entry, member: str | None, tags: Tags) -> Holder:
    return Holder(entry, tuple(sorted({via.id for via in entry.via if member in tags[via.id]})))


def _homes(content: Content) -> Home:
    """Return what finds the aggregate that a record's prefix lies in, None where the list has none."""
    blocks = tuple(map(parse_block, content.listed.prefixes))
    starts = tuple((block.family, block.first) for block in blocks)

    def home(prefix: str) -> str | None:
        inner = parse_block(prefix)
        at = bisect_right(starts, (inner.family, inner.first)) - 1
        return content.listed.prefixes[at] if at >= 0 and blocks[at].holds(inner) else None

    return home
