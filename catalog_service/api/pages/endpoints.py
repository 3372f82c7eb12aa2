"""``/endpoints/{id}``: one record, where it comes from, and what happened to it."""

from __future__ import annotations

import asyncio
from datetime import datetime

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import read_from
from catalog_service.api.pages.chart import chart
from catalog_service.api.pages.page import Pages, given_of
from catalog_service.api.pages.past import past
from catalog_service.api.parameters import at_of
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.views.records import record_view
from schema.change import AttributeValue
from schema.endpoint_set import EndpointSet

_MOST_MEMBERS = 2000
_MOST_EVENTS = 60


async def endpoint(pages: Pages, request: Request) -> Response:
    """Answer with a record as it is at a version, and its history."""
    context, at = pages.context, at_of(given_of(request, "at"))
    snapshot = await context.reader.at(at)
    record = snapshot.endpoint_set(request.path_params["id"])

    life = await past(context, record.id)
    body = await asyncio.to_thread(
        pages.body,
        request,
        "endpoint.html",
        record=record_view(snapshot, record),
        attributes=_said(record),
        snapshot=snapshot,
        at=at,
        life=life,
        chart=chart(life.series, _newest(context.reader.current, snapshot)) if life and life.series else None,
        events=life.events[: -_MOST_EVENTS - 1 : -1] if life else (),
        most_members=_MOST_MEMBERS,
    )
    # An import moves its past without a new version: its own bytes are its name.
    return await context.answers.unversioned(request, body, read_from(snapshot.version, snapshot.as_of))


def _said(record: EndpointSet) -> tuple[tuple[str, AttributeValue], ...]:
    """Return the attributes that upstream names, with their values."""
    if record.attributes is None:
        return ()
    fields = ((name, getattr(record.attributes, name)) for name in record.attributes.__struct_fields__)
    return tuple((name, value) for name, value in fields if value is not UNSET)


def _newest(*snapshots: Snapshot) -> datetime:
    return max(content.version.fetched_at for one in snapshots for content in one.contents)
