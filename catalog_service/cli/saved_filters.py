"""Commands about filters with names, that subscriptions, streams and feeds use."""

from __future__ import annotations

import click
import msgspec

from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.desk import name_argument, opened_desk
from catalog_service.cli.output import print_items, print_json, print_table, say
from catalog_service.cli.person import by_option, person
from catalog_service.cli.subscription_options import event_filter_options
from catalog_service.cli.wiring import opened_store
from catalog_service.subscriptions.wanted import NewFilter, WantedFilter
from schema.subscription import EventFilter, SavedFilter

_NAME = name_argument("name", "NAME")


@click.group("filter")
def filter_() -> None:
    """Filters with names: --filter of a subscription takes them, and filter= of streams and feeds."""


@command("set")
@_NAME
@event_filter_options
@click.option("--description", default="", help="For people.")
@by_option
async def set_(call: Call, *, name: str, wanted: WantedFilter | None, description: str, who: str | None) -> int:
    """Save a filter, in place of one with its name; what uses it goes by the new one from then on."""
    async with opened_desk(call) as desk:
        saved = await desk.save_filter(name, NewFilter(wanted or WantedFilter(), description), person(who))
    if call.as_json:
        print_json(saved)
    else:
        say(f"{saved.name} keeps {filter_in_words(saved.filter)}")
    return exits.FINE


@command("list")
async def list_(call: Call) -> int:
    """List the saved filters by name."""
    async with opened_store(call.settings) as store:
        found = await store.saved_filters.all()
    columns = ("filter", "keeps", "set", "by", "description")
    print_items(found, columns, _row, "there are no saved filters", as_json=call.as_json)
    return exits.FINE


@command("show")
@_NAME
async def show(call: Call, *, name: str) -> int:
    """Show a saved filter."""
    async with opened_store(call.settings) as store:
        one = await store.saved_filters.get(name.strip().lower())
    if call.as_json:
        print_json(one)
    else:
        rows = (("keeps", filter_in_words(one.filter)), ("description", one.description), ("set", one.set_at))
        print_table(("filter", one.name), (*rows, ("by", one.set_by)))
    return exits.FINE


@command("delete")
@_NAME
@by_option
async def delete(call: Call, *, name: str, who: str | None) -> int:
    """Delete a saved filter that no subscription uses."""
    async with opened_desk(call) as desk:
        gone = await desk.delete_filter(name, person(who))
    if call.as_json:
        print_json(gone)
    else:
        say(f"deleted {gone.name}, which kept {filter_in_words(gone.filter)}")
    return exits.FINE


def filter_in_words(kept: EventFilter) -> str:
    """Return what ``kept`` asks for, such as ``types source.degraded; regions westeurope``."""
    told: dict[str, object] = msgspec.to_builtins(kept)
    return "; ".join(_in_words(name, value) for name, value in told.items()) or "every version"


def _in_words(name: str, value: object) -> str:
    if value is True:
        return name
    return f"{name.replace('_', ' ')} {', '.join(value) if isinstance(value, list | tuple) else value}"


def _row(one: SavedFilter) -> tuple[object, ...]:
    return one.name, filter_in_words(one.filter), one.set_at, one.set_by, one.description


for _command in (set_, list_, show, delete):
    filter_.add_command(_command)
