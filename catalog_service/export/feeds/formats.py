"""The formats a feed can be had in: one list, one renderer each. Called by REST."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from catalog_service.export.feeds.feed import Feed
from catalog_service.export.feeds.json_feed import render_json
from catalog_service.export.feeds.xml import render_atom, render_rss
from schema.errors import BadParameterError


class FeedFormat(Struct, frozen=True):
    """One format: its name in an address, what it is called in HTTP, and its renderer."""

    name: str
    media_type: str
    render: Callable[[Feed], bytes]


FEED_FORMATS = (
    FeedFormat("atom", "application/atom+xml", render_atom),
    FeedFormat("rss", "application/rss+xml", render_rss),
    FeedFormat("json", "application/feed+json", render_json),
)


def feed_format_named(name: str) -> FeedFormat:
    """Return the format ``name``. Raises BadParameterError."""
    found = next((one for one in FEED_FORMATS if one.name == name.lower()), None)
    if found is None:
        known = tuple(one.name for one in FEED_FORMATS)
        message = f"{name[:80]!r} is not a format of feeds; there are {', '.join(known)}"
        raise BadParameterError(message, parameter="format", value=name[:80], known=known)
    return found
