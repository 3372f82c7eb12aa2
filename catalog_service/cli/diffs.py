"""The command ``diff``: what leads from one version to another, filtered, as text, Markdown, CSV or JSON.

The text is that of `export.diffs.unified`, colored on a terminal; `held show` prints it too.
"""

from __future__ import annotations

import click

from catalog_service.api.reads.diffs import diff_between, diff_span
from catalog_service.api.reads.filters import check_filter
from catalog_service.catalog.compare import DiffFilter, impacts_asked
from catalog_service.catalog.select import Filter
from catalog_service.cli import exits
from catalog_service.cli.command import Call, command, words
from catalog_service.cli.filters import PLACES, filter_options, kind
from catalog_service.cli.output import in_color, print_json, warn_of_missing
from catalog_service.cli.wiring import known_sources, opened_reader
from catalog_service.export.diffs.formats import DIFF_FORMATS, diff_format_named
from catalog_service.export.diffs.unified import block, heading
from catalog_service.views.diffs import DiffEntry
from schema.change import Summary
from schema.words import Family, Impact, Kind, Only

_EXAMPLES = """\b
Examples:
  catalog-service diff latest~1 --material
  catalog-service diff 2025-01-06 2025-06-30 --service Storage --region westeurope --only added --space
  catalog-service diff prod latest --tag AzureConnectors --impact-at-least RemovedIpOrUrl --format markdown"""

_COLORS = {"+": "green", "-": "red", "@": "cyan"}


@command("diff", epilog=_EXAMPLES)
@click.argument("since", metavar="A")
@click.argument("until", metavar="[B]", default="latest")
@filter_options(*PLACES, kind(Kind, "Of the members shown; may be given again."))
@click.option("--family", type=words(Family), default=Family.BOTH.value, help="Of the prefixes shown.")
@click.option("--only", type=words(Only), help="Members added, or members removed.")
@click.option("--impact", "impacts", multiple=True, type=words(Impact), help="Microsoft's word; may be given again.")
@click.option("--impact-at-least", type=words(Impact), help="What asks as much as this word, or more.")
@click.option("--material", is_flag=True, help="Without counters, wording and prefixes that are only cut otherwise.")
@click.option("--space", is_flag=True, help="Also the addresses gained and lost, however they are cut.")
@click.option(
    "--format",
    "name",
    type=click.Choice([one.name for one in DIFF_FORMATS]),
    help="Default: text, with --json json.",
)
async def diff(
    call: Call,
    *,
    since: str,
    until: str,
    wanted: Filter,
    family: str,
    only: str | None,
    impacts: tuple[str, ...],
    impact_at_least: str | None,
    material: bool,
    space: bool,
    name: str | None,
) -> int:
    """Show what leads from version A to version B (by default the latest).

    A and B are numbers, latest, latest~N, labels, dates or date-times; 0 is the empty beginning. A change is shown when
    its endpoint set passes the filters before or after it.
    """
    async with opened_reader(call.settings) as reader:
        asked = DiffFilter(
            check_filter(reader, known_sources(call.settings), wanted),
            Family(family),
            Only(only) if only else None,
            impacts_asked(tuple(map(Impact, impacts)), Impact(impact_at_least) if impact_at_least else None),
            material,
        )
        first, last = await diff_span(reader, since, until)
        found = await diff_between(reader, first, last, asked, space=space)
    format_ = diff_format_named(name or ("json" if call.as_json else "text"))
    if format_.name == "json":
        print_json(found)
    elif format_.name == "text":
        _print_text(format_.render(found).decode())
    else:
        click.echo(format_.render(found), nl=False)
    if format_.name == "csv":
        warn_of_missing(found.missing)
    return exits.FINE


def print_diff(since: str, until: str, summary: Summary, changes: tuple[DiffEntry, ...]) -> None:
    """Print what leads from ``since`` to ``until``."""
    lines = [*heading(since, until, summary)]
    for change in changes:
        lines += ["", *block(change)]
    _print_text("\n".join(lines))


def _print_text(text: str) -> None:
    """Print a unified diff, colored on a terminal."""
    lines = text.rstrip("\n").split("\n")
    click.echo("\n".join(map(_colored, lines) if in_color() else lines))


def _colored(line: str) -> str:
    color = _COLORS.get(line[:1])
    return click.style(line, fg=color) if color else line
