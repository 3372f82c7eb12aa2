"""``/v1/feed.atom``, ``/v1/feed.rss``, ``/v1/feed.json``: what happened, for news readers."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body
from catalog_service.api.context import Context, canonical, subject
from catalog_service.api.parameters import limit_of
from catalog_service.api.reads.asked import check_ready
from catalog_service.api.rest.event_filters import EVENT_FILTERS, event_filter
from catalog_service.api.rest.operation import Operation, in_path
from catalog_service.api.rest.operation import limit as limit_parameter
from catalog_service.export.feeds.feed import Feed
from catalog_service.export.feeds.formats import FEED_FORMATS, feed_format_named

_DEFAULT, _MOST = 20, 50
_ABOUT = "Changes of the network endpoints that Power Automate, Microsoft 365 and Azure need."
_FORMAT = in_path("format", "`atom`, `rss` or `json` (JSON Feed 1.1).", "atom")
_MEDIA_TYPES = tuple(one.media_type for one in FEED_FORMATS)


async def feed(context: Context, request: Request) -> Response:
    """What happened, as a feed: the newest events that the filters keep, of the last 200.

    An entry has the changes as a table; in JSON Feed its `_message` is the message that webhooks are sent. Its id is
    the same wherever the catalogue is served.
    """
    format_ = feed_format_named(request.path_params["format"])
    given = request.query_params
    wanted, most = await event_filter(context, given), limit_of(given, default=_DEFAULT, most=_MOST)
    check_ready(context.reader)
    current, newest = context.reader.current, context.hub.newest
    own = f"/v1/feed.{format_.name}{'?' if given else ''}{urlencode(given.multi_items())}"

    async def rendered() -> Body:
        entries = await context.feeds.newest(wanted, most)
        at = entries[0].message.timestamp if entries else max(one.version.committed_at for one in current.contents)
        made = Feed(_ABOUT, f"{context.base_url}/", f"{context.base_url}{own}", at, entries)
        return Body(await asyncio.to_thread(format_.render, made), format_.media_type)

    asked = f"{own}\n{canonical(wanted)}\n{newest}"
    return await context.answers.versioned(request, subject(current, "feed", asked), rendered)


OPERATIONS = (
    Operation(
        "/v1/feed.{format}",
        feed,
        _MEDIA_TYPES,
        (_FORMAT, *EVENT_FILTERS, limit_parameter(_DEFAULT, _MOST)),
        (404, 503),
    ),
)
