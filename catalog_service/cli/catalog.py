"""Commands that list: sources, versions. They ask what REST and GraphQL ask."""

from __future__ import annotations

from datetime import timedelta

import click

from catalog_service.api.reads.sources import check_source, source_views
from catalog_service.api.reads.versions import version_page
from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.output import print_json, print_table, say
from catalog_service.cli.wiring import known_sources, opened_reader
from catalog_service.export.diffs.telling import in_words
from catalog_service.views.sources import SourceView

_MOST_VERSIONS = 1000


@command("sources")
async def sources(call: Call) -> int:
    """Show every source and how it is. Times are UTC."""
    async with opened_reader(call.settings) as reader:
        views = await source_views(reader, known_sources(call.settings))
    if call.as_json:
        print_json({"items": views})
        return exits.FINE
    columns = ("source", "status", "version", "dated", "prefixes", "fqdns", "fresh", "checked")
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
            source = check_source(reader, known_sources(call.settings), source)
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


def _source_row(view: SourceView) -> tuple[object, ...]:
    counts = view.counts
    sizes = (counts.prefixes, counts.fqdns) if counts else (None, None)
    dated = view.upstream_at and f"{view.upstream_at:%Y-%m-%d}"
    fresh = view.version and ("yes" if view.fresh else "no")
    checked = view.checked_at and f"{view.checked_at:%m-%d %H:%M}"
    return (view.name, view.status, view.version, dated, *sizes, fresh, checked)
