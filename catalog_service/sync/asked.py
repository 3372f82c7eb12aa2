"""What a person has run, beside the scheduler: a sync, a reparse, an import; each leaves a line in the audit.

What a run publishes or holds is told of in the very step that does it; what else it came to, right after. Called by
the API's actions and the command line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from catalog_service.store.connect import Store
from catalog_service.sync.history import Imported, import_history
from catalog_service.sync.run import Outcome, reparse_source, run_source
from schema.clock import Clock
from schema.version import AuditEntry
from scrapers.history.files import HistoricFile
from scrapers.source import Source
from scrapers.upstream import Upstream

_TOLD = frozenset({"committed", "held"})


async def sync_asked(
    source: Source, upstream: Upstream, store: Store, clock: Clock, who: str, token: str, *, always: bool = True
) -> Outcome:
    """Run ``source`` as `run_source`, in ``who``'s name, who showed ``token``.

    ``always``: also a run that published and held nothing is told of; a command that a clock starts leaves that out.
    """
    entry = await _entry("sync", source, store, clock, who, token)
    return await _told(store, entry, run_source(source, upstream, store, clock, entry), always=always)


async def reparse_asked(source: Source, store: Store, clock: Clock, who: str, token: str) -> Outcome:
    """Read the last document again as `reparse_source`, in ``who``'s name. Raises as it."""
    entry = await _entry("reparse", source, store, clock, who, token)
    return await _told(store, entry, reparse_source(source, store, clock, entry), always=True)


async def import_asked(
    source: Source,
    files: tuple[HistoricFile, ...],
    store: Store,
    clock: Clock,
    who: str,
    token: str,
    told: Callable[[Imported], None] = lambda _: None,
) -> tuple[Imported, ...]:
    """Import ``files`` as `import_history`, in ``who``'s name; told of when it ends, also by an error. Raises as it."""
    entry = AuditEntry(clock(), who, "import", source.name, "", "", token)
    results: Counter[str] = Counter()

    def hear(one: Imported) -> None:
        results[one.result] += 1
        told(one)

    try:
        return await import_history(source, files, store, clock, hear)
    finally:
        if results:
            after = ", ".join(f"{count} {result}" for result, count in sorted(results.items()))
            await store.audit.tell(replace(entry, after=after))


async def _entry(action: str, source: Source, store: Store, clock: Clock, who: str, token: str) -> AuditEntry:
    served = await store.versions.line(source.name, None, 1)
    return AuditEntry(clock(), who, action, source.name, str(served[0]) if served else "", "", token)


async def _told(store: Store, entry: AuditEntry, run: Awaitable[Outcome], *, always: bool) -> Outcome:
    outcome = await run
    if always and outcome.result not in _TOLD:
        await store.audit.tell(replace(entry, after=outcome.result))
    return outcome
