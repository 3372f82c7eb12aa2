"""Fetch a docs page: its HTML, or its Markdown where HTML is missing or has lost stars.

Every docs page's source uses `fetch_docs_page` as its ``fetch``.
"""

from __future__ import annotations

from datetime import datetime

from schema.document import Document
from schema.errors import FetchError
from schema.version import SourceState
from scrapers.docs.page import Page
from scrapers.docs.reader import read_page, upstream_facts
from scrapers.docs.tables import stars_eaten
from scrapers.source import Source
from scrapers.upstream import Response, Upstream


async def fetch_docs_page(source: Source, upstream: Upstream, state: SourceState, now: datetime) -> Document | None:
    """Return the page as HTML, or None when it is not modified since ``state``.

    As Markdown instead where emphasis took wildcards out of the HTML (sources.md D1.5), from the
    address the page names (``markdown_url``, D4), and where upstream has no HTML: a mirror may hold
    that form alone.

    Raises:
        FetchError: as `Upstream.get`.
        ParseError: the answer is no page at all.
    """
    try:
        response = await _get(upstream, source.url, state, "text/html")
    except FetchError as error:
        if error.facts.get("status") != 404:
            raise
        return await _markdown_instead(upstream, _markdown_url(source.url), state, now, error)
    if response is None:
        return None
    page = read_page(response.body, response.media_type)
    document = _document(response, page, now)
    if not stars_eaten(page):
        return document
    markdown_url = page.meta("markdown_url") or _markdown_url(source.url)
    return await _repaired(upstream, markdown_url, state, document)


async def _get(upstream: Upstream, url: str, state: SourceState, accept: str) -> Response | None:
    """GET ``url``, conditionally where the validators are its own."""
    own = state.validated_url == url
    return await upstream.get(
        url,
        etag=state.etag if own else None,
        last_modified=state.last_modified if own else None,
        accept=accept,
    )


async def _markdown_instead(
    upstream: Upstream, url: str, state: SourceState, now: datetime, missing: FetchError
) -> Document | None:
    """Return the Markdown form; where it is missing too, it is the page that is missing."""
    try:
        response = await _get(upstream, url, state, "text/markdown")
    except FetchError as error:
        raise (missing if error.facts.get("status") == 404 else error) from None
    return _read_document(response, now) if response else None


async def _repaired(upstream: Upstream, url: str, state: SourceState, damaged: Document) -> Document | None:
    """Return the Markdown form; where there is none, the damaged page, which its parser refuses with reasons."""
    try:
        response = await _get(upstream, url, state, "text/markdown")
    except FetchError as error:
        if error.facts.get("status") != 404:
            raise
        return damaged
    return _read_document(response, damaged.provenance.fetched_at) if response else None


def _markdown_url(url: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}accept=text/markdown"


def _read_document(response: Response, now: datetime) -> Document:
    return _document(response, read_page(response.body, response.media_type), now)


def _document(response: Response, page: Page, now: datetime) -> Document:
    facts = upstream_facts(page)
    return response.document(now, upstream_version=facts.version, upstream_at=facts.at)
