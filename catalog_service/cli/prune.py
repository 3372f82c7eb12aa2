"""The command that drops the contents of old versions."""

from __future__ import annotations

import click

from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.output import print_json, say
from catalog_service.cli.person import by_option, person
from catalog_service.cli.wiring import opened_store, utc_now
from schema.access import COMMAND_LINE
from schema.errors import BadParameterError
from schema.version import AuditEntry


@command("prune")
@click.option(
    "--keep", type=click.IntRange(min=1), help="How many live versions are kept. [env: CATALOG_VERSIONS_KEPT]"
)
@click.option("--dry-run", is_flag=True, help="Tell what would be dropped, and drop nothing.")
@by_option
async def prune(call: Call, *, keep: int | None, dry_run: bool, who: str | None) -> int:
    """Drop the content of old versions, for good. Labelled versions and imported history stay."""
    most = keep or call.settings.versions_kept
    if not most:
        message = "say how many versions are kept: --keep N or CATALOG_VERSIONS_KEPT; 0 keeps all of them"
        raise BadParameterError(message, parameter="keep")
    entry = AuditEntry(utc_now(), person(who), "prune", "versions", "", "", COMMAND_LINE)
    async with opened_store(call.settings) as store:
        pruned = await store.retention.prune(most, dry_run=dry_run, audit=entry)
    if call.as_json:
        print_json(pruned)
        return exits.FINE
    say(f"{'would drop' if dry_run else 'dropped'} the content of {len(pruned.dropped)} versions")
    if pruned.floor:
        say(f"kept: version {pruned.floor} and all after it")
    if pruned.labelled:
        say(f"kept for their labels: {', '.join(map(str, pruned.labelled))}")
    return exits.FINE
