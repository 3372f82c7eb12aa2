"""The download centre: the page that names this week's service-tag file.

In: a page in any of its forms. Out: its newest link to ``ServiceTags_<stem>_<date>.json``. The forms
(sources.md D4): ``window.__DLCDetails__`` (JSON in a script), the older confirmation page
(``downloadData={base_0:{url:..}}``, failover anchors, an entity-escaped meta refresh) and plain
links. Called by `scrapers.service_tags`; the client sees to it that the link is on an allowed host.
"""

from __future__ import annotations

import html
import json
import re
from datetime import date, datetime
from typing import Any

from msgspec import Struct

from schema.errors import ParseError

_DETAILS = re.compile(r"__DLCDetails__\s*=\s*(?=\{)")
_FORMS = "window.__DLCDetails__, downloadData, failover anchors, meta refresh and plain links"


class FileLink(Struct, frozen=True):
    """A link to a service-tag file."""

    url: str
    name: str
    named_on: date | None = None
    """The date in ``name``; None when its 7 or 8 digits are not one."""
    published_on: date | None = None
    """``datePublished`` of the details form."""


def file_link(page: bytes, stem: str) -> FileLink:
    """Return the newest link to a file ``ServiceTags_<stem>_<7 or 8 digits>.json`` on ``page``.

    ``..."downloadFile":[{"url":"https://host/d/ServiceTags_Public_20260504.json","datePublished":"5/4/2026
    7:01:02 PM"}]...`` -> that address, its name, 2026-05-04 twice. Newest: by the date in the name, else
    by ``datePublished``, else the first on the page. GUIDs in the address come in either case.

    Raises:
        ParseError: the page has no such link.
    """
    text = page.decode("utf-8-sig", errors="replace")
    published, error = _details(text)
    plain = html.unescape(html.unescape(text)).replace("\\/", "/").replace("\\u002F", "/")
    pattern = re.compile(rf"https?://[^\s\"'<>\\(){{}}]+/(ServiceTags_{re.escape(stem)}_(\d{{7,8}})\.json)\b")
    links = [
        FileLink(found[0], found[1], _digits_date(found[2]), published.get(found[0]))
        for found in pattern.finditer(plain)
    ]
    if not links:
        raise _no_link(stem, error)
    oldest = date.min
    return max(links, key=lambda link: (link.named_on or link.published_on or oldest, link.published_on or oldest))


def _details(text: str) -> tuple[dict[str, date], str | None]:
    """Return when the files of the details form were published, by address, and the page's own error."""
    found = _DETAILS.search(text)
    try:
        details: Any = json.JSONDecoder().raw_decode(text, found.end())[0] if found else {}
    except ValueError:
        details = {}
    view = details.get("dlcDetailsView") or {}
    files = view.get("downloadFile") if isinstance(view, dict) else None
    errors = [holder.get("error") for holder in (view, details) if isinstance(holder, dict)]
    published = {
        file["url"]: day
        for file in files or ()
        if isinstance(file, dict) and isinstance(file.get("url"), str) and (day := _us_date(file.get("datePublished")))
    }
    return published, next((error for error in errors if isinstance(error, str) and error), None)


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
