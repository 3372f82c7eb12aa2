"""What a person decides about a version held back. Called by the command line, later by the API."""

from __future__ import annotations

from msgspec.structs import replace

from catalog_service.catalog.diff import diff
from catalog_service.store.connect import Store
from catalog_service.sync.candidate import Candidate
from catalog_service.sync.record import Clock, publish, settle
from schema.change import Changeset
from schema.errors import LeaseTakenError
from schema.version import HeldVersion, Version

_REJECTED_KEPT = 50


async def accept(store: Store, id_: str, who: str, clock: Clock) -> Version | None:
    """Publish the held version ``id_`` in ``who``'s name, on top of what is served now.

    None when what is served has become equal to it; it is then taken down.

    Raises:
        UnknownHeldError: there is none with this id.
        LeaseTakenError: the source is being synced at this moment.
        StaleHeadError: another runner was first.
    """
    held = await store.sources.held_version(id_)
    async with store.leases.hold(held.source) as lease:
        if lease is None:
            raise LeaseTakenError(f"{held.source} is being synced at this moment", source=held.source)
        previous = await store.versions.content(held.source)
        records = await store.sources.held_records(id_)
        changes = diff(previous.endpoint_sets if previous else (), records)
        if not changes:
            await settle(store, lease, await store.sources.state(held.source))
            return None
        candidate = Candidate(held.provenance, records, held.digest, changes)
        return await publish(store, lease, previous, candidate, clock(), accepted_by=who)


async def reject(store: Store, id_: str) -> HeldVersion:
    """Take the held version ``id_`` down for good: the same content is neither published nor held again.

    Raises:
        UnknownHeldError: there is none with this id.
        LeaseTakenError: the source is being synced at this moment.
    """
    held = await store.sources.held_version(id_)
    async with store.leases.hold(held.source) as lease:
        if lease is None:
            raise LeaseTakenError(f"{held.source} is being synced at this moment", source=held.source)
        state = await store.sources.state(held.source)
        rejected = (*state.rejected, held.digest)[-_REJECTED_KEPT:]
        await settle(store, lease, replace(state, rejected=rejected))
    return held


async def held_changes(store: Store, held: HeldVersion) -> Changeset:
    """Return what accepting ``held`` would change now. Raises UnknownHeldError."""
    previous = await store.versions.content(held.source)
    return diff(previous.endpoint_sets if previous else (), await store.sources.held_records(held.id))
