"""Sources: how each is, those asked for by name, those that nothing is had of. Called by every other read."""

from __future__ import annotations

from datetime import UTC, datetime

from catalog_service.api.reads.asked import Sources
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.spelling import nearest
from catalog_service.reader import Reader
from catalog_service.views.sources import SourceView, source_view
from schema.errors import UnknownSourceError
from schema.version import SourceState


async def source_views(reader: Reader, sources: Sources) -> tuple[SourceView, ...]:
    """Return every source and how it is, in the order configured; while the store is away, as was read last."""
    standing = await reader.standing()
    held = {one.source: one for one in standing.held}
    states, empty = standing.states, SourceState()
    now = datetime.now(UTC)
    return tuple(
        source_view(one, reader.current, states.get(one.name, empty), held.get(one.name), now) for one in sources
    )


def check_sources(reader: Reader, sources: Sources, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the sources called ``names`` in their own spelling.

    Raises:
        UnknownSourceError: a name is neither configured nor in the catalogue.
    """
    known = {name.casefold(): name for name in (*(one.name for one in sources), *reader.current.by_source)}
    for name in names:
        if name.casefold() not in known:
            close = nearest(name, known.values())
            hint = f"did you mean {close}?" if close else f"there are {', '.join(sorted(known.values()))}"
            message = f"no source is named {name!r}; {hint}"
            raise UnknownSourceError(message, parameter="source", value=name, known=tuple(sorted(known.values())))
    return tuple(known[name.casefold()] for name in names)


def check_source(reader: Reader, sources: Sources, name: str) -> str:
    """Return the source called ``name`` in its own spelling. Raises as `check_sources`."""
    return check_sources(reader, sources, (name,))[0]


def missing_sources(snapshot: Snapshot, sources: Sources, wanted: Filter) -> tuple[str, ...]:
    """Return the configured sources that ``wanted`` does not leave out and that ``snapshot`` has nothing of.

    An answer is whole only when there is none. A source may speak for any cloud, so clouds do not count. Scenarios
    name the sources they need: what they miss is said in their answer.
    """
    if wanted.scenarios and not wanted.sources:
        return ()
    return tuple(
        one.name
        for one in sources
        if one.name not in snapshot.by_source and (one.name in wanted.sources if wanted.sources else not one.archive)
    )
