"""Commands that read the catalogue: sources, versions, diff, lookup. They ask what REST and GraphQL ask."""

from __future__ import annotations

from datetime import timedelta

import click

from catalog_service.api.reads.asked import check_ready
from catalog_service.api.reads.diffs import diff_between, diff_span
from catalog_service.api.reads.lookups import check_place, looked_up
from catalog_service.api.reads.scenarios import check_scenarios
from catalog_service.api.reads.sources import check_sources, source_views
from catalog_service.api.reads.versions import version_page
from catalog_service.catalog.select import Filter
from catalog_service.cli import exits
from catalog_service.cli.changes import in_words, print_diff
from catalog_service.cli.command import Call, at_option, command, listed, words
from catalog_service.cli.output import print_json, print_table, say, say_clouds, warn_of_lacks, warn_of_missing
from catalog_service.cli.wiring import known_sources, opened_reader
from catalog_service.views.lookups import Lookup
from catalog_service.views.sources import SourceView
from schema.version import Point
from schema.words import Cloud

_MOST_VERSIONS = 1000


@command("sources")
async def sources(call: Call) -> int:
    """Show every source and how it is. Times are UTC."""
    async with opened_reader(call.settings) as reader:
        views = await source_views(reader, known_sources(call.settings))
    if call.as_json:
        print_json({"items": views})
        return exits.FINE
    columns = ("source", "status", "version", "dated", "prefixes", "fqdns", "checked")
    print_table(columns, (_source_row(view) for view in views), stacked=True)
    for view in views:
        behind = "" if view.age_s is None else f", {timedelta(seconds=view.age_s)} behind"
        if problem := view.error or (f"{view.status} as {view.held}" if view.held else None):
            say(f"{view.name}{behind}: {problem}")
        for reason in view.reasons:
            say(f"  - {reason}")
    return exits.FINE


@command("versions")
@click.option("--source", help="Of this source alone.")
@click.option("--limit", type=click.IntRange(1, _MOST_VERSIONS), default=20, show_default=True, help="At most so many.")
@click.option("--cursor", help="Go on after an earlier page: its next.")
async def versions(call: Call, *, source: str | None, limit: int, cursor: str | None) -> int:
    """List versions, the newest first: by number, those of one source by upstream's dates.

    A number says when a version came in; imported history has the newest numbers after an import.
    """
    async with opened_reader(call.settings) as reader:
        if source:
            (source,) = check_sources(reader, known_sources(call.settings), (source,))
        page = await version_page(reader, source, limit, cursor)
    if call.as_json:
        print_json(page)
        return exits.FINE
    columns = ("version", "source", "by", "upstream", "dated", "changes")
    rows = (
        (
            one.version,
            one.source,
            "import" if one.imported else "sync",
            one.upstream_version and one.upstream_version[:12],
            one.upstream_at and f"{one.upstream_at:%Y-%m-%d}",
            in_words(one.summary),
        )
        for one in page.items
    )
    print_table(columns, rows, stacked=True)
    return exits.FINE


@command("diff")
@click.argument("since", metavar="A")
@click.argument("until", metavar="[B]", default="latest")
@click.option("--source", "names", multiple=True, help="Of this source alone; may be given again.")
async def diff(call: Call, *, since: str, until: str, names: tuple[str, ...]) -> int:
    """Show what leads from version A to version B (by default the latest).

    A and B are numbers, latest, latest~N, dates or date-times; 0 is the empty beginning.
    """
    async with opened_reader(call.settings) as reader:
        names = check_sources(reader, known_sources(call.settings), names)
        first, last = await diff_span(reader, since, until)
        view = await diff_between(reader, first, last, names)
    if call.as_json:
        print_json(view)
    else:
        print_diff(_named(first), _named(last), view.summary, view.changes)
        warn_of_missing(view.missing)
    return exits.FINE


@command("lookup")
@click.argument("query", metavar="IP|CIDR|FQDN")
@click.option("--scenario", "scenarios", multiple=True, callback=listed, help="Among what this wants, or several.")
@click.option("--region", "regions", multiple=True, callback=listed, help="Of a scenario; may be given again.")
@click.option("--cloud", "clouds", multiple=True, type=words(Cloud), help="Of a scenario; may be given again.")
@at_option
async def lookup(
    call: Call,
    *,
    query: str,
    scenarios: tuple[str, ...],
    regions: tuple[str, ...],
    clouds: tuple[str, ...],
    at: str | None,
) -> int:
    """Show which endpoint sets hold an address, a block or a name, the most specific first."""
    places = tuple(map(Cloud, clouds))
    wanted = Filter(clouds=places, regions=regions, scenarios=check_scenarios(scenarios))
    check_place(wanted)
    async with opened_reader(call.settings) as reader:
        check_ready(reader, at)
        snapshot = await reader.at(at)
        view = looked_up(snapshot, known_sources(call.settings), query, wanted)
    if call.as_json:
        print_json(view)
    elif view.matches:
        _print_matches(view)
    warn_of_lacks(view)
    say_clouds(view, wanted)
    if not view.matches:
        say(f"no endpoint set holds {view.query} {snapshot.name}")
    return exits.FINE if view.matches else exits.NOT_FOUND


def _named(point: Point) -> str:
    return f"as of {point.as_of:%Y-%m-%d %H:%MZ}" if point.as_of else f"version {point.version}"


def _source_row(view: SourceView) -> tuple[object, ...]:
    counts = view.counts
    sizes = (counts.prefixes, counts.fqdns) if counts else (None, None)
    dated = view.upstream_at and f"{view.upstream_at:%Y-%m-%d}"
    checked = view.checked_at and f"{view.checked_at:%m-%d %H:%M}"
    return (view.name, view.status, view.version, dated, *sizes, checked)


def _print_matches(view: Lookup) -> None:
    columns = ("member", "service", "cloud", "region", "direction", "tcp", "udp", "endpoint set")
    rows = (
        (
            match.prefix or match.fqdn,
            match.service,
            match.clouds or match.cloud,
            match.region,
            match.direction,
            match.tcp_ports,
            match.udp_ports,
            match.id,
        )
        for match in view.matches
    )
    print_table(columns, rows, stacked=True)
