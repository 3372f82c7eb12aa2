"""The catalogue's own signing key, sealed. Called by `subscriptions.signing_key`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

from catalog_service.store import keys
from catalog_service.store.audit import log_audit, packed
from catalog_service.store.leases import Ask
from catalog_service.store.tell import RENEW
from schema.version import AuditEntry


class SigningKeys:
    """The key in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._ask: Ask = redis.execute_command
        self._renew: Callable[..., Awaitable[bytes]] = redis.register_script(RENEW)

    async def get(self) -> bytes | None:
        """Return the sealed key, None before the first use."""
        found: bytes | None = await self._ask("GET", keys.SIGNING_KEY)
        return found

    async def set_first(self, sealed: bytes) -> bytes:
        """Keep ``sealed`` unless there is a key already; return the one that is there."""
        await self._ask("SET", keys.SIGNING_KEY, sealed, "NX")
        return await self.get() or sealed

    async def replace(self, before: bytes | None, after: bytes, entry: AuditEntry) -> bool:
        """Put ``after`` in the place of ``before``, with its audit entry; False where it is not that any more."""
        arguments = [before or b"", after, packed(entry)]
        done = await self._renew(keys=[keys.SIGNING_KEY, keys.AUDIT], args=arguments) == b"OK"
        log_audit(entry if done else None)
        return done
