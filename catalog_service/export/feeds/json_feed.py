"""JSON Feed 1.1 (https://jsonfeed.org/version/1.1), with each message as programs take it. Called by `formats`."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct, field

from catalog_service.export.feeds.feed import TITLE, Feed, FeedEntry
from catalog_service.views.events import Message


class _Item(Struct, frozen=True):
    id: str
    url: str
    title: str
    content_html: str
    date_published: datetime
    tags: tuple[str, ...]
    message: Message = field(name="_message")
    """An extension: the body of a webhook."""


class _JsonFeed(Struct, frozen=True):
    version: str
    title: str
    description: str
    home_page_url: str
    feed_url: str
    language: str
    items: tuple[_Item, ...]


def render_json(feed: Feed) -> bytes:
    """Return ``feed`` as JSON Feed 1.1."""
    items = tuple(map(_item, feed.entries))
    version = "https://jsonfeed.org/version/1.1"
    return msgspec.json.encode(_JsonFeed(version, TITLE, feed.about, feed.home_url, feed.self_url, "en", items))


def _item(entry: FeedEntry) -> _Item:
    message, data = entry.message, entry.message.data
    return _Item(entry.id, data.links.page, data.summary, entry.html, message.timestamp, (message.type.value,), message)
