"""The command ``export``: an allowlist on stdout or in a file, whole and never empty."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import click
from msgspec.structs import replace

from catalog_service.api import reads
from catalog_service.catalog.select import Filter, Resolve
from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.output import say, warn_of_lacks, warn_of_missing, write_whole
from catalog_service.cli.wiring import known_sources, opened_reader
from catalog_service.export.formats import FORMATS, render
from schema.errors import CatalogError
from schema.words import Cloud, Direction, Kind


def words(listed: Iterable[StrEnum]) -> click.Choice[str]:
    """Return the choice among ``listed`` as they are written; click itself would offer their Python names."""
    return click.Choice([word.value for word in listed], case_sensitive=False)


@command("export")
@click.option("--format", "name", type=click.Choice(FORMATS), help="Default: txt, with --json json.")
@click.option("--source", "sources", multiple=True, help="Of this source alone; may be given again.")
@click.option("--service", "services", multiple=True, help="A service or a full tag name; may be given again.")
@click.option("--cloud", "clouds", multiple=True, type=words(Cloud), help="May be given again.")
@click.option("--region", "regions", multiple=True, help="May be given again.")
@click.option("--direction", "directions", multiple=True, type=words(Direction), help="May be given again.")
@click.option("--kind", "kinds", multiple=True, type=words((Kind.PREFIX, Kind.FQDN)), help="Default: both.")
@click.option(
    "--scenario", "scenarios", multiple=True, help="A question by name (see `scenarios`); may be given again."
)
@click.option("--resolve", "resolve", multiple=True, type=words(Resolve), help="Service tags become prefixes.")
@click.option("--at", metavar="VERSION", help="A number, latest, latest~N, a date or a date-time.")
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
    at: str | None,
    output: Path | None,
) -> int:
    """Write an allowlist: the unique prefixes and names of the endpoint sets that pass the filters.

    A filter that nothing passes is an error and writes nothing, and so is a service tag without prefixes.
    """
    wanted = Filter(
        sources,
        services,
        tuple(map(Cloud, clouds)),
        regions,
        tuple(map(Direction, directions)),
        tuple(map(Kind, kinds)),
        reads.check_scenarios(scenarios),
        resolve=bool(resolve),
    )
    async with opened_reader(call.settings) as reader:
        reads.check_ready(reader, at)
        known = known_sources(call.settings)
        wanted = replace(wanted, sources=reads.check_sources(reader, known, sources))
        snapshot = await reader.at(at)
        missing = reads.check_published(reader, snapshot, known, wanted)
        found = reads.exported(reader, snapshot, wanted)
    content = render(name or ("json" if call.as_json else "txt"), snapshot, found, wanted.kinds)
    warn_of_missing(tuple(dict.fromkeys((*missing, *found.missing))))
    warn_of_lacks((), found.unpublished)
    if output is None or str(output) == "-":
        click.echo(content, nl=False)
        return exits.FINE
    try:
        write_whole(output, content)
    except OSError as error:
        raise CatalogError(f"{output} cannot be written: {error}") from error
    say(f"wrote version {snapshot.version} to {output}")
    return exits.FINE
