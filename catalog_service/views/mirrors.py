"""What a mirror needs to follow the catalogue: records as they are now, and tombstones of those that are gone."""

from __future__ import annotations

from msgspec import Struct

from catalog_service.views.records import Record


class Tombstone(Struct, frozen=True):
    """A record that is no longer there, or no longer kept by the filter. A mirror may never have had it."""

    id: str
    version: int
    """It is gone as of this version: the newest of its source."""


class MirrorPage(Struct, frozen=True, omit_defaults=True):
    """``/v1/changes``: what a mirror that was at ``since`` has to do to be at ``version``, in the order of ids.

    Fetch every page, then apply them together, in their order: forget everything where ``reset`` is set, put
    ``items``, delete ``removed``; keep ``next_since`` of the last one. A walk that was left half-way counts for
    nothing: begin again with the ``since`` it began with. Of a record's provenance, what is its source's alone
    (version, document, fetched_at) is of when the record changed last: a new version of the source that does not
    touch a record does not send it again.
    """

    version: int
    since: int | None
    """Null: from nothing."""
    reset: bool
    """What is asked to begin from is not known here: this is the first page of the full set."""
    items: tuple[Record, ...]
    removed: tuple[Tombstone, ...]
    next: str | None
    """The cursor of the next page, null on the last."""
    next_since: str | None
    """What to ask for next time; null until the last page."""
    missing: tuple[str, ...] = ()
    """Sources that the answer could draw from and the catalogue has nothing of."""
