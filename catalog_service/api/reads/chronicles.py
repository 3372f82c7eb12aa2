"""The past of each source, as of now: read from the store once a process, off the event loop, then extended.

What the store says of time is asked again each time, so that nothing told is ever behind. Called by `biographies`.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from catalog_service.catalog.chronicle import Chronicle, extended
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from catalog_service.store.steps import Line, lines, steps
from schema.errors import GoneError, NotReadyError


async def chronicles_of(reader: Reader, names: tuple[str, ...] = ()) -> tuple[Chronicle, ...]:
    """Return the past of the sources ``names`` (none: of all) that have one, by name, as of now; never empty.

    Raises:
        NotReadyError: there is none.
    """
    found = await _KEPT.setdefault(reader, Chronicles(reader.store)).of(names)
    if not found:
        raise NotReadyError(f"nothing was published or imported yet{' of ' if names else ''}{' and '.join(names)}")
    return found


class Chronicles:
    """The chronicles of one process, each read once and extended by what is new (two years of Public: 25 MB)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Chronicle] = {}
        self._lock = asyncio.Lock()

    async def of(self, names: tuple[str, ...]) -> tuple[Chronicle, ...]:
        """Return those of ``names``, none: of all; never behind the store."""
        wanted = await self._lines(names)
        while not all(map(self._is_known, wanted)):
            async with self._lock:
                wanted = await self._lines(names)  # whoever had the lock may have read newer ones
                try:
                    await self._learn(wanted)
                except GoneError:
                    if await self._lines(names) == wanted:  # else it was pruned since
                        raise
        return tuple(self._known[line.source] for line in wanted)

    async def _learn(self, wanted: list[Line]) -> None:
        for line in wanted:
            if not self._is_known(line):
                self._known[line.source] = await self._read(line)

    async def _lines(self, names: tuple[str, ...]) -> list[Line]:
        return [line for line in await lines(self._store) if not names or line.source in names]

    def _is_known(self, line: Line) -> bool:
        known = self._known.get(line.source)
        return known is not None and known.moments == line.moments

    async def _read(self, line: Line) -> Chronicle:
        """Return the chronicle of ``line``; history imported between, or dropped, makes it be read from its start."""
        known = self._known.get(line.source)
        before = known if known and line.goes_on_from(known.moments) else Chronicle(line.source)
        new = await steps(self._store, line, len(before.moments))
        return await asyncio.to_thread(extended, before, new)


_KEPT: WeakKeyDictionary[Reader, Chronicles] = WeakKeyDictionary()
"""A process has one reader; tests have many."""
