"""Events as they are published: the messages of webhooks, of server-sent events and of feeds.

In: an event, and what of its changes a filter keeps. Out: a `Message`, the body of Standard Webhooks. Called by
notify and by the API; `schema/published/events.schema.json` is made of these.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from catalog_service.views.diffs import DiffEntry
from schema.change import Summary
from schema.event import EventType


class Links(Struct, frozen=True):
    """Where there is more: absolute, below the service's public address."""

    page: str
    """For people."""
    rest: str
    """For programs."""


class Settled(Struct, frozen=True):
    """What several versions told as one took back among themselves: it came and went, or left and returned."""

    prefixes: tuple[str, ...]
    """Canonical order, unique."""
    fqdns: tuple[str, ...]


class CommittedData(Struct, frozen=True, omit_defaults=True):
    """``catalog.version.committed``: what is in force now, and what of its changes was asked for."""

    version: int
    """The newest of ``versions``."""
    previous_version: int
    """The catalogue's version that the changes lead from, before the first of ``versions``; 0: the empty beginning."""
    versions: tuple[int, ...]
    """Those that are told of here, ascending; more than one where they are told as one, and in a digest."""
    sources: tuple[str, ...]
    """Whose they are: sorted, one unless it is a digest."""
    committed_at: datetime
    summary: str
    """One sentence for people."""
    counts: Summary
    """Of the changes that were asked for, whether they are here or not."""
    links: Links
    changes: tuple[DiffEntry, ...] | None = None
    """Those asked for, sorted by id; absent in a thin message, and beyond 20 kB: ``links`` have them."""
    settled: Settled | None = None
    """Where several versions are told as one and took something back; absent as ``changes`` are."""


class HeldData(Struct, frozen=True, omit_defaults=True):
    """``catalog.version.held``: the guard refused a changeset, a person decides; the last good version is served."""

    id: str
    source: str
    reasons: tuple[str, ...]
    summary: str
    counts: Summary
    """Of all that accepting it would change."""
    links: Links
    version: int | None = None
    """The source's version that is served."""


class SourceData(Struct, frozen=True, omit_defaults=True):
    """``source.degraded`` and ``source.recovered``: whether what is served may be behind upstream."""

    source: str
    summary: str
    links: Links
    reasons: tuple[str, ...] = ()
    since: datetime | None = None
    """Of one that recovered: since when it was degraded."""


class DisabledData(Struct, frozen=True, omit_defaults=True):
    """``subscription.disabled``: nothing more is sent to a subscription until a person resumes it."""

    subscription: str
    summary: str
    reasons: tuple[str, ...]
    links: Links
    since: datetime | None = None
    """Since when it failed."""


class PingData(Struct, frozen=True, omit_defaults=True):
    """``subscription.ping``: the challenge of a new subscription, or a test."""

    subscription: str
    summary: str
    links: Links
    challenge: str | None = None
    """To be sent back in the answer's body, as it is or as ``{"challenge": "..."}``: these messages are wanted."""


Data = CommittedData | HeldData | SourceData | DisabledData | PingData


class Message(Struct, frozen=True):
    """The body of a webhook by Standard Webhooks 1.0."""

    type: EventType
    timestamp: datetime
    """When it happened; the same at every attempt."""
    data: Data


MESSAGES: tuple[tuple[EventType, type[Data], str], ...] = (
    (EventType.COMMITTED, CommittedData, "A new version is in force."),
    (EventType.HELD, HeldData, "The guard refused a changeset: a person decides."),
    (EventType.DEGRADED, SourceData, "What is served of a source may be behind upstream."),
    (EventType.RECOVERED, SourceData, "A source that was degraded is read again."),
    (EventType.DISABLED, DisabledData, "Nothing more is sent to a subscription."),
    (EventType.PING, PingData, "The challenge of a new subscription, or a test."),
)
"""Every type with its data, and what it says."""


class CloudEvent(Struct, frozen=True):
    """A message in the structured mode of CloudEvents 1.0."""

    id: str
    source: str
    """The service's public address."""
    type: EventType
    time: datetime
    data: Data
    subject: str | UnsetType = UNSET
    """The source; of a subscription's message, the subscription. Absent where several sources are told of."""
    specversion: Literal["1.0"] = "1.0"
    datacontenttype: Literal["application/json"] = "application/json"
