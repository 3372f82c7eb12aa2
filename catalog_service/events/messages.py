"""Messages of what happened beside the versions, and the bytes of any message.

In: a `Notice`, and an `EventFilter`; or whom a ping is for. Out: a `Message`, None where it was not asked for; and a
webhook's body. Pure; called by `bodies`, and by notify.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import UNSET

from catalog_service.catalog.event_filter import passes
from catalog_service.events.links import Origin, held_links, source_links, subscription_links
from catalog_service.events.sentences import disabled_in_words, noticed_in_words, ping_in_words
from catalog_service.views.events import (
    CloudEvent,
    CommittedData,
    Data,
    DisabledData,
    HeldData,
    Message,
    PingData,
    SourceData,
)
from schema.event import Event, EventType, Notice, Place
from schema.subscription import EventFilter

_MOST_REASONS = 20


def noticed(notice: Notice, wanted: EventFilter, origin: Origin) -> Message | None:
    """Return what happened beside the versions as a message; None when ``wanted`` does not ask for it."""
    if not passes(Event(Place(0), notice=notice), wanted):  # wherever it stands
        return None
    return Message(notice.type, notice.at, _data(notice, origin))


def ping(subscription: str, at: datetime, origin: Origin, challenge: str | None = None) -> Message:
    """Return a test of ``subscription``; with ``challenge``, what a new one has to answer with."""
    summary = ping_in_words(subscription, is_challenge=challenge is not None)
    data = PingData(subscription, summary, subscription_links(origin, subscription), challenge)
    return Message(EventType.PING, at, data)


def encoded(message: Message) -> bytes:
    """Return the body of a webhook by Standard Webhooks: equal messages are equal bytes."""
    return msgspec.json.encode(message)


def cloud_event(message: Message, id_: str, source_url: str) -> bytes:
    """Return ``message`` in the structured mode of CloudEvents 1.0; ``id_`` is the delivery's."""
    data = message.data
    event = CloudEvent(id_, source_url, message.type, message.timestamp, data, _subject(data) or UNSET)
    return msgspec.json.encode(event)


def _data(notice: Notice, origin: Origin) -> Data:
    if notice.type is EventType.DISABLED:
        return _disabled(notice, origin)
    return _held(notice, origin) if notice.type is EventType.HELD else _source(notice, origin)


def _held(notice: Notice, origin: Origin) -> HeldData:
    held = notice.held
    assert held is not None
    summary = noticed_in_words(origin.title(notice.subject), notice, held.base)
    links = held_links(origin, held.id)
    return HeldData(held.id, held.source, _reasons(held.reasons), summary, held.summary, links, held.base)


def _source(notice: Notice, origin: Origin) -> SourceData:
    summary = noticed_in_words(origin.title(notice.subject), notice, None)
    return SourceData(notice.subject, summary, source_links(origin), _reasons(notice.reasons), notice.since)


def _disabled(notice: Notice, origin: Origin) -> DisabledData:
    summary = disabled_in_words(notice.subject, notice.reasons)
    links = subscription_links(origin, notice.subject)
    return DisabledData(notice.subject, summary, _reasons(notice.reasons), links, notice.since)


def _reasons(reasons: tuple[str, ...]) -> tuple[str, ...]:
    """Return the first reasons: a page that was rebuilt has one for each row."""
    if len(reasons) <= _MOST_REASONS:
        return reasons
    return (*reasons[:_MOST_REASONS], f"and {len(reasons) - _MOST_REASONS} more")


def _subject(data: Data) -> str | None:
    if isinstance(data, CommittedData):
        return data.sources[0] if len(data.sources) == 1 else None
    return data.source if isinstance(data, HeldData | SourceData) else data.subscription
