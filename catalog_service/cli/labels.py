"""Commands about labels: names for versions that a person sets, moves and deletes."""

from __future__ import annotations

import click

from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.output import print_items, print_json, say
from catalog_service.cli.person import by_option, person
from catalog_service.cli.wiring import opened_reader, opened_store, utc_now
from catalog_service.reader import Reader
from schema.access import COMMAND_LINE
from schema.version import Label


@click.group("label")
def label() -> None:
    """Names for versions, such as prod: --at takes them, and pruning keeps what they name."""


@command("list")
async def list_(call: Call) -> int:
    """List the labels by name."""
    async with opened_reader(call.settings) as reader:
        found = await reader.store.labels.all()
    columns = ("label", "version", "set", "by")
    print_items(found, columns, _row, "there are no labels", as_json=call.as_json)
    return exits.FINE


@command("set")
@click.argument("name")
@click.argument("at")
@by_option
async def set_(call: Call, *, name: str, at: str, who: str | None) -> int:
    """Give a version a label, or move the label there. AT is a number, latest, latest~N or another label."""
    async with opened_store(call.settings) as store:
        reader = Reader(store)
        await reader.refresh()
        made = await store.labels.set(name, await reader.number(at), person(who), utc_now(), COMMAND_LINE)
    if call.as_json:
        print_json(made)
    else:
        say(f"{made.name} is version {made.version}")
    return exits.FINE


@command("delete")
@click.argument("name")
@by_option
async def delete(call: Call, *, name: str, who: str | None) -> int:
    """Delete a label. The version stays, unless pruning drops it."""
    async with opened_store(call.settings) as store:
        gone = await store.labels.delete(name, person(who), utc_now(), COMMAND_LINE)
    if call.as_json:
        print_json(gone)
    else:
        say(f"deleted {gone.name}, which was version {gone.version}")
    return exits.FINE


def _row(one: Label) -> tuple[object, ...]:
    return one.name, one.version, one.set_at, one.set_by


for _command in (list_, set_, delete):
    label.add_command(_command)
