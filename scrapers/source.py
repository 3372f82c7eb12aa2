"""A source: one upstream page or download, as a value.

Everything the program needs to know about an upstream is in its `Source`; `sources.py` lists them,
and another distribution adds its own through the entry point group ``catalog_service.sources``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from msgspec import Struct

from schema.document import Document, Reading
from schema.guard import GuardLimits
from schema.source import SourceInfo
from schema.version import SourceState
from schema.words import Cloud
from scrapers.upstream import Upstream

Fetch = Callable[["Source", Upstream, SourceState, datetime], Awaitable[Document | None]]
"""(source, upstream, state, now) -> the document, or None when nothing is newer. Raises FetchError, ParseError."""

Parse = Callable[["Source", Document], Reading]
"""(source, document) -> its records, whole. Pure. Raises ParseError, never a part."""


class Source(Struct, frozen=True):
    """One upstream. ``interval_s`` is how often it is asked, in seconds, before jitter."""

    name: str
    title: str
    cloud: Cloud
    """The cloud of a record when the document does not say otherwise."""
    url: str
    """The address that does not change: the page or the service."""
    fetch: Fetch
    parse: Parse
    guard: GuardLimits
    interval_s: int
    closed_at: datetime | None = None
    """When upstream ended: nothing is fetched, its history until then is imported from files."""
    gives: str = ""
    """What it publishes, in a few words for people choosing a source."""
    fresh_s: int | None = None
    """The operator's objective of freshness (`SourceInfo.fresh_within_s`); None: the usual one."""

    @property
    def info(self) -> SourceInfo:
        """What readers are told about this source."""
        return SourceInfo(self.name, self.title, self.cloud, self.url, self.interval_s, self.archive, self.fresh_s)

    @property
    def archive(self) -> bool:
        """Whether upstream is closed."""
        return self.closed_at is not None

    async def read(self, upstream: Upstream, state: SourceState, now: datetime) -> Document | None:
        """Return the document, or None when upstream has nothing newer than ``state``."""
        return await self.fetch(self, upstream, state, now)

    def records(self, document: Document) -> Reading:
        """Return what ``document`` says."""
        return self.parse(self, document)


def synced(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """Return those of ``sources`` that are read from upstream: all but archives."""
    return tuple(source for source in sources if not source.archive)
