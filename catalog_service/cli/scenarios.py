"""The commands ``scenarios`` and ``conflicts``: what people come to ask, and where upstreams disagree."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from itertools import groupby

import click
from msgspec.structs import replace

from catalog_service.api.reads.asked import check_ready
from catalog_service.api.reads.conflicts import conflicts_at
from catalog_service.api.reads.records import record_page
from catalog_service.api.reads.scenarios import check_scenarios, scenario_views
from catalog_service.api.reads.sources import check_sources
from catalog_service.catalog.conflict import Conflict, ConflictKind
from catalog_service.catalog.select import Filter
from catalog_service.cli import exits
from catalog_service.cli.command import Call, at_option, command, words
from catalog_service.cli.filters import CLOUD, REGION, filter_options
from catalog_service.cli.output import print_json, print_table, say, say_clouds, warn_of_lacks, warn_of_missing
from catalog_service.cli.wiring import known_sources, opened_reader
from catalog_service.views.records import Record
from catalog_service.views.scenarios import ScenarioView

_ALL = 1_000_000
_SHOWN = 3
"""Prefixes that a table shows of a list; --json has them all."""
_FOUND = ("direction", "region", "cloud", "names and addresses", "endpoint set (by way of)")


@command("scenarios")
@click.argument("name", required=False)
@filter_options(REGION, CLOUD)
@at_option
async def scenarios(call: Call, *, name: str | None, wanted: Filter, at: str | None) -> int:
    """List the questions that --scenario takes, or show what NAME finds.

    What it lacks is told beside it; an export of it would be refused where a service tag has no prefixes here.
    """
    if name is None:
        if wanted != Filter() or at:
            raise click.UsageError("--region, --cloud and --at go with the NAME of a scenario")
        views = scenario_views()
        if call.as_json:
            print_json({"items": views})
        else:
            print_table(("scenario", "question", "answered for", "nothing published for"), map(_scenario_row, views))
        return exits.FINE
    wanted = replace(wanted, scenarios=check_scenarios((name,)))
    async with opened_reader(call.settings) as reader:
        check_ready(reader, at)
        page = record_page(await reader.at(at), known_sources(call.settings), wanted, "", _ALL)
    if call.as_json:
        print_json(page)
    else:
        if page.items:
            print_table(_FOUND, map(_record_row, page.items), stacked=True)
        warn_of_lacks(page)
        say_clouds(page, wanted)
        if page.items:
            say(f"the whole list: {_export_of(wanted, at)}")
    return exits.FINE if page.items else exits.NOT_FOUND


@command("conflicts")
@click.option("--source", "names", multiple=True, help="With a part of this source; may be given again.")
@click.option("--kind", "kinds", multiple=True, type=words(ConflictKind), help="May be given again.")
@at_option
async def conflicts(call: Call, *, names: tuple[str, ...], kinds: tuple[str, ...], at: str | None) -> int:
    """Show where sources disagree on a name or on a region's addresses, and names that need a second look."""
    async with opened_reader(call.settings) as reader:
        known = known_sources(call.settings)
        names = check_sources(reader, known, names)
        check_ready(reader, at)
        snapshot = await reader.at(at)
        found = conflicts_at(snapshot, known, names, tuple(map(ConflictKind, kinds)))
    if call.as_json:
        print_json(found)
    else:
        columns = ("kind", "subject", "where", "says", "only here", "lacks", "source")
        for _, several in groupby(found.items, key=lambda one: one.kind):
            print_table(columns, (row for one in several for row in _conflict_rows(one)), stacked=True)
    warn_of_missing(found.missing)
    if not found.items:
        say(f"no conflict at version {found.version}")
    return exits.FINE


def _scenario_row(view: ScenarioView) -> tuple[object, ...]:
    return view.name, view.question, view.clouds, tuple(one.cloud for one in view.nothing)


def _record_row(record: Record) -> tuple[object, ...]:
    """Return what a person needs of a record; its id is last, as it may be folded, and holds the source."""
    via = ", ".join(via.tag for via in record.via)
    return (
        tuple(dict.fromkeys(use.direction for use in record.scenarios)),
        record.region,
        record.clouds or record.cloud,
        (*record.fqdns, *_shortened(record.prefixes)),
        f"{record.id} ({via})" if via else record.id,
    )


def _export_of(wanted: Filter, at: str | None) -> str:
    """Return the command that writes what is shown."""
    given = [("--scenario", wanted.scenarios), ("--cloud", wanted.clouds), ("--region", wanted.regions)]
    flags = [word for flag, values in given for value in values for word in (flag, str(value))]
    return shlex.join(["catalog-service", "export", *flags, *(("--at", at) if at else ())])


def _conflict_rows(one: Conflict) -> Iterator[tuple[object, ...]]:
    """Yield a row a party; the subject stands in the first."""
    where = (*((one.region,) if one.region else ()), *one.clouds)
    subject: tuple[object, ...] = (one.kind, one.subject, where)
    for party in one.parties:
        yield (*subject, party.says, _shortened(party.only), _shortened(party.lacks), party.source)
        subject = (None, None, None)


def _shortened(members: tuple[str, ...]) -> tuple[str, ...]:
    more = len(members) - _SHOWN
    return members if more <= 0 else (*members[:_SHOWN], f"and {more} more")
