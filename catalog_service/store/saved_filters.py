"""Filters with names. Each change is one atomic step with its audit entry.

Called by the desk of subscriptions, by notify and by the API.
"""

from __future__ import annotations

from redis.asyncio import Redis

from catalog_service.store import codec, keys, tell
from catalog_service.store.audit import log_audit, packed
from catalog_service.store.leases import Ask, Script
from schema.errors import BadParameterError, StaleHeadError, UnknownSubscriptionError
from schema.subscription import SavedFilter
from schema.version import AuditEntry

_MOST = 1_000


class SavedFilters:
    """Filters with names, in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._ask: Ask = redis.execute_command
        self._filter: Script = redis.register_script(tell.FILTER)

    async def all(self) -> tuple[SavedFilter, ...]:
        """Return every saved filter, sorted by name; a damaged one is left out."""
        found = [codec.readable(data, SavedFilter) for data in await self._ask("HVALS", keys.FILTERS)]
        return tuple(sorted((one for one in found if one), key=lambda one: one.name))

    async def get(self, name: str) -> SavedFilter:
        """Return the filter ``name``. Raises UnknownSubscriptionError."""
        if (data := await self._ask("HGET", keys.FILTERS, name)) is None:
            raise UnknownSubscriptionError(f"there is no filter {name[:80]!r}", parameter="filter", value=name[:80])
        return codec.unpack(data, SavedFilter)

    async def set(self, saved: SavedFilter, entry: AuditEntry) -> None:
        """Save a filter, in place of one with its name. Raises BadParameterError, StaleHeadError."""
        await self._written(saved.name, codec.pack(saved), entry)

    async def delete(self, name: str, entry: AuditEntry) -> SavedFilter:
        """Delete the filter ``name`` and return it. Raises UnknownSubscriptionError, StaleHeadError."""
        saved = await self.get(name)
        await self._written(name, b"", entry)
        return saved

    async def _written(self, name: str, after: bytes, entry: AuditEntry) -> None:
        before = await self._ask("HGET", keys.FILTERS, name) or b""
        if before == after:
            return
        arguments = [name, before, after, packed(entry), _MOST]
        outcome = await self._filter(keys=[keys.FILTERS, keys.AUDIT], args=arguments)
        if outcome == b"FULL":
            raise BadParameterError(f"there are {_MOST} filters: no more are taken", parameter="name")
        if outcome == b"MOVED" and (await self._ask("HGET", keys.FILTERS, name) or b"") != after:
            raise StaleHeadError(f"others changed the filter {name} meanwhile", filter=name)
        log_audit(entry)
