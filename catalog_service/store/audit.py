"""What people did: labels set, moved and deleted, held versions accepted and rejected, sources rolled back, pruning.

Each entry is written in the same atomic step as what it tells of (the scripts of `commit`); the newest 10,000 are
kept. Called by the command line and by the API.
"""

from __future__ import annotations

from redis.asyncio import Redis

from catalog_service.store import codec, keys
from catalog_service.store.leases import Ask
from schema.version import AuditEntry


class Audit:
    """The audit stream in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._ask: Ask = redis.execute_command

    async def newest(self, count: int = 50, skip: int = 0) -> tuple[AuditEntry, ...]:
        """Return up to ``count`` entries, newest first, after the newest ``skip``. Raises CorruptContentError."""
        found = await self._ask("XREVRANGE", keys.AUDIT, "+", "-", "COUNT", skip + count)
        return tuple(codec.unpack(fields[b"entry"], AuditEntry) for _, fields in found[skip:])


def packed(entry: AuditEntry | None) -> bytes:
    """Return ``entry`` as the scripts of `commit` take it; nothing for None."""
    return codec.pack(entry) if entry else b""
