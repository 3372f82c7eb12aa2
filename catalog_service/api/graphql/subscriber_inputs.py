"""GraphQL's inputs of subscriptions, field by field those of `subscriptions.wanted`, which they become."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

import msgspec
import strawberry
from msgspec import Struct

from catalog_service.api.graphql.words import (
    Channel,
    Cloud,
    Direction,
    Envelope,
    EventType,
    Every,
    Family,
    Impact,
    Kind,
    Only,
    Payload,
    Signature,
    Weekday,
)
from catalog_service.subscriptions.wanted import SubscriptionEdit
from schema.errors import BadParameterError

T = TypeVar("T", bound=Struct)


@strawberry.input(description="Empty lists keep everything; several values of one field are alternatives.")
class EventFilterInput:
    """A `WantedFilter`."""

    types: list[EventType] = strawberry.field(default_factory=lambda: [EventType.COMMITTED])
    sources: list[str] = strawberry.field(default_factory=list)
    services: list[str] = strawberry.field(default_factory=list)
    tags: list[str] = strawberry.field(default_factory=list)
    clouds: list[Cloud] = strawberry.field(default_factory=list)
    regions: list[str] = strawberry.field(default_factory=list)
    directions: list[Direction] = strawberry.field(default_factory=list)
    kinds: list[Kind] = strawberry.field(default_factory=list)
    family: Family = Family.BOTH
    only: Only | None = None
    impacts: list[Impact] = strawberry.field(default_factory=list)
    impact_at_least: Impact | None = None
    material: bool = False


@strawberry.input(description="All that happened since the last one, in one message.")
class DigestInput:
    """A `WantedDigest`."""

    every: Every
    at: str = strawberry.field(default="08:00", description="HH:MM, on the clock of `zone`.")
    zone: str = strawberry.field(default="UTC", description="A name of the IANA time zone database.")
    weekday: Weekday = Weekday.MONDAY


@strawberry.input(description="A header of a webhook; its value is never shown again.")
class HeaderInput:
    """A `Header`."""

    name: str
    value: str


@strawberry.input(description="A subscription as it is asked for.")
class NewSubscriberInput:
    """A `NewSubscription`."""

    channel: Channel
    url: str = strawberry.field(description="https; for e-mail `mailto:` and addresses; for apprise one of its own.")
    description: str = ""
    filter: EventFilterInput | None = strawberry.field(
        default=None, description="Neither this nor `savedFilter`: every version."
    )
    saved_filter: str = ""
    digest: DigestInput | None = None
    settle_s: int | None = strawberry.field(default=None, description="Null: what the service is set to.")
    payload: Payload = Payload.FULL
    envelope: Envelope = strawberry.field(
        default=Envelope.STANDARD, description="Of webhooks, as are `signatures` and `headers`."
    )
    signatures: list[Signature] = strawberry.field(default_factory=lambda: [Signature.HMAC])
    headers: list[HeaderInput] = strawberry.field(default_factory=list)


@strawberry.input(description="What is to be another of a subscription; what is left out stays as it is.")
class SubscriberEdit:
    """A `SubscriptionEdit`."""

    channel: strawberry.Maybe[Channel | None]
    url: strawberry.Maybe[str | None]
    description: strawberry.Maybe[str | None]
    filter: strawberry.Maybe[EventFilterInput | None] = strawberry.field(
        default=None, description="Takes the place of a saved one, and the other way round."
    )
    saved_filter: strawberry.Maybe[str | None]
    digest: strawberry.Maybe[DigestInput | None] = strawberry.field(
        default=None, description="Null: each version by itself."
    )
    settle_s: strawberry.Maybe[int | None]
    payload: strawberry.Maybe[Payload | None]
    envelope: strawberry.Maybe[Envelope | None]
    signatures: strawberry.Maybe[list[Signature] | None]
    headers: strawberry.Maybe[list[HeaderInput] | None] = strawberry.field(
        default=None, description="All of them: those left out are sent no more."
    )


@strawberry.input(description="A delivery, or the versions from one to another, or all since a moment.")
class ReplayInput:
    """A `Replay`."""

    delivery: strawberry.ID | None = None
    from_version: int | None = None
    to_version: int | None = None
    since: datetime | None = None


@strawberry.input(description="A filter that is to be saved under a name.")
class SavedFilterInput:
    """A `NewFilter`."""

    filter: EventFilterInput
    description: str = ""


def wanted(given: object, type_: type[T]) -> T:
    """Return an input as the Struct that it mirrors."""
    return msgspec.convert(given, type_, from_attributes=True)


def edit_of(given: SubscriberEdit) -> SubscriptionEdit:
    """Return what ``given`` has; what it leaves out is not in it. Raises BadParameterError for a null."""
    every = {name: getattr(given, name) for name in SubscriptionEdit.__struct_fields__}
    told = {name: one.value for name, one in every.items() if one is not None}
    if missing := next((name for name, value in told.items() if value is None and name != "digest"), None):
        raise BadParameterError("this cannot be null: leave it out, and it stays as it is", parameter=missing)
    return wanted(told, SubscriptionEdit)
