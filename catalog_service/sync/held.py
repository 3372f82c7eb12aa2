"""What a person decides about a version held back. Called by the command line and by the API.

``who`` asks, and ``token`` is what they showed, for the audit.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from msgspec.structs import replace

from catalog_service.catalog.diff import diff
from catalog_service.store.connect import Store
from catalog_service.store.leases import Lease
from catalog_service.sync.candidate import Candidate
from catalog_service.sync.record import publish
from schema.clock import Clock
from schema.document import Document
from schema.errors import UnknownDocumentError
from schema.version import AuditEntry, HeldVersion, Version

REJECTED_KEPT = 50
"""How many contents that were turned down are remembered of each source."""


async def accept(store: Store, id_: str, who: str, clock: Clock, token: str = "") -> Version | None:
    """Publish the held version ``id_`` in ``who``'s name, on top of what is served now.

    None when what is served has become equal to it; it is then taken down.

    Raises:
        UnknownHeldError: there is none with this id.
        LeaseTakenError: the source is being synced at this moment.
        StaleHeadError: another runner was first.
    """
    async with _leased(store, id_) as (lease, held):
        previous = await store.contents.content(held.source)
        records = await store.sources.held_records(id_)
        changes = diff(previous.endpoint_sets if previous else (), records)
        was = str(previous.version.version) if previous else ""
        entry = AuditEntry(clock(), who, "accept", held.source, was, was, token)
        if not changes:
            await store.sources.record(lease, await store.sources.state(held.source), drop=id_, audit=entry)
            return None
        document = await _kept(store, held)
        candidate = Candidate(held.provenance, records, held.digest, changes, document)
        return await publish(store, lease, previous, candidate, entry.at, entry)


async def reject(store: Store, id_: str, who: str, clock: Clock, token: str = "") -> HeldVersion:
    """Turn the held version ``id_`` down in ``who``'s name: the same content is not put to anybody again.

    It stays listed, as rejected, for as long as upstream serves it, and can still be accepted.

    Raises:
        UnknownHeldError: there is none with this id.
        LeaseTakenError: the source is being synced at this moment.
    """
    async with _leased(store, id_) as (lease, held):
        state = await store.sources.state(held.source)
        known = tuple(digest for digest in state.rejected if digest != held.digest)
        entry = AuditEntry(clock(), who, "reject", held.source, f"held {id_}", f"rejected {id_}", token)
        rejected = replace(held, rejected_at=entry.at, rejected_by=who)
        records = await store.sources.held_records(id_)
        settled = replace(state, rejected=(*known, held.digest)[-REJECTED_KEPT:])
        await store.sources.record(lease, settled, hold=(rejected, records), audit=entry)
        return rejected


async def _kept(store: Store, held: HeldVersion) -> Document | None:
    """Return the document that ``held`` was made from, None when it is no longer kept."""
    with contextlib.suppress(UnknownDocumentError):
        return (await store.documents.get(held.provenance.digest)).document
    return None


@contextlib.asynccontextmanager
async def _leased(store: Store, id_: str) -> AsyncIterator[tuple[Lease, HeldVersion]]:
    """Give the held version ``id_`` and the lease of its source; read under the lease, nobody replaces it."""
    source = (await store.sources.held_version(id_)).source
    async with store.leases.hold_or_refuse(source) as lease:
        yield lease, await store.sources.held_version(id_)
