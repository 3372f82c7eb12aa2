"""The command ``export``: an allowlist on stdout or in files, whole and never empty."""

from __future__ import annotations

from pathlib import Path

import click

from catalog_service.api.reads.allowlists import exported
from catalog_service.api.reads.asked import check_ready
from catalog_service.api.reads.filters import check_filter
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.cli import exits
from catalog_service.cli.command import Call, at_option, command
from catalog_service.cli.cut import cut_options, files, say_cut, target_of, warn_of_stale
from catalog_service.cli.filters import PLACES, RESOLVE, SCENARIO, filter_options, kind
from catalog_service.cli.output import say, say_clouds, warn_of_lacks, write_all
from catalog_service.cli.wiring import known_sources, opened_reader
from catalog_service.export.formats import FORMATS, File, format_named
from catalog_service.export.options import Options
from schema.words import Kind

_EXAMPLES = """\b
Examples:
  catalog-service export --scenario connectors --cloud public --region Europe
  catalog-service export --source power-automate-ip-address-configuration --resolve tags --format csv
  catalog-service export --service LogicApps --format nftables --name logic-apps --family 4 -o logic-apps.nft"""


@command("export", epilog=_EXAMPLES)
@click.option("--format", "format_name", type=click.Choice(FORMATS), help="Default: txt, with --json json.")
@filter_options(*PLACES, kind((Kind.PREFIX, Kind.FQDN), "Default: both."), SCENARIO, RESOLVE)
@click.option("--partial", is_flag=True, help="Without pages of a scenario that nothing was published of yet.")
@cut_options
@at_option
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write, all or nothing.")
async def export(
    call: Call,
    *,
    format_name: str | None,
    wanted: Filter,
    partial: bool,
    options: Options,
    at: str | None,
    output: Path | None,
) -> int:
    """Write an allowlist: the unique prefixes and names of the endpoint sets that pass the filters.

    A filter that nothing passes is an error and writes nothing; so is, with --scenario or --resolve tags, a service tag
    without prefixes, one whose file was not read yet, or a page that nothing was published of yet (--partial answers
    without). Without these, service tags are named in a warning alone. A list over the limit of its device is an error
    too, unless --overflow says what to do; what the format cannot hold is counted on stderr.
    """
    async with opened_reader(call.settings) as reader:
        known = known_sources(call.settings)
        wanted = check_filter(reader, known, wanted)
        check_ready(reader, at)
        snapshot = await reader.at(at)
        found = exported(reader, snapshot, known, wanted, partial=partial)
    name = format_name or ("json" if call.as_json else "txt")
    written = files(name, snapshot, found, wanted.kinds, options, to_file=_is_file(output))
    warn_of_lacks(found)
    say_clouds(found, wanted)
    say_cut(name, written)
    _write(output, name, written, snapshot)
    return exits.FINE


def _is_file(output: Path | None) -> bool:
    return output is not None and str(output) != "-"


def _write(output: Path | None, name: str, written: tuple[File, ...], snapshot: Snapshot) -> None:
    if output is None or not _is_file(output):
        click.echo(written[0].data, nl=False)
        return
    as_of = f" as of {snapshot.as_of:%Y-%m-%d %H:%MZ}" if snapshot.as_of else ""
    extension = format_named(name).extension
    targets = [target_of(output, file, extension) for file in written]
    write_all(zip(targets, (file.data for file in written), strict=True))
    for target in targets:
        say(f"wrote version {snapshot.version}{as_of} to {target}")
    warn_of_stale(output, written[-1], extension)
