"""``json``: ``{"version": 7, "prefixes": [...], "fqdns": [...]}``; both lists are always there.

It also says what it lacks; asked with scenarios or resolved references, which records it is made of.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from catalog_service.catalog.resolve import Unresolved, Via
from catalog_service.catalog.select import Allowlist
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import Entry, Note, Unpublished, Use, View
from schema.words import Cloud, Direction


class Origin(Struct, frozen=True, omit_defaults=True):
    """A record that members of an allowlist come from: as it is, or by way of service tags."""

    id: str
    source: str
    direction: Direction | None = None
    scenarios: tuple[Use, ...] = ()
    via: tuple[Via, ...] = ()


class AllowlistView(Struct, frozen=True, omit_defaults=True):
    """``/v1/allowlist`` as JSON. Prefixes v4 then v6, numerically sorted; names sorted; unique."""

    version: int
    prefixes: tuple[str, ...]
    fqdns: tuple[str, ...]
    origins: tuple[Origin, ...] = ()
    """Sorted by id; only with scenarios or resolved references."""
    clouds: tuple[Cloud, ...] = ()
    """Those it answers scenarios for."""
    unresolved: tuple[Unresolved, ...] = ()
    """References to service tags whose prefixes it lacks."""
    unpublished: tuple[Unpublished, ...] = ()
    notes: tuple[Note, ...] = ()
    missing: tuple[str, ...] = ()
    """Sources it could draw from if they had been read."""
    as_of: datetime | None = None
    """Set where a date or an imported version was asked for: upstreams as they were then."""


def render_document(snapshot: Snapshot, listed: Allowlist, view: View) -> bytes:
    """Return ``listed`` as JSON."""
    return msgspec.json.encode(allowlist_view(snapshot, listed, view))


def allowlist_view(snapshot: Snapshot, listed: Allowlist, view: View) -> AllowlistView:
    """Return ``listed`` and what is to be said of it."""
    told = any(entry.scenarios or entry.via for entry in view.entries)
    origins = tuple(map(_origin, view.entries)) if told else ()
    return AllowlistView(
        snapshot.version,
        listed.prefixes,
        listed.fqdns,
        origins,
        view.clouds,
        view.unresolved,
        view.unpublished,
        view.notes,
        view.missing,
        snapshot.as_of,
    )


def _origin(entry: Entry) -> Origin:
    record = entry.record
    return Origin(record.id, record.source, record.direction, entry.scenarios, entry.via)
