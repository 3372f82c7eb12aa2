"""The command ``lookup``: which endpoint sets hold this? One query, or lines on stdin."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable

import click
from msgspec.structs import replace

from catalog_service.api.reads.asked import Sources, check_ready
from catalog_service.api.reads.lookups import looked_up, looked_up_all, queries_of
from catalog_service.api.reads.scenarios import check_scenarios
from catalog_service.api.reads.sources import check_sources
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import View
from catalog_service.cli import exits
from catalog_service.cli.command import Call, at_option, command, listed, words
from catalog_service.cli.output import print_json, print_table, say, say_clouds, warn_of_lacks
from catalog_service.cli.wiring import known_sources, opened_reader
from catalog_service.views.lookups import MatchView
from schema.errors import BadParameterError
from schema.words import Cloud, Direction

_COLUMNS = ("member", "relation", "service", "cloud", "region", "direction", "tcp", "udp", "endpoint set")
_STDIN = "-"


@command("lookup")
@click.argument("query", metavar="IP|CIDR|FQDN|URL|-")
@click.option("--source", "sources", multiple=True, callback=listed, help="Of this source alone; may be given again.")
@click.option("--service", "services", multiple=True, help="A service or a full tag name; may be given again.")
@click.option("--scenario", "scenarios", multiple=True, callback=listed, help="Among what this wants, or several.")
@click.option("--region", "regions", multiple=True, callback=listed, help="May be given again, or a list with commas.")
@click.option("--cloud", "clouds", multiple=True, type=words(Cloud), help="May be given again.")
@click.option("--direction", "directions", multiple=True, type=words(Direction), help="May be given again.")
@at_option
async def lookup(
    call: Call,
    *,
    query: str,
    sources: tuple[str, ...],
    services: tuple[str, ...],
    scenarios: tuple[str, ...],
    regions: tuple[str, ...],
    clouds: tuple[str, ...],
    directions: tuple[str, ...],
    at: str | None,
) -> int:
    """Show which endpoint sets hold an address, a block, a name or a URL's host, the most specific first.

    With - in place of a query, each line on stdin is one, up to 10,000; blank lines and those that begin with # are
    skipped. A line that cannot be looked up is told on stderr, and the others go on.
    """
    wanted = Filter(
        services=services,
        clouds=tuple(map(Cloud, clouds)),
        regions=regions,
        directions=tuple(map(Direction, directions)),
        scenarios=check_scenarios(scenarios),
    )
    known = known_sources(call.settings)
    async with opened_reader(call.settings) as reader:
        check_ready(reader, at)
        wanted = replace(wanted, sources=check_sources(reader, known, sources))
        snapshot = await reader.at(at)
        if query == _STDIN:
            return await _bulk(call, snapshot, known, wanted)
        view = looked_up(snapshot, known, query, wanted)
    if call.as_json:
        print_json(view)
    elif view.matches:
        print_table(_COLUMNS, map(_row, view.matches), stacked=True)
    warn_of_lacks(view)
    say_clouds(view, wanted)
    if not view.matches:
        say(f"no endpoint set holds {view.looked_up or view.query} {snapshot.name}")
    return exits.FINE if view.matches else exits.NOT_FOUND


async def _bulk(call: Call, snapshot: Snapshot, known: Sources, wanted: Filter) -> int:
    queries = queries_of(await asyncio.to_thread(_stdin))
    found = looked_up_all(snapshot, known, queries, wanted)
    rows = [(item.query, match) for item in found.items for match in item.matches or ()]
    if call.as_json:
        print_json(found)
    elif rows:
        print_table(("query", *_COLUMNS), ((query, *_row(match)) for query, match in rows), stacked=True)
    lacks = View((), found.clouds, found.unresolved, found.unpublished, found.notes, found.missing)
    warn_of_lacks(lacks)
    say_clouds(lacks, wanted)
    _say_lines(item.error for item in found.items if item.error)
    _say_lines(f"no endpoint set holds {item.query} {snapshot.name}" for item in found.items if item.matches == ())
    return exits.FINE if rows else exits.NOT_FOUND


def _stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise BadParameterError(f"the lines on stdin cannot be read: {error}", parameter="query") from None


def _say_lines(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        say(sentence)


def _row(match: MatchView) -> tuple[object, ...]:
    return (
        match.prefix or match.fqdn,
        match.relation,
        match.service,
        match.clouds or match.cloud,
        match.region,
        match.direction,
        match.tcp_ports,
        match.udp_ports,
        match.id,
    )
