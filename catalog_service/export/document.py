"""``json``: ``{"version": 7, "prefixes": [...], "fqdns": [...]}``; both lists are always there.

It also says what it lacks and what was cut; asked with scenarios or resolved references, which records it is made of.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from catalog_service.catalog.resolve import Unresolved, Via
from catalog_service.catalog.view import Entry, Note, Unpublished, Use
from catalog_service.export.format import Content, Dropped, Format
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
    dropped: tuple[Dropped, ...] = ()
    """Members that no list can hold, such as names with a hole, by reason."""
    truncated: int = 0
    """Entries over ``limit`` that were cut off, as asked."""
    part: int = 0
    """Of ``parts``, where it was to be split."""
    parts: int = 0


def render_document(content: Content) -> bytes:
    """Return the list as JSON."""
    return msgspec.json.encode(allowlist_view(content))


def allowlist_view(content: Content) -> AllowlistView:
    """Return the list and what is to be said of it."""
    snapshot, view, cut = content.snapshot, content.view, content.cut
    told = any(entry.scenarios or entry.via for entry in view.entries)
    return AllowlistView(
        snapshot.version,
        content.listed.prefixes,
        content.listed.fqdns,
        tuple(map(_origin, view.entries)) if told else (),
        view.clouds,
        view.unresolved,
        view.unpublished,
        view.notes,
        view.missing,
        snapshot.as_of,
        cut.dropped,
        cut.truncated,
        cut.part,
        cut.parts,
    )


def _origin(entry: Entry) -> Origin:
    record = entry.record
    return Origin(record.id, record.source, record.direction, entry.scenarios, entry.via)


JSON = Format(
    "json", "application/json", "json", render_document, "Prefixes and names as two lists, and what the answer lacks."
)
