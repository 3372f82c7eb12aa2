"""``/v1/calendar.ics``: from when what upstreams announced may be in use, for calendars."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body
from catalog_service.api.context import Context, canonical, subject
from catalog_service.api.reads.asked import check_ready
from catalog_service.api.reads.calendar import effective_days
from catalog_service.api.rest.event_filters import CHANGE_FILTERS, event_filter
from catalog_service.api.rest.operation import Operation
from catalog_service.export.feeds.calendar import render_calendar

_MEDIA_TYPE = "text/calendar"
_PARAMETERS = tuple(one for one in CHANGE_FILTERS if one.name != "only")


async def calendar(context: Context, request: Request) -> Response:
    """From when what upstreams announced may be in use, as a calendar.

    Additions of Microsoft 365 are in effect 30 days after they were published, those of Azure service tags a week; of
    other sources nothing is known. The calendar has those of the last 120 days.
    """
    wanted = await event_filter(context, request.query_params)
    check_ready(context.reader)

    async def rendered() -> Body:
        days = await effective_days(context.reader, context.past, context.origin, wanted)
        return Body(await asyncio.to_thread(render_calendar, days), _MEDIA_TYPE)

    return await context.answers.versioned(
        request, subject(context.reader.current, "calendar", canonical(wanted)), rendered
    )


OPERATIONS = (Operation("/v1/calendar.ics", calendar, (_MEDIA_TYPE,), _PARAMETERS, (404, 503)),)
