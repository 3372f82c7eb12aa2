"""How fresh what one process serves is: kept up in the background, so that each answer can say it at no cost.

In: the reader, the sources and a clock. Out: the sources that are stale, and how far behind the store the reader is.
While Redis is away the states read last grow old, as they do. Called by the API and by `scrape`.
"""

from __future__ import annotations

from catalog_service.catalog.fresh import stale_sources
from catalog_service.reader import Reader
from catalog_service.tasks import forever
from schema.clock import Clock
from schema.source import SourceInfo

BEHIND_S = 10
"""The reader hears from the store each four seconds; one that has not for so long says so."""
_EVERY_S = 15.0


class Freshness:
    """Of one process."""

    def __init__(self, reader: Reader, sources: tuple[SourceInfo, ...], clock: Clock) -> None:
        self._reader = reader
        self._sources = sources
        self._clock = clock
        self.stale: tuple[str, ...] = ()
        """Names of sources that are served and were not confirmed within their objective, in the order configured."""

    @property
    def age_s(self) -> int | None:
        """Seconds since the store confirmed that nothing newer is there; None while it just did, or never has."""
        confirmed_at = self._reader.refreshed_at
        age_s = int((self._clock() - confirmed_at).total_seconds()) if confirmed_at else 0
        return age_s if age_s > BEHIND_S else None

    async def refresh(self) -> None:
        """Read how the sources are, and judge them at this time; while Redis is away, by what was read last.

        Raises RedisError: nothing was yet.
        """
        if states := (await self._reader.standing()).states:
            self.stale = stale_sources(self._sources, self._reader.current.by_source, states, self._clock())

    async def follow(self) -> None:
        """Refresh again and again, until cancelled."""
        await forever(self.refresh, "cannot tell how sources are", every_s=_EVERY_S)
