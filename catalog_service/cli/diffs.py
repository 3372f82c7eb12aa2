"""The command ``diff``: what leads from one version to another, filtered, as text, Markdown, CSV or JSON."""

from __future__ import annotations

import click

from catalog_service.api.reads.diffs import diff_between, diff_span
from catalog_service.api.reads.sources import check_sources
from catalog_service.catalog.compare import DiffFilter
from catalog_service.catalog.select import Filter
from catalog_service.cli import exits
from catalog_service.cli.changes import print_text
from catalog_service.cli.command import Call, command, listed, words
from catalog_service.cli.output import print_json, warn_of_missing
from catalog_service.cli.wiring import known_sources, opened_reader
from catalog_service.export.diffs.formats import DIFF_FORMATS, diff_format_named
from schema.words import Cloud, Direction, Family, Impact, Kind, Only

_EXAMPLES = """\b
Examples:
  catalog-service diff latest~1 --material
  catalog-service diff 2025-01-06 2025-06-30 --service Storage --region westeurope --only added --space
  catalog-service diff prod latest --impact AddedIp --impact AddedUrl --format markdown"""


@command("diff", epilog=_EXAMPLES)
@click.argument("since", metavar="A")
@click.argument("until", metavar="[B]", default="latest")
@click.option("--source", "sources", multiple=True, callback=listed, help="Of this source alone; may be given again.")
@click.option("--service", "services", multiple=True, callback=listed, help="A service or a full tag name.")
@click.option("--cloud", "clouds", multiple=True, type=words(Cloud), help="May be given again.")
@click.option("--region", "regions", multiple=True, callback=listed, help="May be given again, or a list with commas.")
@click.option("--direction", "directions", multiple=True, type=words(Direction), help="May be given again.")
@click.option("--kind", "kinds", multiple=True, type=words(Kind), help="Of the members shown; may be given again.")
@click.option("--family", type=words(Family), default=Family.BOTH.value, help="Of the prefixes shown.")
@click.option("--only", type=words(Only), help="Members added, or members removed.")
@click.option("--impact", "impacts", multiple=True, type=words(Impact), help="Microsoft's word; may be given again.")
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
    sources: tuple[str, ...],
    services: tuple[str, ...],
    clouds: tuple[str, ...],
    regions: tuple[str, ...],
    directions: tuple[str, ...],
    kinds: tuple[str, ...],
    family: str,
    only: str | None,
    impacts: tuple[str, ...],
    material: bool,
    space: bool,
    name: str | None,
) -> int:
    """Show what leads from version A to version B (by default the latest).

    A and B are numbers, latest, latest~N, labels, dates or date-times; 0 is the empty beginning. A change is shown when
    its endpoint set passes the filters before or after it.
    """
    async with opened_reader(call.settings) as reader:
        wanted = DiffFilter(
            records=Filter(
                sources=check_sources(reader, known_sources(call.settings), sources),
                services=services,
                clouds=tuple(map(Cloud, clouds)),
                regions=regions,
                directions=tuple(map(Direction, directions)),
                kinds=tuple(map(Kind, kinds)),
            ),
            family=Family(family),
            only=Only(only) if only else None,
            impacts=tuple(map(Impact, impacts)),
            material=material,
        )
        first, last = await diff_span(reader, since, until)
        found = await diff_between(reader, first, last, wanted, space=space)
    format_ = diff_format_named(name or ("json" if call.as_json else "text"))
    if format_.name == "json":
        print_json(found)
    elif format_.name == "text":
        print_text(format_.render(found).decode())
    else:
        click.echo(format_.render(found), nl=False)
    if format_.name == "csv":
        warn_of_missing(found.missing)
    return exits.FINE
