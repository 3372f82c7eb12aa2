"""Pages of conflicts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from catalog_service.api.graphql.pages import Page, Slice, Standing, numbered
from catalog_service.api.reads.asked import Sources
from catalog_service.api.reads.conflicts import conflicts_at
from catalog_service.catalog.conflict import Conflict, ConflictKind
from catalog_service.catalog.snapshot import Snapshot

CONFLICTS_DEFAULT, CONFLICTS_MOST = 100, 5000


class ConflictPage(Struct, frozen=True):
    """A `Page` of conflicts, and what is to be said of the whole answer."""

    nodes: tuple[Conflict, ...]
    places: tuple[str, ...]
    cursor: Callable[[str], str]
    page_info: Standing
    total_count: int
    version: int
    missing: tuple[str, ...]
    as_of: datetime | None


def conflict_page(
    snapshot: Snapshot, sources: Sources, names: tuple[str, ...], kinds: tuple[ConflictKind, ...], asked: Slice
) -> ConflictPage:
    """Return the part ``asked`` for of `conflicts_at`. Raises BadParameterError for a cursor of another list."""
    found = conflicts_at(snapshot, sources, names, kinds)
    kind = f"conflicts {','.join(names)} {','.join(kinds)} {snapshot.identity}"
    cut: Page = numbered(kind, snapshot.point, found.items, asked)
    return ConflictPage(
        found.items[int(cut.places[0]) : int(cut.places[-1]) + 1] if cut.places else (),
        cut.places,
        cut.cursor,
        cut.page_info,
        cut.total_count,
        found.version,
        found.missing,
        found.as_of,
    )
