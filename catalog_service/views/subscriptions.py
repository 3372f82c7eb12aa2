"""Subscriptions and their deliveries as they are published: everything but what is secret.

In: a subscription and how it is. Out: views, the same for REST, GraphQL, the command line and the pages. Addresses of
chats are secrets themselves: of those the scheme and the host are shown. Called by `subscriptions.desk`.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import asdict

from schema.event import EventType
from schema.subscription import (
    Attempt,
    Channel,
    Delivery,
    DeliveryState,
    Digest,
    Envelope,
    EventFilter,
    Health,
    Payload,
    Signature,
    Standing,
    Status,
    Subscription,
)


class SubscriptionView(Struct, frozen=True, omit_defaults=True):
    """A subscription and how it is."""

    id: str
    channel: Channel
    url: str
    """Without what may be secret: a webhook's query values, paths of a chat's, who of mail."""
    created_at: datetime
    created_by: str
    filter: EventFilter
    payload: Payload
    envelope: Envelope
    signatures: tuple[Signature, ...]
    status: Status
    health: Health
    settle_s: int
    waiting_count: int
    """Deliveries that wait, the one that is retried among them."""
    description: str = ""
    saved_filter: str = ""
    digest: Digest | None = None
    headers: tuple[str, ...] = ()
    """Names alone."""
    why: str = ""
    """Of a disabled one."""
    dropped_count: int = 0
    """Events that a full queue lost: replay them."""
    dead_count: int = 0
    """Deliveries that were given up and not replayed since."""
    next_at: datetime | None = None
    """When something is sent next; absent: when something happens."""
    hint: str = ""
    """What to do for an unverified one."""
    owner: str = ""
    """The name of the token that made it; absent: who may operate looks after it."""


class Created(Struct, frozen=True, omit_defaults=True):
    """A new subscription, and its secret: shown here and never again."""

    subscription: SubscriptionView
    secret: str | None = None
    """``whsec_...``, of a webhook."""

    def __repr__(self) -> str:
        return f"Created({self.subscription.id!r}, ...)"


class Rotated(Struct, frozen=True):
    """A new secret: shown here and never again."""

    secret: str
    previous_until: datetime
    """Until then the one before signs too."""

    def __repr__(self) -> str:
        return "Rotated(...)"


class DeliveryView(Struct, frozen=True, omit_defaults=True):
    """One message for one subscription, and its attempts."""

    id: str
    """The ``webhook-id``."""
    subscription: str
    type: EventType
    state: DeliveryState
    settled_at: datetime
    first: str | None = None
    """The event that it is about, or the first of them: ``41``, ``41-2``; absent of a ping."""
    last: str | None = None
    source: str | None = None
    """Of whose events; absent: of every source's."""
    attempts: tuple[Attempt, ...] = ()
    """Oldest first."""
    next_at: datetime | None = None


class DeliveryPage(Struct, frozen=True, omit_defaults=True):
    """Deliveries, newest first."""

    items: tuple[DeliveryView, ...]
    next: str | None = None
    """For ``before``, to read on; absent at the end."""


class SigningKeyView(Struct, frozen=True):
    """A key that signatures ``v1a`` are verified with."""

    public: str
    """``whpk_`` and the ed25519 key in Base64."""
    algorithm: str = "ed25519"


def subscription_view(standing: Standing) -> SubscriptionView:
    """Return a subscription and how it is, as published."""
    own = asdict(standing.subscription)
    del own["moves"]
    return SubscriptionView(
        **own,
        health=standing.health,
        waiting_count=standing.waiting_count,
        dropped_count=standing.dropped_count,
        dead_count=standing.dead_count,
        next_at=standing.due_at,
        hint=_hint(standing.subscription),
    )


def delivery_view(delivery: Delivery) -> DeliveryView:
    """Return ``delivery`` as published."""
    parcel, is_ping = delivery.parcel, delivery.type is EventType.PING
    return DeliveryView(
        id=delivery.id,
        subscription=delivery.subscription,
        type=delivery.type,
        state=delivery.state,
        settled_at=delivery.settled_at,
        first=None if is_ping else str(parcel.first),
        last=None if is_ping else str(parcel.last),
        source=parcel.source,
        attempts=delivery.attempts,
        next_at=delivery.next_at,
    )


def shown_url(channel: Channel, url: str) -> str:
    """Return ``url`` without what may be secret in it.

    ``https://a.example/hook?key=...``, ``https://hooks.slack.com/...``, ``mailto:...@a.example``, ``tgram://...``
    """
    if channel is Channel.EMAIL:
        hosts = (mailbox.rpartition("@")[2] for mailbox in url.removeprefix("mailto:").split(","))
        return f"mailto:{','.join(f'...@{host}' for host in hosts)}"
    if channel is Channel.APPRISE:  # the first of a token may stand where others have a host
        return f"{url.partition('://')[0]}://..."
    parts = urlsplit(url)
    if channel is not Channel.WEBHOOK:
        return f"{parts.scheme}://{parts.netloc}/..."
    names = "&".join(f"{name}=..." if is_set else "..." for name, is_set in _queries(parts.query))
    return f"{parts.scheme}://{parts.netloc}{parts.path}{'?' if names else ''}{names}"


def _queries(query: str) -> tuple[tuple[str, bool], ...]:
    """Return the names in ``query``, and whether each has a value; one without may be a secret as a whole."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return tuple((name, bool(equals)) for name, equals, _ in pairs)


def _hint(subscription: Subscription) -> str:
    if subscription.status is not Status.UNVERIFIED:
        return ""
    if subscription.channel is Channel.WEBHOOK:
        return (
            "a subscription.ping with a challenge is on its way: send the challenge back in the answer, as it is or as"
            ' {"challenge": "..."}; or verify with that code. A test sends another ping.'
        )
    return "a message with a code is on its way: verify with that code. A test sends another one."
