"""What a receiver says, without what it repeats of an address, a header or a code: people read the log of deliveries.

In: an answer or an error, and what it may repeat. Out: the same with ``...`` in place of each. Called by `sender`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from catalog_service.subscriptions.vault import Opened
from schema.subscription import Channel

_LEAST = 6
"""Shorter parts are no secrets, and stand in too many words."""


def without_secrets(text: str, channel: Channel, opened: Opened, code: str) -> str:
    """Return ``text`` without ``code``, values of headers, and what of the address `shown_url` leaves out."""
    if not text:  # as most receivers answer
        return text
    parts = {code, *_of_headers(opened), *_of_address(channel, opened.url), *_of_address(channel, unquote(opened.url))}
    for part in sorted(parts, key=len, reverse=True):  # the whole before its parts
        if len(part) >= _LEAST:
            text = text.replace(part, "...")
    return text


def _of_headers(opened: Opened) -> Iterator[str]:
    for _, value in opened.headers:
        yield value
        yield from value.split()


def _of_address(channel: Channel, url: str) -> Iterator[str]:
    """Yield what may be secret, the whole and its parts. What apprise says never holds any of its address."""
    if channel is Channel.EMAIL:
        yield from url.removeprefix("mailto:").split(",")
    elif channel is Channel.WEBHOOK:
        for pair in urlsplit(url).query.split("&"):
            name, equals, value = pair.partition("=")
            yield value if equals else name
    elif channel is not Channel.APPRISE:
        parts = urlsplit(url)
        yield parts.path.strip("/")
        yield from re.split(r"[/?&=]+", f"{parts.path}?{parts.query}")
