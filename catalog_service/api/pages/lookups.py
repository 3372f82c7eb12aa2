"""``/lookup``: which records hold this, or each of these lines; and since when. ``/history``: the past of one alone."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from catalog_service.api.answers import Body, read_from
from catalog_service.api.bounds import bounded_body
from catalog_service.api.pages.links import link
from catalog_service.api.pages.page import Pages, given_of
from catalog_service.api.pages.past import past
from catalog_service.api.parameters import at_of, one
from catalog_service.api.reads.asked import check_ready
from catalog_service.api.reads.biographies import biography
from catalog_service.api.reads.lookups import looked_up, looked_up_all, queries_of
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from schema.errors import BadParameterError

_MOST_IN_ADDRESS = 8_000
_MOST_BYTES = 2_000_000
_MOST_FIELDS = 20
_MOST_SHOWN = 2_000
_MOST_MATCHES = 500
_MOST_EVENTS = 100


async def lookup(pages: Pages, request: Request) -> Response:
    """Answer what ``q`` is held by, one line or several; without ``q``, with the forms alone."""
    given = given_of(request, "q", "at", "on")
    at, on, lines = at_of(given), one(given, "on"), queries_of(one(given, "q") or "")
    if not lines:
        return await pages.context.answers.unversioned(request, _forms(pages, request, at))
    check_ready(pages.context.reader, at)
    snapshot = await pages.context.indexed(at)

    many = len(lines) > 1
    body = await (
        _many(pages, request, snapshot, lines, at) if many else _one(pages, request, snapshot, lines[0], at, on)
    )
    # An import moves the past without a new version: its own bytes are its name.
    return await pages.context.answers.unversioned(request, body, read_from(snapshot.version, snapshot.as_of))


async def lookup_many(pages: Pages, request: Request) -> Response:
    """Answer for the lines of the form; as an address that can be shared, where they are few."""
    given = await _form_of(request)
    text, at = "\n".join(given.get("q", ())), "".join(given.get("at", ())).strip() or None
    lines = queries_of(text)
    if not lines:
        raise BadParameterError("at least one line is needed", parameter="q")
    where = link("lookup", q="\n".join(lines), at=at)
    if len(where) <= _MOST_IN_ADDRESS:
        return RedirectResponse(where, status_code=303)
    check_ready(pages.context.reader, at)
    snapshot = await pages.context.indexed(at)
    body = await _many(pages, request, snapshot, lines, at)
    return await pages.context.answers.unversioned(request, body, read_from(snapshot.version, snapshot.as_of))


async def history(pages: Pages, request: Request) -> Response:
    """Answer when ``q`` was listed; without ``q``, with the form alone."""
    given, context = given_of(request, "q", "on"), pages.context
    query, on = one(given, "q"), one(given, "on")
    if query is None:
        return await context.answers.unversioned(request, pages.body(request, "history.html", life=None, q="", on=on))
    check_ready(context.reader)
    life = await biography(context.reader, context.sources, query, on=on)
    body = pages.body(request, "history.html", life=life, q=query, on=on, most_events=_MOST_EVENTS)
    return await context.answers.unversioned(request, body)


def _forms(pages: Pages, request: Request, at: str | None) -> Body:
    return pages.body(request, "lookup.html", found=None, many=None, at=at, on=None, text="")


async def _one(pages: Pages, request: Request, snapshot: Snapshot, query: str, at: str | None, on: str | None) -> Body:
    context = pages.context
    found = await asyncio.to_thread(looked_up, snapshot, context.sources, query, Filter())
    return pages.body(
        request,
        "lookup.html",
        found=found,
        many=None,
        snapshot=snapshot,
        life=await past(context, query, on),
        at=at,
        on=on,
        text=query,
        most_matches=_MOST_MATCHES,
        most_events=_MOST_EVENTS,
    )


async def _many(pages: Pages, request: Request, snapshot: Snapshot, lines: tuple[str, ...], at: str | None) -> Body:
    many = await asyncio.to_thread(looked_up_all, snapshot, pages.context.sources, lines, Filter())
    listed, failed = sum(bool(one.matches) for one in many.items), sum(bool(one.error) for one in many.items)
    return await asyncio.to_thread(
        pages.body,
        request,
        "lookup.html",
        found=None,
        many=many,
        snapshot=snapshot,
        at=at,
        on=None,
        text="\n".join(lines),
        listed=listed,
        failed=failed,
        most_shown=_MOST_SHOWN,
    )


async def _form_of(request: Request) -> dict[str, list[str]]:
    """Return the fields of the form that was sent.

    Raises:
        HTTPException: it is too long (413).
        BadParameterError: it is no form.
    """
    body = await bounded_body(request, _MOST_BYTES)
    try:
        return parse_qs(body.decode(), max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise BadParameterError(f"the form cannot be read: {error}", parameter="body") from None
