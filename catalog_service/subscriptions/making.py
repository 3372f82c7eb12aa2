"""What a subscription becomes: made new, or changed, and how the audit tells of it. Pure; called by `desk`.

In: what is wanted. Out: a `Subscription` that `rules` still has to check; text without anything secret.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import asdict, replace

from catalog_service.store.labels import label_name
from catalog_service.subscriptions.vault import Headers
from catalog_service.subscriptions.wanted import (
    Header,
    NewSubscription,
    SubscriptionEdit,
    stored_digest,
    stored_filter,
)
from catalog_service.views.subscriptions import shown_url
from schema.clock import RandomBytes
from schema.errors import BadParameterError
from schema.event import EventType, Place
from schema.subscription import EventFilter, Parcel, QueueItem, Sealed, Status, Subscription

_MOST_AUDITED = 300
_PING_BYTES = 10


class Step(Struct, frozen=True):
    """What becomes of a subscription."""

    after: Subscription
    sealed: Sealed | None = None
    asked: QueueItem | None = None
    anew: bool = False
    headers: bool = False
    """The values of its headers are others."""


Taken = Callable[[Subscription, Sealed | None], Awaitable[Step]]
"""A step from a subscription and what is sealed of it."""


def made(wanted: NewSubscription, id_: str, who: str, owner: str, now: datetime, settle_s: int) -> Subscription:
    """Return a new subscription, its address without what may be secret.

    Raises BadParameterError: two filters, or a name that no filter can have.
    """
    if wanted.filter is not None and wanted.saved_filter:
        raise _two_filters()
    return Subscription(
        id=id_,
        channel=wanted.channel,
        url=shown_url(wanted.channel, wanted.url),
        created_at=now,
        created_by=who,
        description=wanted.description,
        filter=EventFilter() if wanted.filter is None else stored_filter(wanted.filter),
        saved_filter=filter_name(wanted.saved_filter, "saved_filter") if wanted.saved_filter else "",
        digest=stored_digest(wanted.digest),
        settle_s=settle_s if wanted.settle_s is None else wanted.settle_s,
        payload=wanted.payload,
        envelope=wanted.envelope,
        signatures=wanted.signatures,
        headers=tuple(header.name for header in wanted.headers),
        owner=owner,
    )


def edited(before: Subscription, changes: SubscriptionEdit) -> Subscription:
    """Return ``before`` with what ``changes`` has but the address (`moved`). Raises BadParameterError as `made`."""
    given = {name: value for name, value in asdict(changes).items() if value is not UNSET and name != "url"}
    if changes.headers is not UNSET:
        given["headers"] = tuple(header.name for header in changes.headers)
    if changes.digest is not UNSET:
        given["digest"] = stored_digest(changes.digest)
    if changes.filter is not UNSET:
        if changes.saved_filter:
            raise _two_filters()
        given |= {"filter": stored_filter(changes.filter), "saved_filter": ""}
    elif changes.saved_filter:
        given |= {"filter": EventFilter(), "saved_filter": filter_name(changes.saved_filter, "saved_filter")}
    elif changes.saved_filter == "" and before.saved_filter:
        raise BadParameterError("give a filter in place of the saved one", parameter="filter")
    return replace(before, **given)


def moved(one: Subscription, url: str) -> Subscription:
    """Return ``one`` with the address ``url``, which has to be verified."""
    shown = shown_url(one.channel, url)
    return replace(one, url=shown, moves=one.moves + 1, status=Status.UNVERIFIED, why="")


def filter_name(name: str, parameter: str) -> str:
    """Return ``name`` as a saved filter's, lower case. Raises BadParameterError: names are as labels'."""
    if known := label_name(name):
        return known
    message = f"{name[:80]!r} cannot be a filter's name: a letter, then up to 63 letters, digits, dashes, underscores"
    raise BadParameterError(message, parameter=parameter)


def pairs(headers: tuple[Header, ...]) -> Headers:
    """Return names and values."""
    return tuple((header.name, header.value) for header in headers)


def ping(random_bytes: RandomBytes, now: datetime) -> QueueItem:
    """Return a ping of its own: of an unverified subscription the challenge, else a test."""
    parcel = Parcel(Place(0), Place(0), ping=random_bytes(_PING_BYTES).hex())
    return QueueItem(parcel, EventType.PING, now, settled=True)


def difference(before: Subscription, after: Subscription, *, headers: bool) -> tuple[str, str]:
    """Return what differs, as it was and as it is, for the audit. ``headers``: their values do."""
    hidden = {"headers": headers, "url": before.moves != after.moves}  # what differs though it may look the same
    names = [
        name
        for name in Subscription.__struct_fields__
        if name != "moves" and (getattr(before, name) != getattr(after, name) or hidden.get(name))
    ]
    was, told = ({name: getattr(one, name) for name in names} for one in (before, after))
    return (in_short(was), in_short(told)) if names else ("", "")


def in_short(value: object) -> str:
    """Return ``value`` as JSON of at most 300 characters, for the audit."""
    return msgspec.json.encode(value).decode()[:_MOST_AUDITED]


def named(one: Subscription) -> str:
    """Return channel and address, without what may be secret."""
    return f"{one.channel} {one.url}"


def _two_filters() -> BadParameterError:
    return BadParameterError("a subscription has a filter or a saved one, not both", parameter="saved_filter")
