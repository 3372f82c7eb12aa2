"""Which endpoint sets hold this address, block or name?

In: an address, CIDR block, host name or URL (`target`). Out: `Match`es, the most specific prefix or name first.
Prefixes nest or are disjoint, never overlap in part: flattened into sorted segments, each knowing
its chain of prefixes, one bisect answers an address (limits-and-faults.md
A5: 0.8 us, 2.5x faster than a radix tree in C). Built once a snapshot.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from enum import StrEnum
from socket import AF_INET, inet_pton

from msgspec import Struct

from catalog_service.catalog.target import Target, is_address, read_target
from schema.endpoint_set import EndpointSet
from schema.fqdn import wildcard_pattern
from schema.prefix import Block, canonical_prefixes, parse_block


class Relation(StrEnum):
    """How a prefix or name of a record relates to what was asked."""

    EXACT = "exact"
    COVERS = "covers"
    """It is wider: a block around it, a wildcard over it."""
    INSIDE = "inside"
    """It is narrower: a block inside the one asked for."""


class Match(Struct, frozen=True, omit_defaults=True):
    """One record that covers the query (or lies inside it), and the member that does."""

    record: EndpointSet
    relation: Relation
    prefix: str | None = None
    fqdn: str | None = None


class PrefixTree:
    """The prefixes of one address family, flattened.

    Catalogue order is nesting order: where two start together the wider stands first, so a prefix's
    parent is always met before it.
    """

    def __init__(self, prefixes: Iterable[tuple[Block, str]]) -> None:
        self.texts: list[str] = []
        self.parents: list[int] = []
        """Of each prefix, the place of the narrowest one around it; -1 where there is none."""
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self._starts: list[int] = [-1]
        self._innermost: list[int] = [-1]
        open_: list[int] = []
        for block, text in prefixes:
            while open_ and self._lasts[open_[-1]] < block.first:
                self._close(open_)
            self._segment(block.first, len(self.texts))
            self.parents.append(open_[-1] if open_ else -1)
            open_.append(len(self.texts))
            self.texts.append(text)
            self._firsts.append(block.first)
            self._lasts.append(block.last)
        while open_:
            self._close(open_)

    def _close(self, open_: list[int]) -> None:
        closed = open_.pop()
        self._segment(self._lasts[closed] + 1, open_[-1] if open_ else -1)

    def _segment(self, start: int, innermost: int) -> None:
        if self._starts[-1] == start:
            self._innermost[-1] = innermost
        else:
            self._starts.append(start)
            self._innermost.append(innermost)

    def innermost(self, address: int) -> int:
        """Return the place of the narrowest prefix that holds ``address``, -1 where none does."""
        return self._innermost[bisect_right(self._starts, address) - 1]

    def covering(self, block: Block) -> Iterator[str]:
        """Yield the prefixes that hold ``block``, innermost first, itself included."""
        place = self.innermost(block.first)
        while place >= 0:
            if self._lasts[place] >= block.last:
                yield self.texts[place]
            place = self.parents[place]

    def inside(self, block: Block) -> Iterator[str]:
        """Yield the prefixes inside ``block``, itself left out, in address order."""
        for place in self._within(block):
            if self._lasts[place] <= block.last and (self._firsts[place], self._lasts[place]) != block[1:3]:
                yield self.texts[place]

    def count_within(self, block: Block) -> int:
        """Return how many prefixes begin in ``block``, at once."""
        return len(self._within(block))

    def _within(self, block: Block) -> range:
        return range(bisect_left(self._firsts, block.first), bisect_right(self._firsts, block.last))


class LookupIndex:
    """Indexes over the members of ``records``."""

    def __init__(self, records: Iterable[EndpointSet]) -> None:
        self._by_prefix: dict[str, list[EndpointSet]] = {}
        self._by_fqdn: dict[str, list[EndpointSet]] = {}
        for record in records:
            for prefix in record.prefixes:
                self._by_prefix.setdefault(prefix, []).append(record)
            for fqdn in record.fqdns:
                self._by_fqdn.setdefault(fqdn, []).append(record)
        self._trees = prefix_trees(self._by_prefix)
        # All addresses whose narrowest prefix is the same have the same matches; the last place is for none.
        self._known: dict[int, list[tuple[Match, ...] | None]] = {
            family: [*[None] * len(tree.texts), ()] for family, tree in self._trees.items()
        }
        self._innermost_v4, self._known_v4 = self._trees[4].innermost, self._known[4]
        self._wildcards = Wildcards(self._by_fqdn)

    def lookup(self, query: str) -> tuple[Match, ...]:
        """Return the records that cover ``query``, most specific first; for a block also those inside it.

        ``*.x`` does not cover ``x``. Records with the same prefix or name come sorted by id.

        Raises:
            BadParameterError: as `read_target`.
        """
        try:
            place = self._innermost_v4(int.from_bytes(inet_pton(AF_INET, query)))
        except (OSError, ValueError):
            return self.find(read_target(query))
        known = self._known_v4[place]
        return self._of_address(4, place) if known is None else known

    def find(self, target: Target) -> tuple[Match, ...]:
        """Return what `lookup` does, of a query that was read already."""
        block = target.block
        if block is None:
            return self._names(target.text)
        if is_address(block):
            return self._of_address(block.family, self._trees[block.family].innermost(block.first))
        return self._of_block(block, target.prefix)

    def is_past(self, target: Target, most: int) -> bool:
        """Tell, before any work is done, whether more than ``most`` prefixes would match."""
        return target.block is not None and self._trees[target.block.family].count_within(target.block) > most

    def _of_address(self, family: int, place: int) -> tuple[Match, ...]:
        """Return the matches of an address whose narrowest prefix stands at ``place``."""
        known = self._known[family]
        if (found := known[place]) is None:
            tree = self._trees[family]
            prefix = tree.texts[place]
            relation = Relation.EXACT if is_address(parse_block(prefix)) else Relation.COVERS
            around = self._of_address(family, tree.parents[place])
            found = known[place] = (*self._matches(prefix, relation), *around)
        return found

    def _of_block(self, block: Block, itself: str) -> tuple[Match, ...]:
        tree = self._trees[block.family]
        related = [(one, Relation.COVERS if one != itself else Relation.EXACT) for one in tree.covering(block)]
        related += ((prefix, Relation.INSIDE) for prefix in tree.inside(block))
        return tuple(match for prefix, relation in related for match in self._matches(prefix, relation))

    def _matches(self, prefix: str, relation: Relation) -> Iterator[Match]:
        return (Match(record, relation, prefix) for record in self._by_prefix[prefix])

    def _names(self, name: str) -> tuple[Match, ...]:
        related = [(name, Relation.EXACT)] if name in self._by_fqdn else []
        related += ((wildcard, Relation.COVERS) for wildcard in self._wildcards.covering(name))
        return tuple(Match(record, relation, fqdn=fqdn) for fqdn, relation in related for record in self._by_fqdn[fqdn])


class Wildcards:
    """The names with a wildcard among ``fqdns``."""

    def __init__(self, fqdns: Iterable[str]) -> None:
        wildcards = [name for name in fqdns if "*" in name]
        self._below = frozenset(name for name in wildcards if name.startswith("*.") and "*" not in name[1:])
        self._others = [name for name in wildcards if name not in self._below]

    def covering(self, name: str) -> list[str]:
        """Return the wildcards that cover ``name``, itself left out, the most specific first."""
        labels = name.split(".")
        found = {"*." + ".".join(labels[depth:]) for depth in range(1, len(labels))} & self._below
        found.update(one for one in self._others if wildcard_pattern(one).fullmatch(name))
        return sorted(found - {name}, key=specificity, reverse=True)


def prefix_trees(prefixes: Iterable[str]) -> dict[int, PrefixTree]:
    """Return the tree of each address family, 4 and 6, over canonical ``prefixes``."""
    blocks = [(parse_block(prefix), prefix) for prefix in canonical_prefixes(prefixes)]
    return {family: PrefixTree(one for one in blocks if one[0].family == family) for family in (4, 6)}


def specificity(fqdn: str) -> tuple[int, int, str]:
    """Return the order of wildcards, the most specific last: by fixed characters, then by fewer stars."""
    return len(fqdn.replace("*", "")), -fqdn.count("*"), fqdn
