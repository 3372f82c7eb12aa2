"""Subscriptions: who wants to be told what, where and when; deliveries to them and their attempts."""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from schema.event import Event, EventType, Place
from schema.words import Cloud, Direction, Family, Impact, Kind, Only

_MADE_DIGITS = 8


class Channel(StrEnum):
    """How a subscriber is told."""

    WEBHOOK = "webhook"
    """Standard Webhooks 1.0."""
    SLACK = "slack"
    """An incoming webhook of Slack."""
    TEAMS = "teams"
    """A workflow of Teams: an Adaptive Card."""
    EMAIL = "email"
    APPRISE = "apprise"
    """Any address that apprise knows; the extra ``apprise`` is needed."""


class Status(StrEnum):
    """Whether anything is sent to a subscription."""

    UNVERIFIED = "unverified"
    """The receiver has not answered the challenge yet: only that is sent."""
    ACTIVE = "active"
    PAUSED = "paused"
    """A person holds it back; what happens meanwhile waits."""
    DISABLED = "disabled"
    """The receiver said 410, or failed for five days; what happens meanwhile waits for a person to resume it."""


class Payload(StrEnum):
    """How much a message says."""

    FULL = "full"
    """The matching changes themselves up to 20 kB; beyond, as thin."""
    THIN = "thin"
    """Counts, a sentence and links."""


class Envelope(StrEnum):
    """What a webhook's body looks like."""

    STANDARD = "standard"
    """``{type, timestamp, data}``"""
    CLOUDEVENTS = "cloudevents"
    """CloudEvents 1.0, structured mode."""


class Signature(StrEnum):
    """How a webhook is signed: the schemes of Standard Webhooks."""

    HMAC = "v1"
    """HMAC-SHA256 with the subscription's secret."""
    ED25519 = "v1a"
    """Ed25519 with the catalogue's key, whose public half ``/v1/signing-keys`` publishes."""


class Every(StrEnum):
    """How often a digest is sent."""

    DAILY = "daily"
    WEEKLY = "weekly"


class Weekday(StrEnum):
    """The day of a weekly digest."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Digest(Struct, frozen=True, omit_defaults=True, gc=False):
    """All that happened since the last one, in one message."""

    every: Every
    at: str = "08:00"
    """The time of day, ``HH:MM``, on the clock of ``zone``."""
    zone: str = "UTC"
    """A name of the IANA time zone database."""
    weekday: Weekday = Weekday.MONDAY
    """Of a weekly one."""


class EventFilter(Struct, frozen=True, omit_defaults=True, cache_hash=True):
    """Which events, and of a version which changes. Empty keeps everything; several values are alternatives."""

    types: tuple[EventType, ...] = (EventType.COMMITTED,)
    sources: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """Service tags: the tag itself, and records that refer to it."""
    clouds: tuple[Cloud, ...] = ()
    regions: tuple[str, ...] = ()
    directions: tuple[Direction, ...] = ()
    kinds: tuple[Kind, ...] = ()
    family: Family = Family.BOTH
    only: Only | None = None
    impacts: tuple[Impact, ...] = ()
    impact_at_least: Impact | None = None
    """As much to do as this, or more (`schema.words.at_least`)."""
    material: bool = False


class SavedFilter(Struct, frozen=True, omit_defaults=True):
    """A filter with a name, that subscriptions, streams and feeds can use."""

    name: str
    """As a label's."""
    filter: EventFilter
    set_at: datetime
    set_by: str
    description: str = ""


class Subscription(Struct, frozen=True, omit_defaults=True):
    """Who wants to be told what. Its secrets are kept apart."""

    id: str
    """``sub_`` and sixteen letters and digits."""
    channel: Channel
    url: str
    """Where to, without what may be secret: that is sealed (`Sealed.url`)."""
    created_at: datetime
    created_by: str
    description: str = ""
    filter: EventFilter = EventFilter()
    saved_filter: str = ""
    """The name of a saved filter, in place of ``filter``."""
    digest: Digest | None = None
    """None: each version by itself."""
    settle_s: int = 0
    """Seconds within which the changes of one source are told as one."""
    payload: Payload = Payload.FULL
    envelope: Envelope = Envelope.STANDARD
    signatures: tuple[Signature, ...] = (Signature.HMAC,)
    headers: tuple[str, ...] = ()
    """Names of what is sent with each webhook; the values are among its secrets."""
    status: Status = Status.UNVERIFIED
    why: str = ""
    """Of a disabled one."""
    moves: int = 0
    """How often it was given another address: ``url`` may look the same then."""
    owner: str = ""
    """The name of the token that made it, whose bearer alone manages it, beside who may operate; empty: these alone."""


class Sealed(Struct, frozen=True, omit_defaults=True, gc=False, cache_hash=True):
    """The secrets of a subscription, encrypted (`subscriptions.vault`)."""

    secret: bytes
    url: bytes
    """Where to: an https address, ``mailto:`` addresses for e-mail, an address of apprise's."""
    headers: bytes = b""
    """The values of its headers; empty: it has none."""
    previous: bytes | None = None
    """The secret before a rotation: it signs too."""
    previous_until: datetime | None = None


class Health(Struct, frozen=True, omit_defaults=True, gc=False):
    """How deliveries to a subscription go."""

    failing_since: datetime | None = None
    """The first failed attempt after the last success; None while all is well."""
    succeeded_at: datetime | None = None
    failed_at: datetime | None = None
    error: str = ""
    """Of the last failed attempt, while it fails."""
    delivered_count: int = 0
    dead_count: int = 0


class Standing(Struct, frozen=True):
    """A subscription and how it is."""

    subscription: Subscription
    health: Health
    waiting_count: int
    dropped_count: int
    """Items that its full queue lost."""
    dead_count: int
    """Deliveries that were given up and not replayed since."""
    due_at: datetime | None
    """When its queue is looked at next, None: when something comes."""


class Parcel(Struct, frozen=True, omit_defaults=True, gc=False, cache_hash=True):
    """What one delivery is about: an event, or those of a run of versions told as one."""

    first: Place
    last: Place
    source: str | None = None
    """Only its versions from ``first`` to ``last``; None: those of every source."""
    made: str = ""
    """What tells ``last`` from an event of another history, which a store that lost its newest versions begins."""
    ping: str = ""
    """Of a ping: what makes it one of its own. It is about no event."""
    change: str = ""
    """Of one version: what it changed, whatever its number. A commit that was lost and is made again has the same."""


def parcel_of(event: Event) -> Parcel:
    """Return what a delivery of ``event`` by itself is about."""
    what = event.version.digest if event.version else event.type
    made = hashlib.sha256(f"{what} {event.at.isoformat()}".encode()).hexdigest()[:_MADE_DIGITS]
    return Parcel(event.place, event.place, event.source, made)


class QueueItem(Struct, frozen=True, omit_defaults=True, gc=False):
    """What waits in a subscription's queue."""

    parcel: Parcel
    type: EventType
    at: datetime
    """When it happened, or was asked for."""
    settled: bool = False
    """To be sent as it is: a ping, a replay, or what a settle window or a digest came to."""


class Attempt(Struct, frozen=True, omit_defaults=True, gc=False):
    """One POST, or one message handed to a mail server."""

    at: datetime
    latency_ms: int
    status: int | None = None
    """None: there was no answer."""
    error: str = ""
    """Empty: it succeeded."""
    answer: str = ""
    """The first 1,000 bytes of the answer, as text."""


class DeliveryState(StrEnum):
    """What became of a delivery."""

    DELIVERED = "delivered"
    RETRYING = "retrying"
    DEAD = "dead"
    """Given up: it can be replayed."""
    NOTHING = "nothing"
    """All that it was to tell was taken back within the settle window, or before the digest."""


class Delivery(Struct, frozen=True, omit_defaults=True, gc=False):
    """One message for one subscription, and its attempts."""

    id: str
    """The ``webhook-id``: the same at every attempt and at a replay."""
    subscription: str
    type: EventType
    parcel: Parcel
    state: DeliveryState
    settled_at: datetime
    """When ``state`` came to be."""
    attempts: tuple[Attempt, ...] = ()
    """Oldest first."""
    next_at: datetime | None = None
    """Of one that is retried."""
