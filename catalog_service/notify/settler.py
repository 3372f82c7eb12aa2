"""The settler: what came of many attempts is written together, in as few exchanges with Redis as the load allows.

In: settlements, one by one. While one batch is on its way the next one gathers. While Redis is away they wait, for as
long as claims last: what was sent is sent again then, under the same id. Called by `notifier`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog
from redis.exceptions import RedisError

from catalog_service.store.queues import Queues, Settlement
from schema.clock import Clock

_MOST = 200
"""Redis does nothing else meanwhile."""
_RETRY_S = 0.5
_log = structlog.get_logger()


class Settler:
    """Writes settlements in batches; ``settled`` is called after each."""

    def __init__(self, queues: Queues, clock: Clock, claim_for: timedelta, settled: Callable[[], None]) -> None:
        self._queues = queues
        self._clock = clock
        self._claim_for = claim_for
        self._settled = settled
        self._waiting: list[Settlement] = []
        self._some = asyncio.Event()

    def add(self, settlement: Settlement) -> None:
        """Have ``settlement`` written."""
        self._waiting.append(settlement)
        self._some.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._some.wait()
            await self.flush()

    async def flush(self) -> None:
        """Write all that waits."""
        while batch := self._waiting[:_MOST]:
            self._waiting = self._waiting[_MOST:]
            try:
                await self._written(batch)
            except asyncio.CancelledError:
                self._waiting = [*batch, *self._waiting]  # the last flush writes them; twice does no harm
                raise
            self._settled()
        self._some.clear()

    async def _written(self, batch: list[Settlement]) -> None:
        while batch:
            try:
                kept = await self._queues.settle(batch, self._clock())
            except (RedisError, OSError) as error:
                _log.warning("what was sent cannot be noted down yet", count=len(batch), error=str(error))
                await asyncio.sleep(_RETRY_S)
                batch = [one for one in batch if self._clock() - one.now < self._claim_for]
                continue
            except Exception:  # noqa: BLE001 - one that cannot be written is not the others' trouble
                if len(batch) == 1:
                    _log.exception("what was sent cannot be noted down", subscription=batch[0].claim.subscription.id)
                    return
                for one in batch:
                    await self._written([one])
                return
            if lost := kept.count(False):
                _log.warning("not noted down: deleted meanwhile, or its claim ended and it is sent again", count=lost)
            return
