"""Events: what happens to the catalogue, in one order, as the changeset stream keeps it.

A version that is committed, and notices beside the versions: a version was held, a source is degraded or recovered,
a subscription was disabled.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from schema.version import HeldVersion, Version

_MOST_DIGITS = 9


class EventType(StrEnum):
    """What happened; the ``type`` of a message."""

    COMMITTED = "catalog.version.committed"
    HELD = "catalog.version.held"
    DEGRADED = "source.degraded"
    """Three runs in a row failed, the document cannot be parsed, or upstream serves superseded content."""
    RECOVERED = "source.recovered"
    DISABLED = "subscription.disabled"
    PING = "subscription.ping"
    """A challenge or a test: never in the stream, sent to one subscription alone."""


class Place(Struct, frozen=True, order=True):
    """Where an event stands in the stream: right at a version, or as a notice after it."""

    version: int
    """0: before the first."""
    notice: int = 0

    def __str__(self) -> str:
        """``41`` for version 41, ``41-2`` for the second notice after it: the ``id`` of server-sent events."""
        return f"{self.version}-{self.notice}" if self.notice else str(self.version)


def place_of(text: str) -> Place | None:
    """Return the place that ``text`` names as `Place` spells it, None when it names none."""
    version, dash, notice = text.partition("-")
    numbers = (version, notice) if dash else (version,)
    if all(one.isascii() and one.isdigit() and len(one) <= _MOST_DIGITS for one in numbers):
        return Place(*map(int, numbers))
    return None


class Notice(Struct, frozen=True, omit_defaults=True):
    """Something that happened beside the versions."""

    type: EventType
    at: datetime
    subject: str
    """The source; of a subscription that was disabled, its id."""
    reasons: tuple[str, ...] = ()
    """Why, as sentences."""
    held: HeldVersion | None = None
    since: datetime | None = None
    """Of a source that recovered: since when it was degraded. Of a subscription: since when it failed."""


class Event(Struct, frozen=True):
    """One entry of the stream: a version or a notice."""

    place: Place
    version: Version | None = None
    notice: Notice | None = None

    @property
    def type(self) -> EventType:
        """What happened."""
        return self.notice.type if self.notice else EventType.COMMITTED

    @property
    def at(self) -> datetime:
        """When it happened, UTC."""
        if self.version:
            return self.version.committed_at
        assert self.notice
        return self.notice.at

    @property
    def source(self) -> str:
        """The source it is about; of a subscription, its id."""
        if self.version:
            return self.version.source
        assert self.notice
        return self.notice.subject
