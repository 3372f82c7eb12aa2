"""A feed before it is rendered: its head, and entries, each made of a message and of the changes it tells of.

Called by the API, which has looked everything up; the formats are in `formats`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

import msgspec
from msgspec import Struct

from catalog_service.export.feeds.html import content
from catalog_service.views.diffs import DiffEntry
from catalog_service.views.events import Message
from schema.event import Event

TITLE = "Endpoint catalogue"
_NAMES = UUID("6f0c1d0e-6a0b-4f0e-9a53-0c2f7d1b7a11")
"""The name space of entries: any one, and for good."""


class FeedEntry(Struct, frozen=True):
    """One entry."""

    id: str
    """A URN, the same wherever the catalogue is served, and whatever filter the entry passed."""
    message: Message
    html: str


class Feed(Struct, frozen=True):
    """A feed. Addresses are absolute."""

    about: str
    home_url: str
    self_url: str
    updated_at: datetime
    """Of its newest entry, or of the catalogue where it has none."""
    entries: tuple[FeedEntry, ...]
    """Newest first."""


def feed_entry(event: Event, message: Message, changes: Sequence[DiffEntry]) -> FeedEntry:
    """Return ``event`` as an entry; ``changes`` are all that ``message`` tells of."""
    return FeedEntry(event_id(event), message, content(message.data, changes))


def event_id(event: Event) -> str:
    """Return a name of ``event`` that no event of any other catalogue has."""
    told = event.version.digest if event.version else event.notice
    named = msgspec.json.encode((str(event.place), event.type, event.source, event.at, told))
    return uuid5(_NAMES, named.decode()).urn
