"""The command that shows what people did to the catalogue."""

from __future__ import annotations

import click

from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.output import print_json, print_table, say
from catalog_service.cli.wiring import opened_reader


@command("audit")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many are shown.")
async def audit(call: Call, *, limit: int) -> int:
    """Show who set labels, accepted, rejected, rolled back and pruned, the newest first."""
    async with opened_reader(call.settings) as reader:
        found = await reader.store.audit.newest(limit)
    if call.as_json:
        print_json({"items": found})
    elif found:
        rows = ((one.at, one.who, one.action, one.subject, one.before, one.after) for one in found)
        print_table(("at", "who", "action", "subject", "before", "after"), rows)
    else:
        say("nobody did anything yet")
    return exits.FINE
