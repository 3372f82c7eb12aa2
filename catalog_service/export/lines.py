"""``ndjson``: one line for each member of each record, with what the record says of it.

    {"member":"20.1.2.0/24","kind":"prefix","id":"azure-service-tags-public:LogicApps","source":"azure-service-...

In the order of the members, and for each by id; so a member of three records has three lines.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from catalog_service.catalog.view import Use
from catalog_service.export.format import Content, Format
from catalog_service.export.origins import Holder, credited
from schema.words import Cloud, Direction


class Credit(Struct, frozen=True, omit_defaults=True):
    """What a line says after ``member`` and ``kind``: the record, and how the member came to it."""

    id: str
    source: str
    service: str
    clouds: tuple[Cloud, ...] = ()
    region: str | None = None
    direction: Direction | None = None
    tcp_ports: tuple[str, ...] = ()
    udp_ports: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    """The service tags that the record has it from, where references were resolved."""
    scenarios: tuple[Use, ...] = ()


def render_lines(content: Content) -> bytes:
    """Return a line for each member of each record."""
    # A tag says the same of thousands of members, so it is encoded once; a member's characters need no quoting.
    said: dict[tuple[str, tuple[str, ...]], str] = {}
    lines: list[str] = []
    for member, kind, holders in credited(content):
        head = f'{{"member":"{member}","kind":"{kind}",'
        for holder in holders:
            key = (holder.entry.record.id, holder.via)
            rest = said.get(key) or said.setdefault(key, _said(holder))
            lines.append(f"{head}{rest}\n")
    return "".join(lines).encode()


def _said(holder: Holder) -> str:
    """Return a line's JSON past its first brace."""
    record = holder.entry.record
    credit = Credit(
        record.id,
        record.source,
        record.service,
        record.all_clouds,
        record.region,
        record.direction,
        record.tcp_ports,
        record.udp_ports,
        holder.via,
        holder.entry.scenarios,
    )
    return msgspec.json.encode(credit).decode().removeprefix("{")


NDJSON = Format(
    "ndjson",
    "application/x-ndjson",
    "ndjson",
    render_lines,
    "One JSON object for each prefix or name of each record, with cloud, region, direction and ports.",
)
