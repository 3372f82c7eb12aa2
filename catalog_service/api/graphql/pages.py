"""Relay's connections over tuples: a page of a list, and where it stands in it.

In: a whole list in memory, or a page that the store gave, and first/after/last/before. Out: a `Page`, of which
GraphQL reads `edges`, `nodes`, `pageInfo` and `totalCount`. A cursor belongs to its list; one of another is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import strawberry
from msgspec import Struct

from catalog_service.api.cursors import decode_cursor, encode_cursor
from catalog_service.api.graphql.limits import READS_ANEW
from catalog_service.api.reads.asked import naming
from catalog_service.catalog.select import Filter
from schema.errors import BadParameterError
from schema.version import Point


class Slice(Struct, frozen=True):
    """What part of a list is asked for; ``first`` is None only beside ``last``."""

    first: int | None
    after: str | None
    last: int | None
    before: str | None

    @property
    def cursors(self) -> tuple[tuple[str, str], ...]:
        """The cursors given, each with the name of its argument."""
        given = (("after", self.after), ("before", self.before))
        return tuple((name, cursor) for name, cursor in given if cursor is not None)

    def of(self, low: int, high: int) -> tuple[int, int]:
        """Return the part asked for of the places from ``low`` to ``high``."""
        if self.first is not None:
            high = min(high, low + self.first)
        return (low if self.last is None else max(low, high - self.last)), max(low, high)


def sliced(
    first: int | None, after: str | None, last: int | None, before: str | None, *, default: int, most: int
) -> Slice:
    """Return what is asked for, the first ``default`` when nothing is. Raises BadParameterError."""
    for name, value in (("first", first), ("last", last)):
        if value is not None and not 1 <= value <= most:
            raise BadParameterError(f"{name} is a number from 1 to {most}", parameter=name, value=value, most=most)
    return Slice(default if first is None and last is None else first, after, last, before)


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


class Standing(Struct, frozen=True):
    """`PageInfo`'s fields."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


class Page(Struct, frozen=True):
    """Some of a list, and the name of each one's place in it, of which ``cursor`` makes a cursor."""

    nodes: tuple[object, ...]
    places: tuple[str, ...]
    cursor: Callable[[str], str]
    page_info: Standing
    total_count: int = 0


class Edge(Struct, frozen=True):
    """One of a page, and its place."""

    node: object
    place: str
    make: Callable[[str], str]


def page(
    nodes: tuple[object, ...],
    places: tuple[str, ...],
    cursor: Callable[[str], str],
    total: int,
    *,
    before: bool,
    after: bool,
) -> Page:
    """Return a page; ``before`` and ``after`` say whether there is more on that side."""
    ends = (cursor(places[0]), cursor(places[-1])) if places else (None, None)
    return Page(nodes, places, cursor, Standing(after, before, *ends), total)


def numbered(kind: str, point: Point, items: tuple[object, ...], asked: Slice) -> Page:
    """Return the page of ``items`` that is asked for; ``kind`` tells this list at ``point`` from any other.

    Raises:
        BadParameterError: a cursor is none of this list.
    """
    ends = {"after": 0, "before": len(items)}
    for name, token in asked.cursors:
        with naming(name):
            found = decode_cursor(kind, token, Filter())
            if found.point != point or not (found.after.isdecimal() and int(found.after) < len(items)):
                raise BadParameterError("this cursor belongs to another list", parameter=name)
        ends[name] = int(found.after) + (name == "after")
    start, stop = asked.of(ends["after"], ends["before"])
    return page(
        items[start:stop],
        tuple(map(str, range(start, stop))),
        lambda place: encode_cursor(kind, point, place, Filter()),
        len(items),
        before=start > 0,
        after=stop < len(items),
    )


def answered(
    resolver: Callable[..., object],
    type_: object,
    description: str | None = None,
    *,
    first: int = 1,
    cost: int = READS_ANEW,
) -> Any:
    """Make a field of GraphQL type ``type_`` out of a resolver, whatever Struct it returns.

    `limits` counts it as ``cost`` if it reads anew, and what is selected in a page of it ``first`` times. An
    attribute's type says what GraphQL sees, and no type says that strawberry's field stands for it.
    """
    metadata = {"first": first, "cost": cost}
    return strawberry.field(resolver=resolver, graphql_type=type_, description=description, metadata=metadata)


def edges(parent: strawberry.Parent[Page]) -> tuple[Edge, ...]:
    """Return the nodes of a page with their places."""
    return tuple(Edge(node, place, parent.cursor) for node, place in zip(parent.nodes, parent.places, strict=True))


def cursor(parent: strawberry.Parent[Edge]) -> str:
    """Return where a page goes on after an edge."""
    return parent.make(parent.place)
