"""``json``: ``{"version": 7, "prefixes": [...], "fqdns": [...]}``; both lists are always there.

Asked with scenarios or resolved references, it also says which records it is made of and what it lacks.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from catalog_service.catalog.resolve import Unresolved, Via
from catalog_service.catalog.select import Allowlist
from catalog_service.catalog.view import Entry, Unpublished, Use, View
from schema.words import Direction


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
    unresolved: tuple[Unresolved, ...] = ()
    unpublished: tuple[Unpublished, ...] = ()
    missing: tuple[str, ...] = ()
    """Sources it needs and does not have; only with scenarios or resolved references."""


def render_document(version: int, listed: Allowlist, view: View) -> bytes:
    """Return ``listed`` as JSON."""
    return msgspec.json.encode(allowlist_view(version, listed, view))


def allowlist_view(version: int, listed: Allowlist, view: View) -> AllowlistView:
    """Return ``listed`` and what is to be said of it."""
    told = any(entry.scenarios or entry.via for entry in view.entries)
    origins = tuple(map(_origin, view.entries)) if told else ()
    return AllowlistView(
        version, listed.prefixes, listed.fqdns, origins, view.unresolved, view.unpublished, view.missing
    )


def _origin(entry: Entry) -> Origin:
    record = entry.record
    return Origin(record.id, record.source, record.direction, entry.scenarios, entry.via)
