"""The command ``export``: an allowlist on stdout or in a file, whole and never empty."""

from __future__ import annotations

from pathlib import Path

import click
from msgspec.structs import replace

from catalog_service.api.reads.allowlists import exported
from catalog_service.api.reads.asked import check_ready
from catalog_service.api.reads.scenarios import check_scenarios
from catalog_service.api.reads.sources import check_sources
from catalog_service.catalog.select import Filter, Resolve
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.cli import exits
from catalog_service.cli.command import Call, at_option, command, listed, words
from catalog_service.cli.output import say, say_clouds, warn_of_lacks, write_whole
from catalog_service.cli.wiring import known_sources, opened_reader
from catalog_service.export.formats import FORMATS, render
from schema.errors import CatalogError
from schema.words import Cloud, Direction, Kind

_EXAMPLES = """\b
Examples:
  catalog-service export --scenario connectors --cloud public --region Europe
  catalog-service export --source power-automate-ip-address-configuration --resolve tags --format csv"""


@command("export", epilog=_EXAMPLES)
@click.option("--format", "name", type=click.Choice(FORMATS), help="Default: txt, with --json json.")
@click.option("--source", "sources", multiple=True, callback=listed, help="Of this source alone; may be given again.")
@click.option("--service", "services", multiple=True, help="A service or a full tag name; may be given again.")
@click.option("--cloud", "clouds", multiple=True, type=words(Cloud), help="May be given again.")
@click.option("--region", "regions", multiple=True, callback=listed, help="May be given again, or a list with commas.")
@click.option("--direction", "directions", multiple=True, type=words(Direction), help="May be given again.")
@click.option("--kind", "kinds", multiple=True, type=words((Kind.PREFIX, Kind.FQDN)), help="Default: both.")
@click.option(
    "--scenario", "scenarios", multiple=True, callback=listed, help="A question by name (see `scenarios`), or several."
)
@click.option("--resolve", "resolve", multiple=True, type=words(Resolve), help="Service tags become prefixes.")
@click.option("--partial", is_flag=True, help="Without pages of a scenario that nothing was published of yet.")
@at_option
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write, all or nothing.")
async def export(
    call: Call,
    *,
    name: str | None,
    sources: tuple[str, ...],
    services: tuple[str, ...],
    clouds: tuple[str, ...],
    regions: tuple[str, ...],
    directions: tuple[str, ...],
    kinds: tuple[str, ...],
    scenarios: tuple[str, ...],
    resolve: tuple[str, ...],
    partial: bool,
    at: str | None,
    output: Path | None,
) -> int:
    """Write an allowlist: the unique prefixes and names of the endpoint sets that pass the filters.

    A filter that nothing passes is an error and writes nothing; so is, with --scenario or --resolve tags, a service tag
    without prefixes, one whose file was not read yet, or a page that nothing was published of yet (--partial answers
    without). Without these, service tags are named in a warning alone.
    """
    wanted = Filter(
        services=services,
        clouds=tuple(map(Cloud, clouds)),
        regions=regions,
        directions=tuple(map(Direction, directions)),
        kinds=tuple(map(Kind, kinds)),
        scenarios=check_scenarios(scenarios),
        resolve=bool(resolve),
    )
    async with opened_reader(call.settings) as reader:
        check_ready(reader, at)
        known = known_sources(call.settings)
        wanted = replace(wanted, sources=check_sources(reader, known, sources))
        snapshot = await reader.at(at)
        found = exported(reader, snapshot, known, wanted, partial=partial)
    content = render(name or ("json" if call.as_json else "txt"), snapshot, found, wanted.kinds)
    warn_of_lacks(found)
    say_clouds(found, wanted)
    _write(output, content, snapshot)
    return exits.FINE


def _write(output: Path | None, content: bytes, snapshot: Snapshot) -> None:
    if output is None or str(output) == "-":
        click.echo(content, nl=False)
        return
    try:
        write_whole(output, content)
    except OSError as error:
        raise CatalogError(f"{output} cannot be written: {error}") from error
    as_of = f" as of {snapshot.as_of:%Y-%m-%d %H:%MZ}" if snapshot.as_of else ""
    say(f"wrote version {snapshot.version}{as_of} to {output}")
