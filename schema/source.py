"""What readers are told about a source; how it is fetched and parsed stays with the scrapers."""

from __future__ import annotations

from msgspec import Struct

from schema.words import Cloud


class SourceInfo(Struct, frozen=True):
    """A source's identity. ``url`` is the address that does not change; ``interval_s`` is before jitter."""

    name: str
    title: str
    cloud: Cloud
    url: str
    interval_s: int
    archive: bool = False
    """Upstream is closed: only imported history, nothing is ever missing from the newest list."""
