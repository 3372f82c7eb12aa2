"""What is known of each source besides its versions: its state, and the version held back, if any."""

from __future__ import annotations

import structlog
from redis.asyncio import Redis

from catalog_service.catalog.degraded import announced
from catalog_service.store import codec, commit, keys
from catalog_service.store.audit import log_audit, packed
from catalog_service.store.documents import document_arguments
from catalog_service.store.leases import Ask, Lease
from schema.document import Document
from schema.endpoint_set import EndpointSet
from schema.errors import CorruptContentError, FencedError, UnknownHeldError
from schema.event import EventType, Notice
from schema.version import AuditEntry, HeldVersion, SourceState

_log = structlog.get_logger()


class SourceRecords:
    """States and held versions of sources, in Redis. ``documents_kept``: how many documents of each source are."""

    def __init__(self, redis: Redis, documents_kept: int) -> None:
        self._documents_kept = documents_kept
        self._ask: Ask = redis.execute_command
        self._record = redis.register_script(commit.RECORD)

    async def state(self, source: str) -> SourceState:
        """Return ``source``'s state; an empty one before its first run."""
        return _state(source, await self._ask("HGET", keys.STATES, source))

    async def states(self) -> dict[str, SourceState]:
        """Return the state of every source that ever ran, by name."""
        found = await self._ask("HGETALL", keys.STATES)
        return {name.decode(): _state(name.decode(), data) for name, data in found.items()}

    async def held(self) -> tuple[HeldVersion, ...]:
        """Return the held versions, rejected ones too, oldest first; a damaged one is left out."""
        found = [codec.readable(data, HeldVersion) for data in await self._ask("HVALS", keys.HELD)]
        return tuple(sorted((one for one in found if one), key=lambda one: (one.held_at, one.id)))

    async def held_of(self, source: str) -> HeldVersion | None:
        """Return the version of ``source`` that is held, None when there is none."""
        return next((held for held in await self.held() if held.source == source), None)

    async def held_version(self, id_: str) -> HeldVersion:
        """Return the held version ``id_``. Raises UnknownHeldError."""
        data = await self._ask("HGET", keys.HELD, id_)
        if data is None:
            raise UnknownHeldError(f"no held version {id_!r}", parameter="id", id=id_)
        return codec.unpack(data, HeldVersion)

    async def held_records(self, id_: str) -> tuple[EndpointSet, ...]:
        """Return the whole candidate content of the held version ``id_``. Raises UnknownHeldError."""
        data = await self._ask("HGET", keys.HELD_RECORDS, id_)
        if data is None:
            raise UnknownHeldError(f"no held version {id_!r}", parameter="id", id=id_)
        return codec.unpack_records(data)

    async def record(
        self,
        lease: Lease,
        state: SourceState,
        *,
        drop: str = "",
        hold: tuple[HeldVersion, tuple[EndpointSet, ...]] | None = None,
        keep: Document | None = None,
        served: str = "",
        drop_document: str = "",
        audit: AuditEntry | None = None,
    ) -> None:
        """Write the state of ``lease``'s source; take down held version ``drop`` and put up ``hold``, in one step.

        ``keep`` is a document to keep beside the one whose digest is ``served``, in place of ``drop_document``.
        ``audit`` tells of a person who asked for it. What listeners are to be told goes into the changeset stream.

        Raises:
            FencedError: another runner took the lease.
        """
        told, notice = announced(lease.source, state)
        answer = await self._record(
            keys=[
                *(keys.FENCES, keys.STATES, keys.HELD, keys.HELD_RECORDS),
                *(keys.documents(lease.source), keys.fetched(lease.source), keys.AUDIT, keys.EVENTS, keys.HEAD),
            ],
            args=[
                *(lease.source, lease.fence, codec.pack(told), drop, *hold_arguments(hold)),
                *(*document_arguments(keep, self._documents_kept), served, drop_document, packed(audit)),
                *(packed(notice), packed(_waiting(hold[0]) if hold else None)),
            ],
        )
        if bytes(answer[0]) == b"FENCED":
            raise FencedError(f"another runner took over {lease.source}", source=lease.source)
        log_audit(audit)


def hold_arguments(hold: tuple[HeldVersion, tuple[EndpointSet, ...]] | None) -> tuple[str, bytes, bytes]:
    """Return a held version's id, itself and its records, as the scripts of `commit` take them."""
    return (hold[0].id, codec.pack(hold[0]), codec.pack_records(hold[1])) if hold else ("", b"", b"")


def _waiting(held: HeldVersion) -> Notice | None:
    """Return the notice that ``held`` waits for a person; one that was turned down does not."""
    if held.rejected_at:
        return None
    return Notice(EventType.HELD, held.held_at, held.source, held.reasons, held)


def _state(source: str, data: bytes | None) -> SourceState:
    """Return the stored state; one that is missing or damaged is as empty: upstream is simply read anew."""
    try:
        return codec.unpack(data, SourceState) if data else SourceState()
    except CorruptContentError as error:
        _log.error("the state of a source is damaged and begins anew", source=source, error=str(error))
        return SourceState()
