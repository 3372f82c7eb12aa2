"""The command ``regions``: the crosswalk of region spellings, and those of the catalogue it does not know."""

from __future__ import annotations

import click

from catalog_service.catalog.regions import Regions, all_regions
from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.output import print_json, print_table
from catalog_service.cli.wiring import opened_reader


@command("regions")
@click.option("--unknown", is_flag=True, help="Only spellings of the current catalogue that the crosswalk lacks.")
async def regions(call: Call, *, unknown: bool) -> int:
    """List regions and geographies with their spellings: a query takes any of them."""
    async with opened_reader(call.settings) as reader:
        found = all_regions(reader.current)
    if call.as_json:
        print_json({"version": found.version, "unknown": found.unknown} if unknown else found)
    elif unknown:
        rows = ((one.spelling, one.source, one.endpoint_set_count) for one in found.unknown)
        print_table(("spelling", "source", "sets"), rows)
    else:
        _print_crosswalk(found)
    return exits.FINE


def _print_crosswalk(found: Regions) -> None:
    columns = ("code", "name", "kind", "clouds", "Azure regions or geography", "other spellings")
    geographies = (
        (one.code, one.name, "geography", one.clouds, one.regions, one.spellings) for one in found.geographies
    )
    regions = (
        (one.code, one.name, "staging" if one.staging else "region", one.clouds, one.geography, one.spellings)
        for one in found.regions
    )
    print_table(columns, (*geographies, *regions))
