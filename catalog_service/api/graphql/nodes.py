"""Relay's `Node`: what can be asked for again by its id alone.

Ids are those of REST: `source:key` of an endpoint set, a number of a version, a name of a source, twelve hex digits of
a held version. No two kinds can have the same one.
"""

from __future__ import annotations

import re

import strawberry

from catalog_service.api.graphql.asked import Asked
from catalog_service.api.reads.sources import check_source, source_views
from catalog_service.api.reads.versions import one_version
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.views.records import Record, record_view
from catalog_service.views.sources import SourceView
from schema.errors import RequestError
from schema.version import HeldVersion, Version

_HELD = re.compile(r"[0-9a-f]{12}")
_MOST_DIGITS = 9


@strawberry.interface(description="Something with an id of its own. Ids are the same in REST.")
class Node:
    """Relay's."""

    id: strawberry.ID


async def node(asked: Asked, id_: str, snapshot: Snapshot) -> Record | Version | SourceView | HeldVersion | None:
    """Return what ``id_`` names, None when there is none (any more); of a record, as it is in ``snapshot``."""
    try:
        if ":" in id_:
            return record_view(snapshot, snapshot.endpoint_set(id_))
        if id_.isdecimal() and len(id_) <= _MOST_DIGITS:
            return await one_version(asked.reader, id_)
        if _HELD.fullmatch(id_):
            return await asked.reader.store.sources.held_version(id_)
        name = check_source(asked.reader, asked.sources, id_)
        return next((one for one in await source_views(asked.reader, asked.sources) if one.name == name), None)
    except RequestError:
        return None
