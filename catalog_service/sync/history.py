"""History: files of an upstream's past become versions with the upstream's dates (docs/adr/0006).

They lie beside the version line: no head moves, nobody is notified, and what is already known is not
added twice. Called by the import command.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog
from msgspec import Struct
from msgspec.structs import replace

from catalog_service.catalog.guard import unsafe_reasons
from catalog_service.catalog.snapshot import SourceContent
from catalog_service.store.commits import Commit
from catalog_service.store.connect import Store
from catalog_service.store.leases import Lease
from catalog_service.sync.candidate import compared
from catalog_service.sync.record import version_of
from schema.change import Summary
from schema.clock import Clock
from schema.errors import GoneError, ParseError
from schema.version import SourceState
from scrapers.history.files import HistoricFile
from scrapers.source import Source

_log = structlog.get_logger()


class Imported(Struct, frozen=True, omit_defaults=True):
    """What became of one file.

    ``result``: imported, unchanged (nothing it says was new at its time), or refused, with every reason.
    """

    name: str
    result: str
    at: datetime | None = None
    version: int | None = None
    summary: Summary | None = None
    reasons: tuple[str, ...] = ()


async def import_history(
    source: Source,
    files: tuple[HistoricFile, ...],
    store: Store,
    clock: Clock,
    told: Callable[[Imported], None] = lambda _: None,
) -> tuple[Imported, ...]:
    """Import ``files``, oldest first, under the source's lease; ``told`` hears of each as it is done.

    A file that cannot be read, is too small, or lists what must not be in an allowlist is refused, and the
    others go on. Shares of change are not judged: what was published then is a fact.

    Raises:
        LeaseTakenError: the source is being synced at this moment.
    """
    async with store.leases.hold_or_refuse(source.name) as lease:
        served = await store.contents.content(source.name)
        await _remember(source, store, served)
        run = _Run(source, store, lease, clock, served.version.document if served else "")
        outcomes = []
        for place, file in enumerate(files):
            outcomes.append(await run.add(file, keep=len(files) - place <= store.documents.most))
            told(outcomes[-1])
        return tuple(outcomes)


async def _remember(source: Source, store: Store, served: SourceContent | None) -> None:
    """Remember what is known of the time since: what is served was valid when last seen; a closed upstream ended."""
    if source.closed_at:
        await store.versions.saw(source.name, 0, source.closed_at)
    ok_at = (await store.sources.state(source.name)).ok_at
    if served and ok_at:
        await store.versions.saw(source.name, served.version.version, ok_at)


class _Run:
    """One import of one source; remembers what it added last."""

    def __init__(self, source: Source, store: Store, lease: Lease, clock: Clock, served: str) -> None:
        self._source = source
        self._store = store
        self._lease = lease
        self._clock = clock
        self._served = served
        self._added: SourceContent | None = None
        self._known: SourceContent | None = None

    async def add(self, file: HistoricFile, *, keep: bool) -> Imported:
        """Import one file; ``keep``: its document too."""
        if self._source.closed_at and file.at >= self._source.closed_at:
            return _refused(file, f"upstream was closed by {self._source.closed_at:%Y-%m-%d}")
        document = await asyncio.to_thread(file.document, self._clock())
        try:
            before = await self._before(file.at)
        except GoneError as error:
            return _refused(file, f"what was valid right before it is not kept: {error}")
        try:
            candidate = await asyncio.to_thread(compared, self._source, document, before)
        except ParseError as error:
            return _refused(file, *(error.reasons or (str(error),)))
        except Exception as error:  # noqa: BLE001 - a fault in a parser must not stop the other files
            _log.exception("a file cannot be imported", source=self._source.name, file=file.name)
            return _refused(file, f"unexpected {type(error).__name__}: {error}")
        if before and not candidate.changes:
            if before.version.upstream_at != file.at:
                await self._store.versions.saw(self._source.name, before.version.version, file.at)
            return Imported(file.name, "unchanged", file.at)
        if reasons := unsafe_reasons(self._source.guard, (), candidate.records, candidate.changes):
            return _refused(file, *reasons)
        made = version_of(self._source.name, candidate, before, document.provenance.fetched_at)
        wanted = Commit(
            replace(made, upstream_at=file.at, imported=True),
            candidate.changes,
            candidate.records,
            SourceState(),
            document=document if keep else None,
        )
        chained = before is not None and before is self._added
        self._added = self._known = await self._store.commits.add_history(
            self._lease, wanted, file.at, before, chained=chained, served=self._served
        )
        version = self._added.version
        return Imported(file.name, "imported", file.at, version.version, version.summary)

    async def _before(self, at: datetime) -> SourceContent | None:
        """Return what was valid right before ``at``, as far as is known."""
        number = await self._store.versions.valid(self._source.name, at)
        if number is None:
            return None
        if self._known is None or self._known.version.version != number:
            version = await self._store.versions.version(number)
            self._known = await self._store.contents.content_of(version)
        return self._known


def _refused(file: HistoricFile, *reasons: str) -> Imported:
    return Imported(file.name, "refused", file.at, reasons=reasons)
