"""What people did: labels set, moved and deleted, held versions accepted and rejected, sources rolled back, pruning.

Each entry is written in the same atomic step as what it tells of (the scripts of `commit`); the newest 10,000 are
kept. Called by the command line and by the API.
"""

from __future__ import annotations

from redis.asyncio import Redis

from catalog_service.store import codec, keys
from catalog_service.store.leases import Ask
from schema.errors import BadParameterError
from schema.event import Notice
from schema.version import AuditEntry

_MOST_LETTERS = 80


class Audit:
    """The audit stream in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._ask: Ask = redis.execute_command

    async def newest(self, count: int = 50, skip: int = 0) -> tuple[AuditEntry, ...]:
        """Return up to ``count`` entries, newest first, after the newest ``skip``. Raises CorruptContentError."""
        found = await self._ask("XREVRANGE", keys.AUDIT, "+", "-", "COUNT", skip + count)
        return tuple(codec.unpack(fields[b"entry"], AuditEntry) for _, fields in found[skip:])


def person(name: str) -> str:
    """Return ``name`` as the audit takes it. Raises BadParameterError for none, and for one that could forge a line."""
    who = name.strip()
    if not who or len(who) > _MOST_LETTERS or not who.isprintable():
        raise BadParameterError(f"by is a name of up to {_MOST_LETTERS} characters", parameter="by")
    return who


def packed(entry: AuditEntry | Notice | None) -> bytes:
    """Return an entry, or a notice, as the scripts of `commit` take it; nothing for None."""
    return codec.pack(entry) if entry else b""
