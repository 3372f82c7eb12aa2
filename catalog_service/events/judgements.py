"""What a parcel of versions is about, judged once, however many filters ask of it.

In: a `Parcel`. Out: `Told`. Called by `bodies`, and by whoever shows changes without a body. The work is done off the
event loop; who asks for the same meanwhile waits along, and the last few are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

import structlog
from msgspec import Struct

from catalog_service.catalog.fold import fold
from catalog_service.catalog.judged import Judged, judged
from catalog_service.catalog.settle import TakenBack, taken_back
from catalog_service.flights import Flights
from catalog_service.reader import Reader
from schema.change import Changeset
from schema.endpoint_set import EndpointSet
from schema.errors import CorruptContentError, GoneError, UnknownVersionError
from schema.event import Place
from schema.subscription import Parcel
from schema.version import Version

_KEPT = 4
"""Each holds a whole content: 5 to 15 MB of service tags."""
_log = structlog.get_logger()


class Told(Struct, frozen=True):
    """What there is to tell of a parcel."""

    versions: tuple[Version, ...]
    """Ascending by number, never empty."""
    previous: int
    """The catalogue's live version right before the first of them; 0: the empty beginning. What leads from it to the
    last of them, of their sources, are these changes."""
    judged: Judged | None
    """All that they changed together; None where a content that it takes was pruned, or is damaged."""
    taken_back: tuple[TakenBack, ...] = ()
    """What several versions took back among themselves, sorted by id."""


class Judgements:
    """What there is to tell of the catalogue's versions, in one process."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._flights: Flights[Told] = Flights(_KEPT)

    async def told(self, parcel: Parcel) -> Told:
        """Return what ``parcel`` is about.

        Raises:
            UnknownVersionError: none of its source's versions is in it.
        """
        name = Parcel(Place(parcel.first.version), Place(parcel.last.version), parcel.source, parcel.made)
        return await self._flights.once(name, partial(self._judged, name))

    async def _judged(self, parcel: Parcel) -> Told:
        versions = await self._versions(parcel)
        previous = await self._reader.store.versions.back(1, versions[0].version) or 0
        try:
            changesets = [await self._reader.store.contents.changes_of(version) for version in versions]
            newest = {version.source: version for version in versions}
            contents = [await self._reader.records_of(version) for version in newest.values()]
            return await asyncio.to_thread(_told, versions, previous, changesets, contents)
        except (GoneError, CorruptContentError) as error:
            _log.warning("a version is told without its changes", version=versions[-1].version, error=str(error))
            return Told(versions, previous, None)

    async def _versions(self, parcel: Parcel) -> tuple[Version, ...]:
        first, last = parcel.first.version, parcel.last.version
        live = await self._reader.store.versions.after(first - 1, last - first + 1)
        found = tuple(one for one in live if one.version <= last and parcel.source in (None, one.source))
        if not found:
            whose = f" of {parcel.source}" if parcel.source else ""
            message = f"there is no version{whose} from {first} to {last}"
            raise UnknownVersionError(message, source=parcel.source, version=last)
        return found


def _told(
    versions: tuple[Version, ...],
    previous: int,
    changesets: Sequence[Changeset],
    contents: Sequence[tuple[EndpointSet, ...]],
) -> Told:
    """Fold and judge. Ids begin with their source: several sources' changes do not touch."""
    after = {record.id: record for records in contents for record in records}
    changes = fold(changesets)
    found = judged(changes, after)
    for pair in found.pairs:  # here and now, off the event loop: whoever asks finds them
        found.verdict(pair)
    _ = found.moves
    return Told(versions, previous, found, taken_back(changesets, changes, after) if len(versions) > 1 else ())
