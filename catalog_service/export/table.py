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
from collections.abc import Mapping

from catalog_service.catalog.select import Allowlist
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import Entry, View
from schema.words import Kind

HEADER = ("member", "kind", "ids", "via", "scenarios")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def render_table(snapshot: Snapshot, listed: Allowlist, view: View) -> bytes:
    """Return one row a member of ``listed``, with the ids of the records of ``view`` that hold it, sorted."""
    holders: dict[str, list[Entry]] = {}
    for entry in view.entries:
        for member in (*entry.record.prefixes, *entry.record.fqdns):
            holders.setdefault(member, []).append(entry)
    tags = {via.id: frozenset(snapshot.by_id[via.id].prefixes) for entry in view.entries for via in entry.via}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for kind, members in ((Kind.PREFIX, listed.prefixes), (Kind.FQDN, listed.fqdns)):
        writer.writerows(
            map(_inert, (member, kind.value, *_origins(member, holders[member], tags))) for member in members
        )
    return text.getvalue().encode()


def _origins(member: str, entries: list[Entry], tags: Mapping[str, frozenset[str]]) -> tuple[str, str, str]:
    """Return the ids of ``entries``, of the tags that ``member`` came from, and the scenarios that want them."""
    held = {via.id for entry in entries for via in entry.via if member in tags[via.id]}
    uses = {f"{use.scenario}:{use.direction}" for entry in entries for use in entry.scenarios}
    return " ".join(entry.record.id for entry in entries), " ".join(sorted(held)), " ".join(sorted(uses))


def _inert(cell: str) -> str:
    """Return ``cell`` so that a spreadsheet takes it for text: one that starts like a formula gets an apostrophe."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
