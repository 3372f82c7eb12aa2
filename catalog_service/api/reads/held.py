"""Held versions, and what accepting one would change."""

from __future__ import annotations

import asyncio

from catalog_service.catalog.diff import diff
from catalog_service.reader import Reader
from catalog_service.views.changes import HeldView, change_views


async def held_view(reader: Reader, id_: str) -> HeldView:
    """Return a held version, and what accepting it would change now. Raises UnknownHeldError."""
    held = await reader.store.sources.held_version(id_)
    records = await reader.store.sources.held_records(id_)
    served = await reader.store.contents.content(held.source)
    changes = await asyncio.to_thread(diff, served.endpoint_sets if served else (), records)
    return HeldView(held, change_views(changes))
