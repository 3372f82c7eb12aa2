"""``csv``: one row a member or attribute that changed (RFC 4180, LF).

    source,service,id,cloud,region,direction,disposition,impact,significance,field,previous,current
    a-source,Storage,a-source:Storage.WestUS,public,westus,,Change,AddedIp,material,prefix,,20.60.0.0/16
    a-source,Storage,a-source:Storage.WestUS,public,westus,,Change,AddedIp,material,change_number,7,8

A member that was added stands under ``current``, one that was removed under ``previous``. Several clouds are separated
by spaces. A record added or removed that has nothing to list has one row without a field.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from catalog_service.export.diffs.telling import value_text
from catalog_service.export.table import inert
from catalog_service.views.diffs import Diff, DiffEntry
from schema.words import Kind

HEADER = (
    *("source", "service", "id", "cloud", "region", "direction"),
    *("disposition", "impact", "significance", "field", "previous", "current"),
)


def render_table(diff: Diff) -> bytes:
    """Return one row a member or attribute, in the order of the changes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for entry in diff.changes:
        shared = _shared(entry)
        rows = list(_rows(entry)) or [("", "", "")]
        writer.writerows(tuple(map(inert, (*shared, *row))) for row in rows)
    return text.getvalue().encode()


def _shared(entry: DiffEntry) -> tuple[str, ...]:
    clouds = " ".join(entry.clouds or ((entry.cloud,) if entry.cloud else ()))
    place = (clouds, entry.region or "", entry.direction or "")
    return (entry.source, entry.service, entry.id, *place, entry.disposition, entry.impact, entry.significance)


def _rows(entry: DiffEntry) -> Iterator[tuple[str, str, str]]:
    """Yield the field, its previous and its current value."""
    for kind, added, removed in (
        (Kind.PREFIX, entry.prefixes_added, entry.prefixes_removed),
        (Kind.FQDN, entry.fqdns_added, entry.fqdns_removed),
    ):
        yield from ((kind.value, "", member) for member in added)
        yield from ((kind.value, member, "") for member in removed)
    for one in entry.attributes:
        yield one.name, value_text(one.previous), value_text(one.current)
