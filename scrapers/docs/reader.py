"""A fetched document becomes a `Page`, whichever form it has, and the upstream's own number and date.

Called by `fetch.fetch_docs_page` and by the parsers of docs pages.
"""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from datetime import UTC, datetime

from msgspec import Struct

from schema.errors import ParseError
from scrapers.docs.html import page_from_html, refuse_truncated
from scrapers.docs.markdown import page_from_markdown, refuse_open_end
from scrapers.docs.page import Page

_HTML = re.compile(r"<(?:!doctype html|html|head|body|main)\b", re.IGNORECASE)
_HTML_START = re.compile(r"\s*<(?:!doctype html|html)\b", re.IGNORECASE)
_COMMIT = re.compile(r"\b[0-9a-f]{40}\b")
_DATE_FORMS = ("%m/%d/%Y", "%Y-%m-%d %I:%M %p")


class UpstreamFacts(Struct, frozen=True):
    """What a page says of itself: the commit it was built from and its date, UTC."""

    version: str | None
    at: datetime | None


def read_page(body: bytes, media_type: str) -> Page:
    """Return the page. The content decides the form; ``media_type`` only where content leaves it open.

    Raises:
        ParseError: empty, XML, not text, or truncated.
    """
    text = _decoded(body)
    if not text.strip():
        raise ParseError("the document is empty")
    if text.lstrip().startswith("<?xml"):
        raise ParseError("the document is XML, not a docs page")
    if _is_markdown(text, media_type):
        refuse_open_end(text)
        return page_from_markdown(text)
    refuse_truncated(text)
    return page_from_html(text)


def upstream_facts(page: Page) -> UpstreamFacts:
    """Return the page's own commit and the date of its change: ``ms.date`` is not one (sources.md D1.34)."""
    commit = page.meta("git_commit_id") or page.meta("gitcommit") or ""
    found = _COMMIT.search(commit)
    dated = page.meta("updated_at")
    return UpstreamFacts(version=found[0] if found else commit or None, at=_date(dated) if dated else None)


def _decoded(body: bytes) -> str:
    """UTF-8 with or without a BOM; UTF-16 with one (sources.md D1.33)."""
    encoding = "utf-16" if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        raise ParseError(f"the document is not text: {error}") from error


def _is_markdown(text: str, media_type: str) -> bool:
    if text.lstrip().startswith("---"):
        return True
    if media_type == "text/markdown":
        return not _HTML_START.match(text)
    return not _HTML.search(text)


def _date(text: str) -> datetime | None:
    """Read ``2025-12-10T08:00:00Z``, ``12/10/2025`` or ``2017-02-18 06:16 PM``; None when it is none of these."""
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    for form in _DATE_FORMS:
        with suppress(ValueError):
            return datetime.strptime(text, form).replace(tzinfo=UTC)
    return None
