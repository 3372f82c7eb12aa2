"""What readers are told about a source; how it is fetched and parsed stays with the scrapers."""

from __future__ import annotations

from msgspec import Struct

from schema.words import Cloud

_INTERVALS = 3
"""A run may fail, and the one after it be late, before anybody is told."""


class SourceInfo(Struct, frozen=True):
    """A source's identity. ``url`` is the address that does not change; ``interval_s`` is before jitter."""

    name: str
    title: str
    cloud: Cloud
    url: str
    interval_s: int
    archive: bool = False
    """Upstream is closed: only imported history, nothing is ever missing from the newest list."""
    fresh_s: int | None = None
    """The operator's objective, where one was set (`fresh_within_s`)."""

    @property
    def fresh_within_s(self) -> int:
        """Seconds within which what is served is to be confirmed as upstream's: three intervals, unless set."""
        return self.fresh_s or self.interval_s * _INTERVALS
