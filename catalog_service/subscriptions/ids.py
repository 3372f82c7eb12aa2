"""Ids of deliveries: made of what is told to whom, so that retries, replays and other workers come to the same one.

A version is named by what it changed: its source, its content and the version it follows. A commit that Redis lost, and
that the next sync makes again, may get another number and has another time; its subscribers are told under the id they
know (docs/adr/0013).
"""

from __future__ import annotations

import contextlib
import hashlib

from msgspec.structs import replace

from catalog_service.store.connect import Store
from schema.errors import UnknownVersionError
from schema.event import Event
from schema.subscription import Parcel, QueueItem, parcel_of
from schema.version import Version

_DIGITS = 32
_CHANGE_DIGITS = 16


def delivery_id(subscription: str, item: QueueItem) -> str:
    """Return the ``webhook-id`` of ``item`` for ``subscription``: ``msg_`` and 32 hexadecimal digits."""
    parcel = item.parcel
    about = (str(parcel.first), str(parcel.last), parcel.source or "", parcel.made, parcel.ping)
    told = (subscription, item.type, *((parcel.change,) if parcel.change else about))
    return f"msg_{_digest(told)[:_DIGITS]}"


async def parcel_told(store: Store, event: Event) -> Parcel:
    """Return what a delivery of ``event`` by itself is about, with what its id is made of."""
    parcel = parcel_of(event)
    if event.version is None:
        return parcel
    before = None
    with contextlib.suppress(UnknownVersionError):  # damaged: `fsck` tells of it, subscribers are told all the same
        before = await store.versions.version(event.version.previous) if event.version.previous else None
    return replace(parcel, change=change_of(event.version, before))


def change_of(version: Version, before: Version | None) -> str:
    """Return what names the change that ``version`` made to ``before``, None: it is its source's first.

    By its time, and not by its number, ``before`` is told from a version of another history.
    """
    start = (before.digest, before.committed_at.isoformat()) if before else ()
    return _digest((version.source, version.digest, *start))[:_CHANGE_DIGITS]


def _digest(parts: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
