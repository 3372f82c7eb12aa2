"""Ids of deliveries: made of what is told to whom, so that retries, replays and other workers come to the same one."""

from __future__ import annotations

import hashlib

from schema.subscription import QueueItem

_DIGITS = 32


def delivery_id(subscription: str, item: QueueItem) -> str:
    """Return the ``webhook-id`` of ``item`` for ``subscription``: ``msg_`` and 32 hexadecimal digits."""
    parcel = item.parcel
    told = (subscription, item.type, str(parcel.first), str(parcel.last), parcel.source or "", parcel.made, parcel.ping)
    return f"msg_{hashlib.sha256(chr(10).join(told).encode()).hexdigest()[:_DIGITS]}"
