"""Every source again and again, each at its own interval, with jitter.

Runs in the service, or in a process of its own, for as long as it lives. Several may run it: the lease of a source
lets one of them at it at a time, and the others find it freshly checked. Asked to stop, it finishes what is under way.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog
from redis.exceptions import RedisError

from catalog_service.store.connect import Store
from catalog_service.sync.run import run_source
from catalog_service.tasks import stop, to_the_end
from schema.clock import Clock, Random
from schema.errors import CatalogError, StoreError
from schema.version import SourceState
from scrapers.source import Source
from scrapers.upstream import Upstream

JITTER = 0.1
_FIRST_SPREAD_S = 2.0
_RETRY_S = 60.0
_BUSY_S = 15.0
_RETRY_MAX_DOUBLINGS = 6

_log = structlog.get_logger()


async def keep_synced(
    sources: tuple[Source, ...],
    upstream: Upstream,
    store: Store,
    clock: Clock,
    random: Random,
    versions_kept: int = 0,
    grace_s: float = 0.0,
) -> None:
    """Sync every source at its interval until cancelled; after a commit prune to ``versions_kept``, 0: never.

    A run that is under way then is finished, for up to ``grace_s``; else it is given up, and its lease given back.
    """
    runs: set[asyncio.Task[float]] = set()

    async def once(source: Source) -> float:
        run = asyncio.create_task(_once(source, upstream, store, clock, versions_kept))
        runs.add(run)
        run.add_done_callback(runs.discard)
        return await asyncio.shield(run)

    async def keep(source: Source) -> None:
        await asyncio.sleep(random() * _FIRST_SPREAD_S)
        while True:
            pause_s = await _due_in_s(source, store, clock, random)
            await asyncio.sleep(pause_s if pause_s > 0 else await once(source))

    tasks = [asyncio.create_task(keep(source)) for source in sources]
    try:
        await asyncio.gather(*tasks)
    finally:
        await to_the_end(_end(tasks, runs, grace_s))


async def _end(tasks: list[asyncio.Task[None]], runs: set[asyncio.Task[float]], grace_s: float) -> None:
    """Begin no other run; give up those that are not through after ``grace_s``."""
    await stop(*tasks)
    if under_way := tuple(runs):
        await asyncio.wait(under_way, timeout=grace_s)
        await stop(*under_way)


async def _due_in_s(source: Source, store: Store, clock: Clock, random: Random) -> float:
    try:
        return due_in_s(source, await store.sources.state(source.name), clock(), random())
    except (RedisError, OSError):
        return _RETRY_S


async def _once(source: Source, upstream: Upstream, store: Store, clock: Clock, versions_kept: int) -> float:
    """Sync ``source``; return for how many seconds it is then not even looked at."""
    outcome = await run_source(source, upstream, store, clock)
    if versions_kept and outcome.result == "committed":
        await _prune(store, versions_kept)
    # What could not be recorded does not put the source off either: a full or read-only store is not pressed.
    waits = {"busy": _BUSY_S, "failed": _RETRY_S if outcome.code == StoreError.code else 0}
    return waits.get(outcome.result, 0)


async def _prune(store: Store, versions_kept: int) -> None:
    """Prune; what goes wrong is logged, and tried again after the next commit."""
    try:
        await store.retention.prune(versions_kept)
    except (RedisError, OSError, CatalogError) as error:
        _log.warning("old versions cannot be pruned", error=str(error))


def due_in_s(source: Source, state: SourceState, now: datetime, chance: float) -> float:
    """Return the seconds until ``source`` is to be asked, 0 or less when it is due.

    Its interval after the last check, whoever made it; after a failure one minute, doubled with each
    further one, up to the interval. ``chance`` (0 to 1) moves it by up to 10 %.
    """
    if state.checked_at is None or state.checked_at > now:  # a clock that was ahead must not put a source to sleep
        return 0.0
    pause = float(source.interval_s)
    if state.failures:
        pause = min(pause, _RETRY_S * 2 ** min(state.failures - 1, _RETRY_MAX_DOUBLINGS))
    return pause * (1 + JITTER * (2 * chance - 1)) - (now - state.checked_at).total_seconds()
