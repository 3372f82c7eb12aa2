"""``csv``: which member comes from which records (RFC 4180, LF).

    member,kind,ids
    13.66.60.119/32,prefix,azure-service-tags-public:AzureConnectors azure-service-tags-public:AzureCloud

Ids hold no white space, so a space separates them.
"""

from __future__ import annotations

import csv
import io

from catalog_service.catalog.select import Allowlist
from schema.endpoint_set import EndpointSet
from schema.words import Kind

HEADER = ("member", "kind", "ids")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def render_table(_version: int, listed: Allowlist, records: tuple[EndpointSet, ...]) -> bytes:
    """Return one row a member of ``listed``, with the ids of the ``records`` that hold it, sorted."""
    ids: dict[str, list[str]] = {}
    for record in records:
        for member in (*record.prefixes, *record.fqdns):
            ids.setdefault(member, []).append(record.id)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for kind, members in ((Kind.PREFIX, listed.prefixes), (Kind.FQDN, listed.fqdns)):
        writer.writerows((_inert(member), kind.value, _inert(" ".join(ids[member]))) for member in members)
    return text.getvalue().encode()


def _inert(cell: str) -> str:
    """Return ``cell`` so that a spreadsheet takes it for text: one that starts like a formula gets an apostrophe."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
