"""The command that goes back to an earlier version of one source."""

from __future__ import annotations

import click

from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.output import print_json, say
from catalog_service.cli.person import by_option, person
from catalog_service.cli.wiring import chosen_sources, opened_store, utc_now
from catalog_service.export.diffs.telling import in_words
from catalog_service.reader import Reader
from catalog_service.sync.rollback import rollback as roll_back
from schema.access import COMMAND_LINE
from scrapers.sources import source_named


@command("rollback")
@click.argument("source")
@click.argument("at")
@by_option
async def rollback(call: Call, *, source: str, at: str, who: str | None) -> int:
    """Publish the content that SOURCE had at AT once more, as a new version.

    AT is a number, latest~N, a label, a date or a date-time. What upstream serves now is turned down with it: the
    next sync does not publish it again, `held accept` does.
    """
    name = source_named(chosen_sources(call.settings), source).name
    async with opened_store(call.settings) as store:
        reader = Reader(store)
        await reader.refresh()
        number = await reader.number_of(name, at)
        version = await roll_back(store, name, number, person(who), utc_now, COMMAND_LINE)
    if call.as_json:
        print_json(version)
    elif version:
        say(f"version {version.version}: {name} as at version {version.rolled_back_to}, {in_words(version.summary)}")
    else:
        say("what is served is equal to it already: nothing to publish")
    return exits.FINE
