"""Commands about held versions: what the guard refused, for a person to accept or reject."""

from __future__ import annotations

import click

from catalog_service.api.reads.held import held_view
from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.diffs import print_diff
from catalog_service.cli.output import print_items, print_json, print_table, say
from catalog_service.cli.person import by_option, person
from catalog_service.cli.wiring import opened_reader, opened_store, utc_now
from catalog_service.export.diffs.telling import in_words
from catalog_service.sync.held import accept, reject
from schema.access import COMMAND_LINE
from schema.version import HeldVersion


@click.group("held")
def held() -> None:
    """Versions that wait for a person; the last good version of their source goes on being served."""


@command("list")
async def list_(call: Call) -> int:
    """List held versions, the oldest first."""
    async with opened_reader(call.settings) as reader:
        found = await reader.store.sources.held()
    columns = ("id", "source", "held", "rejected", "changes", "reasons")
    print_items(found, columns, _row, "nothing is held", as_json=call.as_json)
    return exits.FINE


@command("show")
@click.argument("id_", metavar="ID")
async def show(call: Call, *, id_: str) -> int:
    """Show why a version is held, and what accepting it would change now."""
    async with opened_reader(call.settings) as reader:
        view = await held_view(reader, id_)
    if call.as_json:
        print_json(view)
        return exits.FINE
    one = view.held
    print_table((f"{one.source} is held because",), ((reason,) for reason in one.reasons))
    print_diff(f"{one.source} as served", f"held version {one.id}", one.summary, view.changes)
    return exits.FINE


@command("accept")
@click.argument("id_", metavar="ID")
@by_option
async def accept_(call: Call, *, id_: str, who: str | None) -> int:
    """Publish a held version."""
    async with opened_store(call.settings) as store:
        version = await accept(store, id_, person(who), utc_now, COMMAND_LINE)
    if call.as_json:
        print_json(version)
    elif version:
        say(f"version {version.version}: {version.source}, {in_words(version.summary)}")
    else:
        say("what is served is equal to it already: nothing to publish")
    return exits.FINE


@command("reject")
@click.argument("id_", metavar="ID")
@by_option
async def reject_(call: Call, *, id_: str, who: str | None) -> int:
    """Turn a held version down: nobody is asked about the same content again. It can still be accepted."""
    async with opened_store(call.settings) as store:
        rejected = await reject(store, id_, person(who), utc_now, COMMAND_LINE)
    if call.as_json:
        print_json(rejected)
    else:
        say(f"rejected {rejected.id} of {rejected.source}")
    return exits.FINE


def _row(one: HeldVersion) -> tuple[object, ...]:
    return one.id, one.source, one.held_at, one.rejected_at, in_words(one.summary), "; ".join(one.reasons)


for _command in (list_, show, accept_, reject_):
    held.add_command(_command)
