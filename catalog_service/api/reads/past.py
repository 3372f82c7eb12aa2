"""What versions changed, going back from what is served: for who looks at many of them, as feeds do.

In: versions of a source, the newest first. Out: what there is to tell of each. To undo a version's changes costs 2 ms
where loading what was before costs 40 (a year of real weeks), and most records are shared. One walk at a time, off the
event loop: who reads feeds can wait, and nobody waits for them. Called by `feeds` and `calendar`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog

from catalog_service.catalog.fold import apply, invert
from catalog_service.catalog.judged import judged
from catalog_service.events.judgements import Told
from catalog_service.reader import Reader
from schema.change import Changeset
from schema.endpoint_set import EndpointSet
from schema.errors import CorruptContentError, GoneError
from schema.version import Version

Records = tuple[EndpointSet, ...]
_log = structlog.get_logger()


class Walk:
    """One walk back; ``told`` is quick for the version right before the one that it was asked for last."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._undone: dict[int, Records] = {}
        """The content of the version to come next, of each source."""

    async def told(self, version: Version) -> Told:
        """Return what there is to tell of ``version``: without its changes, where they are gone or damaged.

        Raises RedisError, OSError.
        """
        store = self._reader.store
        previous = await store.versions.back(1, version.version) or 0
        try:
            changes = await store.contents.changes_of(version)
            records = self._undone.pop(version.version, None) or await self._reader.records_of(version)
        except (GoneError, CorruptContentError) as error:
            _log.warning("a version is told without its changes", version=version.version, error=str(error))
            return Told((version,), previous, None)
        return await asyncio.to_thread(self._judged, version, previous, changes, records)

    def _judged(self, version: Version, previous: int, changes: Changeset, records: Records) -> Told:
        if version.previous:
            self._undone[version.previous] = apply(records, invert(changes))
        return Told((version,), previous, judged(changes, {record.id: record for record in records}))


class Past:
    """The walks of one process."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._walking = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def walk(self) -> AsyncIterator[Walk]:
        """Give a walk for a block, once nobody else walks."""
        async with self._walking:
            yield Walk(self._reader)
