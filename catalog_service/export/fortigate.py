"""``fortigate-ip`` and ``fortigate-fqdn``: external threat feeds of FortiGate, one entry a line, no comments.

An address feed takes addresses, blocks and ``first-last`` ranges of both families. A domain feed takes simple
wildcards, shown by its makers at the beginning alone: ``*.x``, which there may match ``x`` too. Before FortiOS 7.4.4
a feed over its limit is cut in silence at 131,072 entries or 10 MB; later releases count per device (300,000
addresses, files from 32 MB), for which ``limit=`` is.
"""

from __future__ import annotations

from datetime import date

from catalog_service.export.format import Format, Limit, Wildcards
from catalog_service.export.text import render_text
from schema.words import Kind

_LIMIT = Limit(
    131_072,
    "FortiOS before 7.4.4, per feed",
    "Fortinet community, External threat list resource entry limits (378964)",
    date(2026, 11, 23),
    10_000_000,
)

FORTIGATE_IP = Format(
    "fortigate-ip",
    "text/plain",
    "txt",
    render_text,
    "FortiGate external feed of addresses: IPv4 and IPv6 in one list, no names.",
    kinds=(Kind.PREFIX,),
    ranges=True,
    limit=_LIMIT,
)
FORTIGATE_FQDN = Format(
    "fortigate-fqdn",
    "text/plain",
    "txt",
    render_text,
    "FortiGate external feed of domains: names alone, `*.x` the only wildcard.",
    kinds=(Kind.FQDN,),
    wildcards=Wildcards.LEADING,
    limit=_LIMIT,
)
