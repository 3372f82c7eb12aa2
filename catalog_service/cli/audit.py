"""The command that shows what people did to the catalogue."""

from __future__ import annotations

import click
from msgspec import Struct

from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.output import print_items, print_json, say
from catalog_service.cli.wiring import opened_reader
from catalog_service.store.audit import AuditFilter
from schema.version import AuditEntry


class Checked(Struct, frozen=True):
    """What ``--check`` answers with ``--json``."""

    chained_count: int
    newest: str
    """The newest hash of the chain; empty where there is none."""


@command("audit")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many are shown.")
@click.option("--action", help="Of this action alone, such as token-create.")
@click.option("--who", help="Of this person, or token's name, alone.")
@click.option("--subject", help="About this alone: a source, a name, an id.")
@click.option("--check", is_flag=True, help="Tell whether an entry was changed or taken out: each has a hash over it.")
async def audit(
    call: Call, *, limit: int, action: str | None, who: str | None, subject: str | None, check: bool
) -> int:
    """Show what people did: synced, published, judged, labelled, subscribed and more; the newest first.

    --check prints the newest hash of the chain, to be noted elsewhere: who can write to Redis could make all of it
    anew, but not so that it ends in, or has, the hash that was noted.
    """
    async with opened_reader(call.settings) as reader:
        if check:
            return _checked(call, *await reader.store.audit.checked())
        found = await reader.store.audit.newest(limit, wanted=AuditFilter(action, who, subject))
    columns = ("at", "who", "token", "action", "subject", "before", "after")
    print_items(found, columns, _row, "nobody did anything yet", as_json=call.as_json)
    return exits.FINE


def _checked(call: Call, chained_count: int, newest: str) -> int:
    if call.as_json:
        print_json(Checked(chained_count, newest))
    else:
        say(f"entries that follow from one another: {chained_count}; the newest hash: {newest or 'none'}")
    return exits.FINE


def _row(one: AuditEntry) -> tuple[object, ...]:
    return one.at, one.who, one.token, one.action, one.subject, one.before, one.after
