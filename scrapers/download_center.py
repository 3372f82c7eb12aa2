"""The download centre: the page that names this week's service-tag file.

In: a page in any of its forms, and its address. Out: its newest link to
``ServiceTags_<stem>_<date>.json``. The forms (sources.md D4): ``window.__DLCDetails__`` (JSON in a
script), the older confirmation page (``downloadData={base_0:{url:..}}``, failover anchors, an
entity-escaped meta refresh) and plain links. Called by `scrapers.service_tags`; the client sees to
it that the link is on an allowed host.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from schema.errors import ParseError

_DETAILS = re.compile(r"__DLCDetails__\s*=\s*(?=\{)")
_FORMS = "window.__DLCDetails__, downloadData, failover anchors, meta refresh and plain links"
_PAGE_HOST = "www.microsoft.com"
_FILE_HOST = "download.microsoft.com"
_SCRIPT_OR_COMMENT = re.compile(r"(<script\b.*?(?:</script|\Z))|<!--(?:-?>|.*?(?:--!?>|\Z))", re.DOTALL | re.IGNORECASE)
"""In a script ``<!--`` begins no comment."""
_ENTITY = re.compile(r"&#?\w+;")
"""Only with its semicolon: ``&copy=1`` in a query is a parameter."""
_JSON_ESCAPE = re.compile(r"\\(?:(/)|u00([2-7][0-9A-Fa-f]))")
_BEFORE = r"(?:(?i:\b(?:href|url)[\"']?\s{0,9}[=:]\s{0,9}[\"']?)|(?<=[\"'=\s])(?=//)|(?=https?://))"
_FOLDERS = r"(?:[^\s\"'<>\\(){}?#]{0,500}/)?"
_QUERY = r"(?:\?[^\s\"'<>\\(){}#]*)?"


class FileLink(Struct, frozen=True):
    """A link to a service-tag file."""

    url: str
    """Absolute, with its query."""
    name: str
    named_on: date | None = None
    """The date in ``name``; None when its 7 or 8 digits are not one."""
    published_on: date | None = None
    """``datePublished`` of the details form."""


def file_link(page: bytes, stem: str, page_url: str) -> FileLink:
    """Return the newest link to a file ``ServiceTags_<stem>_<7 or 8 digits>.json`` on ``page``.

    ``..."downloadFile":[{"url":"https://host/d/ServiceTags_Public_20260504.json","datePublished":"5/4/2026
    7:01:02 PM"}]...`` -> that address, its name, 2026-05-04 twice. Relative links count from ``page_url``.

    Links over https to the hosts that serve these files come before all others, see `_trust`. Newest: by
    the date in the name, else by ``datePublished``, else the first on the page. GUIDs in the address come
    in either case. HTML comments say nothing.

    Raises:
        ParseError: the page has no such link.
    """
    text = _SCRIPT_OR_COMMENT.sub(lambda found: found[1] or "", page.decode("utf-8-sig", errors="replace"))
    published, error = _details(text, page_url)
    links = [
        FileLink(url, name, _digits_date(digits), published.get(url))
        for url, name, digits in _addresses(text, stem, page_url)
    ]
    if not links:
        raise _no_link(stem, error)
    oldest = date.min
    return max(
        links,
        key=lambda link: (
            _trust(link.url, page_url),
            link.named_on or link.published_on or oldest,
            link.published_on or oldest,
        ),
    )


def _details(text: str, page_url: str) -> tuple[dict[str, date], str | None]:
    """Return when the files of the details form were published, by address, and the page's own error.

    A part that has another shape than the form says nothing: the links decide.
    """
    found = _DETAILS.search(text)
    try:
        details: Any = json.JSONDecoder().raw_decode(text, found.end())[0] if found else {}
    except (ValueError, RecursionError):
        details = {}
    view = details.get("dlcDetailsView")
    holders = [holder for holder in (view, details) if isinstance(holder, dict)]
    files = holders[0].get("downloadFile")
    published = {
        url: day
        for file in (files if isinstance(files, list) else ())
        if isinstance(file, dict)
        and (url := _absolute(file.get("url"), page_url))
        and (day := _us_date(file.get("datePublished")))
    }
    errors = [holder.get("error") for holder in holders]
    return published, next((error for error in errors if isinstance(error, str) and error), None)


def _addresses(text: str, stem: str, page_url: str) -> Iterator[tuple[str, str, str]]:
    """Yield address, name and digits of each link, in the order of the page.

    An address with its host may stand anywhere; a path alone is a link as an ``href`` or ``url`` only:
    elsewhere it is a file's name, as in the details form.
    """
    plain = _JSON_ESCAPE.sub(lambda found: found[1] or chr(int(found[2], 16)), _unescaped(_unescaped(text)))
    file = rf"(?P<name>ServiceTags_{re.escape(stem)}_(?P<digits>\d{{7,8}})\.json)(?![\w%/-]|\.\w)"
    for found in re.finditer(rf"{_BEFORE}(?P<link>{_FOLDERS}{file}{_QUERY})", plain):
        if url := _absolute(found["link"], page_url):
            yield url, found["name"], found["digits"]


def _unescaped(text: str) -> str:
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text)


def _absolute(link: object, page_url: str) -> str | None:
    """Return ``link`` as seen from ``page_url``; None when it is no address of the web."""
    if not isinstance(link, str):
        return None
    try:
        url = urljoin(page_url, link)
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def _trust(url: str, page_url: str) -> tuple[bool, bool]:
    """Say how far a link is to be followed before others, whatever their dates: (right host, right scheme).

    | link                                        | page at          |               |
    |---------------------------------------------|------------------|---------------|
    | https to download.microsoft.com or below it | anywhere         | (True, True)  |
    | https, or as the page itself, to its host   | an operator's    | (True, True)  |
    | http to any of these                        |                  | (True, False) |
    | to another host: the client refuses it      |                  | (False, ...)  |
    """
    link, page = urlsplit(url), urlsplit(page_url)
    host = link.hostname or ""
    own = host == page.hostname != _PAGE_HOST
    served = own or host == _FILE_HOST or host.endswith(f".{_FILE_HOST}")
    return served, link.scheme == "https" or (own and link.scheme == page.scheme)


def _us_date(text: object) -> date | None:
    """``5/4/2026 7:01:02 PM`` -> 2026-05-04."""
    try:
        return datetime.strptime(str(text).split(" ")[0], "%m/%d/%Y").date()  # noqa: DTZ007 (a day, no time)
    except ValueError:
        return None


def _digits_date(digits: str) -> date | None:
    """``20260504`` -> 2026-05-04; the 7 digits of a real page in 2024 are no date."""
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])) if len(digits) == 8 else None
    except ValueError:
        return None


def _no_link(stem: str, error: str | None) -> ParseError:
    wanted = f"ServiceTags_{stem}_<date>.json"
    reasons = [f"no link to {wanted} in any known form: {_FORMS}"]
    if error:
        reasons.append(f"the page says: {error[:200]!r}")
    message = f"the download page names no {wanted}" + (f"; it says {error[:200]!r}" if error else "")
    return ParseError(message, reasons=tuple(reasons), stem=stem)
