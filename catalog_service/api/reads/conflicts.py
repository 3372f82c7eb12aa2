"""Where sources disagree, and names that need a second look."""

from __future__ import annotations

from catalog_service.api.reads.asked import Sources
from catalog_service.api.reads.sources import missing_sources
from catalog_service.catalog.conflict import ConflictKind, Conflicts
from catalog_service.catalog.conflicts import conflicts
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot


def conflicts_at(
    snapshot: Snapshot, sources: Sources, names: tuple[str, ...], kinds: tuple[ConflictKind, ...]
) -> Conflicts:
    """Return the conflicts and flags that one of the sources ``names`` has a part in, of ``kinds``; none: all."""
    return Conflicts(
        snapshot.version,
        tuple(
            one
            for one in conflicts(snapshot)
            if (not kinds or one.kind in kinds) and (not names or any(party.source in names for party in one.parties))
        ),
        missing_sources(snapshot, sources, Filter()),
        snapshot.as_of,
    )
