"""Held versions, and what accepting one would change."""

from __future__ import annotations

import asyncio

from catalog_service.catalog.compare import Comparison, DiffFilter, compare
from catalog_service.catalog.diff import diff
from catalog_service.reader import Reader
from catalog_service.views.diffs import HeldView, diff_entries
from schema.endpoint_set import EndpointSet


async def held_view(reader: Reader, id_: str) -> HeldView:
    """Return a held version, and what accepting it would change now. Raises UnknownHeldError."""
    held = await reader.store.sources.held_version(id_)
    records = await reader.store.sources.held_records(id_)
    served = await reader.store.contents.content(held.source)
    found = await asyncio.to_thread(_compared, served.endpoint_sets if served else (), records)
    return HeldView(held, diff_entries(found))


def _compared(served: tuple[EndpointSet, ...], records: tuple[EndpointSet, ...]) -> Comparison:
    return compare(diff(served, records), {record.id: record for record in records}, DiffFilter())
