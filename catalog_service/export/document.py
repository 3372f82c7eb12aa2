"""``json``: ``{"version": 7, "prefixes": [...], "fqdns": [...]}``; both lists are always there."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from catalog_service.catalog.select import Allowlist
from schema.endpoint_set import EndpointSet


class AllowlistView(Struct, frozen=True):
    """``/v1/allowlist`` as JSON. Prefixes v4 then v6, numerically sorted; names sorted; unique."""

    version: int
    prefixes: tuple[str, ...]
    fqdns: tuple[str, ...]


def render_document(version: int, listed: Allowlist, _records: tuple[EndpointSet, ...]) -> bytes:
    """Return ``listed`` as JSON."""
    return msgspec.json.encode(AllowlistView(version, listed.prefixes, listed.fqdns))
