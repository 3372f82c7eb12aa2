"""Leases: one runner at a time syncs a source.

A lease expires by itself when its holder dies. A holder that was paused past its lease is caught by
the fencing token: each lease of a source has a higher one, and the store refuses a lower one's writes
(Kleppmann; limits-and-faults.md B9).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError

from catalog_service.store import commit, keys
from catalog_service.tasks import stop, to_the_end
from schema.errors import LeaseTakenError

TTL_S = 60.0
_RELEASE_S = 1.0

Ask = Callable[..., Awaitable[Any]]
"""Send one command by name and give its decoded reply; redis-py's own method types leave open what comes back."""
Script = Callable[..., Awaitable[Any]]
"""Run one script and give its reply, as `Ask`."""


class Lease(Struct, frozen=True):
    """The right to write one source."""

    source: str
    token: str
    fence: int


class Leases:
    """Leases in Redis. ``ttl_s`` is how long a dead holder blocks the source."""

    def __init__(self, redis: Redis, ttl_s: float = TTL_S) -> None:
        self._redis = redis
        self._ttl_ms = int(ttl_s * 1000)
        self._acquire = redis.register_script(commit.ACQUIRE)
        self._keep = redis.register_script(commit.KEEP)

    async def acquire(self, source: str) -> Lease | None:
        """Take the lease of ``source``; None when another runner has it."""
        token = secrets.token_hex(16)
        fence = await self._acquire(keys=[keys.lease(source), keys.FENCES], args=[source, token, self._ttl_ms])
        return Lease(source, token, int(fence)) if fence else None

    async def release(self, lease: Lease) -> None:
        """Give ``lease`` back, if it is still held."""
        await self._keep(keys=[keys.lease(lease.source)], args=[lease.token, 0])

    async def renew(self, lease: Lease) -> bool:
        """Prolong ``lease``; False when it was lost."""
        return bool(await self._keep(keys=[keys.lease(lease.source)], args=[lease.token, self._ttl_ms]))

    @contextlib.asynccontextmanager
    async def hold(self, source: str) -> AsyncIterator[Lease | None]:
        """Hold the lease of ``source`` for a block, renewing it; gives None when another runner has it."""
        lease = await self.acquire(source)
        if lease is None:
            yield None
            return
        renewal = asyncio.create_task(self._renew_for_ever(lease))
        try:
            yield lease
        finally:
            await to_the_end(self._give_back(lease, renewal))

    @contextlib.asynccontextmanager
    async def hold_or_refuse(self, source: str) -> AsyncIterator[Lease]:
        """Hold the lease as `hold` does. Raises LeaseTakenError when another runner has it."""
        async with self.hold(source) as lease:
            if lease is None:
                raise LeaseTakenError(f"{source} is being synced at this moment", source=source)
            yield lease

    async def _give_back(self, lease: Lease, renewal: asyncio.Task[None]) -> None:
        """Give ``lease`` back at once or not at all: it expires by itself where Redis does not answer."""
        await stop(renewal)
        with contextlib.suppress(RedisError, OSError):
            async with asyncio.timeout(_RELEASE_S):
                await self.release(lease)

    async def _renew_for_ever(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(self._ttl_ms / 3000)
            with contextlib.suppress(RedisError, OSError):  # a commit past the lease is refused by its fence
                if not await self.renew(lease):
                    return
