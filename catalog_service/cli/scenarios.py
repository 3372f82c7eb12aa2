"""The commands ``scenarios`` and ``conflicts``: what people come to ask, and where upstreams disagree."""

from __future__ import annotations

from collections.abc import Iterator

import click

from catalog_service.api import reads
from catalog_service.catalog.conflicts import Conflict, ConflictKind
from catalog_service.catalog.select import Filter
from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.export import words
from catalog_service.cli.output import print_json, print_table, say, warn_of_lacks, warn_of_missing
from catalog_service.cli.wiring import known_sources, opened_reader
from catalog_service.views import Record, RecordPage, ScenarioView
from schema.words import Cloud

_ALL = 1_000_000
_SHOWN = 3
"""Members that a table shows of a list; --json has them all."""


@command("scenarios")
@click.argument("name", required=False)
@click.option("--region", "regions", multiple=True, help="A geography or an Azure region, however spelled.")
@click.option("--cloud", "clouds", multiple=True, type=words(Cloud), help="May be given again.")
@click.option("--at", metavar="VERSION", help="A number, latest, latest~N, a date or a date-time.")
async def scenarios(
    call: Call, *, name: str | None, regions: tuple[str, ...], clouds: tuple[str, ...], at: str | None
) -> int:
    """List the questions that --scenario takes, or show what NAME finds."""
    if name is None:
        views = reads.scenario_views()
        if call.as_json:
            print_json({"items": views})
        else:
            print_table(("scenario", "question", "answered for", "nothing published for"), map(_scenario_row, views))
        return exits.FINE
    wanted = Filter(
        clouds=tuple(map(Cloud, clouds)), regions=tuple(sorted(set(regions))), scenarios=reads.check_scenarios((name,))
    )
    async with opened_reader(call.settings) as reader:
        reads.check_ready(reader, at)
        page = reads.record_page(await reader.at(at), wanted, "", _ALL)
    if call.as_json:
        print_json(page)
    else:
        _print_found(page)
        warn_of_missing(page.missing)
        warn_of_lacks(page.unresolved, page.unpublished)
    return exits.FINE if page.items else exits.NOT_FOUND


@command("conflicts")
@click.option("--source", "names", multiple=True, help="With a part of this source; may be given again.")
@click.option("--kind", "kinds", multiple=True, type=words(ConflictKind), help="May be given again.")
@click.option("--at", metavar="VERSION", help="A number, latest, latest~N, a date or a date-time.")
async def conflicts(call: Call, *, names: tuple[str, ...], kinds: tuple[str, ...], at: str | None) -> int:
    """Show where sources disagree on a name or on a region's addresses, and names that need a second look."""
    async with opened_reader(call.settings) as reader:
        known = known_sources(call.settings)
        names = reads.check_sources(reader, known, names)
        reads.check_ready(reader, at)
        snapshot = await reader.at(at)
        found = reads.conflicts_at(snapshot, names, tuple(map(ConflictKind, kinds)))
        missing = reads.missing_sources(snapshot, known, Filter())
    if call.as_json:
        print_json(found)
    else:
        columns = ("kind", "subject", "region", "clouds", "source", "says", "only here", "lacks")
        print_table(columns, (row for one in found.items for row in _conflict_rows(one)))
    warn_of_missing(missing)
    if not found.items:
        say(f"no conflict at version {found.version}")
    return exits.FINE


def _scenario_row(view: ScenarioView) -> tuple[object, ...]:
    return view.name, view.question, view.clouds, tuple(one.cloud for one in view.nothing)


def _print_found(page: RecordPage) -> None:
    columns = ("direction", "endpoint set", "source", "region", "cloud", "prefixes", "by way of", "names")
    print_table(columns, map(_record_row, page.items))


def _record_row(record: Record) -> tuple[object, ...]:
    return (
        tuple(dict.fromkeys(use.direction for use in record.scenarios)),
        record.id,
        record.source,
        record.region,
        record.clouds or record.cloud,
        len(record.prefixes) or None,
        tuple(via.tag for via in record.via),
        record.fqdns,
    )


def _conflict_rows(one: Conflict) -> Iterator[tuple[object, ...]]:
    """Yield a row a party; the subject stands in the first."""
    subject: tuple[object, ...] = (one.kind, one.subject, one.region, one.clouds)
    for party in one.parties:
        yield (*subject, party.source, party.says, _shortened(party.only), _shortened(party.lacks))
        subject = (None, None, None, None)


def _shortened(members: tuple[str, ...]) -> tuple[str, ...]:
    more = len(members) - _SHOWN
    return members if more <= 0 else (*members[:_SHOWN], f"and {more} more")
