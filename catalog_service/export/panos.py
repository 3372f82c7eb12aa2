"""``panos-ip`` and ``panos-url``: external dynamic lists of PAN-OS, one entry a line.

A firewall takes an address, a block or a ``first-last`` range as one entry of an IP list; anything after a space is a
comment, and a line of comment is an error, so there are none. In a URL list a name ends in ``/``, else ``x.example``
would also match ``x.example.evil.test``; a ``*`` is a whole token between separators and stands for one or more of
them. ``*.x`` does not match ``x``, here as there: ``x`` is in the list where upstream names it and is never added. No
host name with its ``/`` is over the 255 characters that an entry may have.
"""

from __future__ import annotations

from datetime import date

from catalog_service.export.format import Content, Format, Limit, Wildcards
from catalog_service.export.text import render_text
from schema.words import Kind

_CHECKED_ON = date(2026, 11, 23)
_SOURCE = "PAN-OS web interface help, Objects > External Dynamic Lists; of all lists of a firewall together"


def render_urls(content: Content) -> bytes:
    """Return the names, one a line, each with a final ``/``."""
    return "".join(f"{fqdn}/\n" for fqdn in content.listed.fqdns).encode()


PANOS_IP = Format(
    "panos-ip",
    "text/plain",
    "txt",
    render_text,
    "PAN-OS external dynamic list of type IP: IPv4 and IPv6 in one list, no names.",
    kinds=(Kind.PREFIX,),
    ranges=True,
    limit=Limit(50_000, "all but the largest models, which take 150,000", _SOURCE, _CHECKED_ON),
)
PANOS_URL = Format(
    "panos-url",
    "text/plain",
    "txt",
    render_urls,
    "PAN-OS external dynamic list of type URL: names alone, each with a final `/`; `*.x` does not cover `x`.",
    kinds=(Kind.FQDN,),
    wildcards=Wildcards.LABELS,
    limit=Limit(50_000, "the smaller models", _SOURCE, _CHECKED_ON),
)
