"""The command ``lookup``: which endpoint sets hold this? One query, or lines on stdin."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable

import click

from catalog_service.api.reads.asked import Sources, check_ready
from catalog_service.api.reads.filters import check_filter
from catalog_service.api.reads.lookups import looked_up, looked_up_all, queries_of
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.cli import exits
from catalog_service.cli.command import Call, at_option, command
from catalog_service.cli.filters import PLACES, SCENARIO, filter_options
from catalog_service.cli.output import print_json, print_table, say, say_clouds, warn_of_lacks
from catalog_service.cli.wiring import known_sources, opened_reader
from catalog_service.views.lookups import MatchView
from schema.errors import BadParameterError

_COLUMNS = ("member", "relation", "service", "cloud", "region", "direction", "tcp", "udp", "endpoint set")
_STDIN = "-"


@command("lookup")
@click.argument("query", metavar="IP|CIDR|FQDN|URL|-")
@filter_options(*PLACES, SCENARIO)
@at_option
async def lookup(call: Call, *, query: str, wanted: Filter, at: str | None) -> int:
    """Show which endpoint sets hold an address, a block, a name or a URL's host, the most specific first.

    With - in place of a query, each line on stdin is one, up to 10,000; blank lines and those that begin with # are
    skipped. A line that cannot be looked up is told on stderr, and the others go on.
    """
    known = known_sources(call.settings)
    async with opened_reader(call.settings) as reader:
        wanted = check_filter(reader, known, wanted)
        check_ready(reader, at)
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
    warn_of_lacks(found)
    say_clouds(found, wanted)
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
