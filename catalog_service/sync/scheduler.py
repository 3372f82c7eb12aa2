"""Every source again and again, each at its own interval, with jitter.

Runs in the service for as long as it lives. Several services may run it: the lease of a source lets
one of them at it at a time, and the others find it freshly checked.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog
from redis.exceptions import RedisError

from catalog_service.store.connect import Store
from catalog_service.sync.run import run_source
from catalog_service.tasks import stop
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
) -> None:
    """Sync every source at its interval until cancelled; after a commit prune to ``versions_kept``, 0: never."""
    runs = [_keep_source(source, upstream, store, clock, random, versions_kept) for source in sources]
    tasks = [asyncio.create_task(run) for run in runs]
    try:
        await asyncio.gather(*tasks)
    finally:
        await stop(*tasks)


async def _keep_source(
    source: Source, upstream: Upstream, store: Store, clock: Clock, random: Random, versions_kept: int
) -> None:
    await asyncio.sleep(random() * _FIRST_SPREAD_S)
    while True:
        try:
            state = await store.sources.state(source.name)
        except (RedisError, OSError):
            await asyncio.sleep(_RETRY_S)
            continue
        if (pause_s := due_in_s(source, state, clock(), random())) > 0:
            await asyncio.sleep(pause_s)
        else:
            outcome = await run_source(source, upstream, store, clock)
            if versions_kept and outcome.result == "committed":
                await _prune(store, versions_kept)
            # What could not be recorded does not put the source off either: a full or read-only store is not pressed.
            waits = {"busy": _BUSY_S, "failed": _RETRY_S if outcome.code == StoreError.code else 0}
            await asyncio.sleep(waits.get(outcome.result, 0))


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
