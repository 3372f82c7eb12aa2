"""GraphQL's types of subscriptions and deliveries. Structs of `views.subscriptions`, and a saved filter's.

A subscription of the catalogue is a `Subscriber` here: `Subscription` is the root of GraphQL's own.
"""

from __future__ import annotations

from datetime import datetime

import strawberry

from catalog_service.api.cursors import decode_cursor, encode_cursor
from catalog_service.api.graphql import pages
from catalog_service.api.graphql.acting import allowed
from catalog_service.api.graphql.asked import Context
from catalog_service.api.graphql.pages import PageInfo
from catalog_service.api.graphql.words import (
    Channel,
    Cloud,
    DeliveryState,
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
    Status,
    Weekday,
)
from catalog_service.api.reads.asked import naming
from catalog_service.catalog.select import Filter
from catalog_service.subscriptions.shown import A_PAGE, MOST_A_PAGE
from catalog_service.views.subscriptions import DeliveryView, SubscriptionView
from schema.version import Point


@strawberry.type(description="Which events, and of a version which changes. Empty lists keep everything.")
class EventFilter:
    types: list[EventType]
    sources: list[str]
    services: list[str]
    tags: list[str]
    clouds: list[Cloud]
    regions: list[str]
    directions: list[Direction]
    kinds: list[Kind]
    family: Family
    only: Only | None
    impacts: list[Impact]
    impact_at_least: Impact | None
    material: bool


@strawberry.type(description="A filter with a name, that subscriptions, streams and feeds can use.")
class SavedFilter:
    name: str
    filter: EventFilter
    set_at: datetime
    set_by: str
    description: str


@strawberry.type(description="All that happened since the last one, in one message.")
class Digest:
    every: Every
    at: str = strawberry.field(description="HH:MM, on the clock of `zone`.")
    zone: str
    weekday: Weekday = strawberry.field(description="Of a weekly one.")


@strawberry.type(description="How deliveries go.")
class Health:
    failing_since: datetime | None = strawberry.field(description="Null while all is well.")
    succeeded_at: datetime | None
    failed_at: datetime | None
    error: str = strawberry.field(description="Of the last failed attempt, while it fails.")
    delivered_count: int
    dead_count: int


@strawberry.type(description="One POST, or one message handed to a mail server.")
class Attempt:
    at: datetime
    latency_ms: int
    status: int | None = strawberry.field(description="Null: there was no answer.")
    error: str = strawberry.field(description="Empty: it succeeded.")
    answer: str = strawberry.field(description="The first 1,000 bytes of it, as text.")


@strawberry.type(description="One message for one subscription, and its attempts.")
class Delivery:
    id: strawberry.ID = strawberry.field(description="The `webhook-id`: the same at every attempt and at a replay.")
    subscription: strawberry.ID
    type: EventType
    state: DeliveryState
    settled_at: datetime
    first: str | None = strawberry.field(description="The event it is about, or the first of them; null of a ping.")
    last: str | None
    source: str | None = strawberry.field(description="Of whose events; null: of every source's.")
    attempts: list[Attempt] = strawberry.field(description="Oldest first.")
    next_at: datetime | None


@strawberry.type(description="A delivery, and where it stands in the list.")
class DeliveryEdge:
    cursor: str = strawberry.field(resolver=pages.cursor)
    node: Delivery


@strawberry.type(description="Deliveries, newest first, as far as the log goes back.")
class DeliveryConnection:
    edges: list[DeliveryEdge] = pages.answered(pages.edges, list[DeliveryEdge])
    nodes: list[Delivery]
    page_info: PageInfo


async def _deliveries(
    info: Context, parent: strawberry.Parent[SubscriptionView], first: int | None = None, after: str | None = None
) -> pages.Page:
    """Return a page of what was sent to a subscription. Raises BadParameterError for a cursor of another."""
    desk, kind = (await allowed(info)).desk, f"deliveries {parent.id}"
    asked = pages.sliced(first, after, None, None, default=A_PAGE, most=MOST_A_PAGE)
    with naming("after"):
        before = decode_cursor(kind, after, Filter()).after if after is not None else None
        found = await desk.deliveries(parent.id, asked.first or A_PAGE, before)
    return pages.page(
        found.items,
        tuple(one.id for one in found.items),
        lambda place: encode_cursor(kind, Point(0), place, Filter()),
        len(found.items),
        before=after is not None,
        after=found.next is not None,
    )


async def _delivery(
    info: Context,
    parent: strawberry.Parent[SubscriptionView],
    id: strawberry.ID,  # noqa: A002
) -> DeliveryView:
    return await (await allowed(info)).desk.delivery(parent.id, id)


@strawberry.type(description="A subscription: who wants to be told what, where and when, and how it is.")
class Subscriber:
    id: strawberry.ID
    channel: Channel
    url: str = strawberry.field(description="Without what may be secret.")
    created_at: datetime
    created_by: str
    description: str
    filter: EventFilter
    saved_filter: str = strawberry.field(description="The name of the one that is used in place of `filter`.")
    digest: Digest | None
    settle_s: int = strawberry.field(description="Seconds within which changes of one source are told as one.")
    payload: Payload
    envelope: Envelope
    signatures: list[Signature]
    headers: list[str] = strawberry.field(description="Names alone.")
    status: Status
    why: str = strawberry.field(description="Of a disabled one.")
    health: Health
    waiting_count: int
    dropped_count: int = strawberry.field(description="Events that a full queue lost: replay them.")
    dead_count: int = strawberry.field(description="Deliveries that were given up, and not replayed since.")
    next_at: datetime | None = strawberry.field(description="Null: when something happens.")
    hint: str = strawberry.field(description="What to do for an unverified one.")
    owner: str = strawberry.field(
        description="The name of the token that made it; empty: who may operate looks after it."
    )
    deliveries: DeliveryConnection | None = pages.answered(
        _deliveries,
        DeliveryConnection | None,
        f"`first` is {A_PAGE} unless told otherwise, and at most {MOST_A_PAGE}.",
        first=A_PAGE,
    )
    delivery: Delivery | None = pages.answered(_delivery, Delivery | None)


@strawberry.type(description="A subscription, and where it stands in the list.")
class SubscriberEdge:
    cursor: str = strawberry.field(resolver=pages.cursor)
    node: Subscriber


@strawberry.type(description="Subscriptions, oldest first.")
class SubscriberConnection:
    edges: list[SubscriberEdge] = pages.answered(pages.edges, list[SubscriberEdge])
    nodes: list[Subscriber]
    page_info: PageInfo
    total_count: int


@strawberry.type(description="A new subscription.")
class CreatedSubscriber:
    subscription: Subscriber
    secret: str | None = strawberry.field(description="Of a webhook; never shown again.")


@strawberry.type(description="A new secret.")
class RotatedSecret:
    secret: str = strawberry.field(description="Never shown again.")
    previous_until: datetime = strawberry.field(description="Until then the one before signs too.")


@strawberry.type(description="A key that signatures `v1a` are verified with.")
class SigningKey:
    public: str = strawberry.field(description="`whpk_` and the ed25519 key in Base64.")
    algorithm: str
