"""What was fetched: bytes and where they came from."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from schema.endpoint_set import EndpointSet


class Provenance(Struct, frozen=True, omit_defaults=True):
    """Where a document came from. ``fetched_at`` is UTC; ``digest`` is ``sha256:<hex>`` of the body."""

    url: str
    """The address of the content itself, after redirects; without request ids."""
    fetched_at: datetime
    digest: str
    media_type: str = "application/octet-stream"
    etag: str | None = None
    last_modified: str | None = None
    page_url: str | None = None
    """The page that named ``url``, where the address changes (service tags)."""
    upstream_version: str | None = None
    """The upstream's own number or commit; an attribute, never an identity (sources.md T2)."""
    upstream_at: datetime | None = None
    """The upstream's own date, UTC."""


class Document(Struct, frozen=True):
    """One upstream page or download, exactly as fetched (after content decoding)."""

    body: bytes
    provenance: Provenance


class Reading(Struct, frozen=True):
    """What a parser makes of a document: its records, and the upstream's own number and date where it says them."""

    endpoint_sets: tuple[EndpointSet, ...]
    """Sorted by id, ids unique, never empty."""
    upstream_version: str | None = None
    upstream_at: datetime | None = None
