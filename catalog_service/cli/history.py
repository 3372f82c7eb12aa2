"""The command ``history``: when was this listed, by whom, when did it leave and return?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import click

from catalog_service.api.reads.biographies import biography
from catalog_service.api.reads.sources import check_sources
from catalog_service.cli import exits
from catalog_service.cli.command import Call, command, listed
from catalog_service.cli.output import print_json, print_table, say, warn_of_missing
from catalog_service.cli.wiring import known_sources, opened_reader
from catalog_service.export.diffs.telling import members_in_words
from catalog_service.views.biographies import Biography, Event, Life, ThatDay
from catalog_service.views.diffs import ChangeView


@command("history")
@click.argument("query", metavar="IP|CIDR|FQDN|URL|ID")
@click.option("--on", metavar="DATE", help="Tell whether it was listed then: a date or a date-time (UTC).")
@click.option("--source", "sources", multiple=True, callback=listed, help="Of this source alone; may be given again.")
async def history(call: Call, *, query: str, on: str | None, sources: tuple[str, ...]) -> int:
    """Show when an address, a block, a name or an endpoint set was listed, and every change. Times are UTC.

    Imported history and live versions stand in one order, by upstream's time. With --on, exit code 5 says that it was
    not listed then; without, that it never was.
    """
    known = known_sources(call.settings)
    async with opened_reader(call.settings) as reader:
        view = await biography(reader, known, query, check_sources(reader, known, sources), on)
    if call.as_json:
        print_json(view)
    else:
        _print(view)
    warn_of_missing(view.missing)
    for line in _sentences(view):
        say(line)
    listed_ = view.on.listed if view.on else bool(view.lives)
    return exits.FINE if listed_ else exits.NOT_FOUND


def _print(view: Biography) -> None:
    if view.on:
        _print_day(view.on)
    elif view.events:
        columns = ("at", "version", "what", "member", "endpoint set", "changed")
        print_table(columns, map(_row, view.events), stacked=True)


def _print_day(day: ThatDay) -> None:
    if day.by:
        rows = ((one.version, one.member, one.relation, one.id) for one in day.by)
        print_table(("version", "member", "relation", "endpoint set"), rows, stacked=True)


def _row(event: Event) -> tuple[object, ...]:
    what = f"{event.deed}, or before" if event.or_before else event.deed
    changed = _changed(event.change) if event.change else None
    return (_day(event.at), event.version, what, event.member, event.id, changed)


def _changed(change: ChangeView) -> str:
    return ", ".join(filter(None, (members_in_words(change), *(one.name for one in change.attributes))))


def _sentences(view: Biography) -> Iterator[str]:
    if view.on:
        when, unknown = f"{view.on.at:%Y-%m-%d %H:%MZ}", view.on.unknown
        yield f"{view.query} was {'' if view.on.listed else 'not '}listed at {when}"
        if unknown:
            yield f"warning: nothing is known of that time of {', '.join(unknown)}"
        return
    if not view.lives:
        yield f"{view.query} was never listed since {_day(min(one.since for one in view.known))}"
    for life in view.lives:
        yield _life(life)


def _life(life: Life) -> str:
    spans = (f"{_day(one.from_)} to {_day(one.until) if one.until else 'now'}" for one in life.periods)
    now = "listed now" if life.listed else "not listed now"
    return f"{life.name} ({life.relation}): {', '.join(spans)}; {now}, by {', '.join(life.sources)}"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%MZ}" if at.hour or at.minute else f"{at:%Y-%m-%d}"
