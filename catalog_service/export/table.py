"""``csv``: which member comes from which records (RFC 4180, LF).

    member,kind,ids,via,scenarios
    13.66.60.119/32,prefix,azure-service-tags-public:AzureConnectors azure-service-tags-public:AzureCloud,,
    20.1.2.0/24,prefix,a-page:http-actions:LogicApps,azure-service-tags-public:LogicApps,http-actions:inbound

``ids`` are the records that hold it, ``via`` the service tags it came from, ``scenarios`` those that want the records,
with the direction. Ids and names hold no white space, so a space separates them.
"""

from __future__ import annotations

import csv
import io

from catalog_service.export.format import Content, Format
from catalog_service.export.origins import Holder, credited

HEADER = ("member", "kind", "ids", "via", "scenarios")
_FORMULA_STARTS = frozenset("=+-@\t\r")


def render_table(content: Content) -> bytes:
    """Return one row a member, with the ids of the records that hold it, sorted."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(
        map(inert, (member, kind.value, *_origins(holders))) for member, kind, holders in credited(content)
    )
    return text.getvalue().encode()


def _origins(holders: tuple[Holder, ...]) -> tuple[str, str, str]:
    """Return the ids of the records, of the tags that the member came from, and the scenarios that want them."""
    ids = " ".join([holder.entry.record.id for holder in holders])
    if not any(holder.entry.via or holder.entry.scenarios for holder in holders):
        return ids, "", ""
    via = {id_ for holder in holders for id_ in holder.via}
    uses = {f"{use.scenario}:{use.direction}" for holder in holders for use in holder.entry.scenarios}
    return ids, " ".join(sorted(via)), " ".join(sorted(uses))


def inert(cell: str) -> str:
    """Return ``cell`` so that a spreadsheet takes it for text: one that starts like a formula gets an apostrophe."""
    return f"'{cell}" if cell[:1] in _FORMULA_STARTS else cell


CSV = Format(
    "csv", "text/csv", "csv", render_table, "One row a prefix or name, with the records and service tags it comes from."
)
