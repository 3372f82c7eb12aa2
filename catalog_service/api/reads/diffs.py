"""What leads from one version to another."""

from __future__ import annotations

import asyncio

from catalog_service.api.reads.asked import naming
from catalog_service.reader import Reader
from catalog_service.views.changes import Diff, diff_view
from schema.version import Point


async def diff_span(reader: Reader, since: str, until: str) -> tuple[Point, Point]:
    """Return the points that ``since`` and ``until`` name. Raises BadParameterError, UnknownVersionError."""
    with naming("from"):
        first = await reader.resolve(since)
    with naming("to"):
        return first, await reader.resolve(until)


async def diff_between(reader: Reader, since: Point, until: Point, sources: tuple[str, ...]) -> Diff:
    """Return what leads from one point to another, of ``sources`` or of all when there are none."""
    found = await reader.difference(since, until)
    changes, missing = found.changes, found.missing
    if sources:
        wanted = {source.casefold() for source in sources}
        changes = tuple(change for change in changes if change.id.partition(":")[0].casefold() in wanted)
        missing = tuple(source for source in missing if source.casefold() in wanted)
    return await asyncio.to_thread(diff_view, since, until, changes, missing)
