"""The flags that become a `Filter`, the same wherever a command takes them: `diff`, `export`, `lookup`, `scenarios`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import click

from catalog_service.catalog.select import Filter, Resolve
from catalog_service.cli.command import Flag, Run, flagged, listed, words
from schema.words import Cloud, Direction, Kind

SOURCE: Flag = click.option(
    "--source", "sources", multiple=True, callback=listed, help="Of this source alone, or several."
)
SERVICE: Flag = click.option(
    "--service", "services", multiple=True, callback=listed, help="A service or a full tag name, or several."
)
TAG: Flag = click.option(
    "--tag", "tags", multiple=True, callback=listed, help="A service tag and what refers to it, or several."
)
CLOUD: Flag = click.option("--cloud", "clouds", multiple=True, type=words(Cloud), help="May be given again.")
REGION: Flag = click.option(
    "--region", "regions", multiple=True, callback=listed, help="A region or a geography, however spelled, or several."
)
DIRECTION: Flag = click.option(
    "--direction", "directions", multiple=True, type=words(Direction), help="May be given again."
)
PLACES = (SOURCE, SERVICE, TAG, CLOUD, REGION, DIRECTION)
SCENARIO: Flag = click.option(
    "--scenario", "scenarios", multiple=True, callback=listed, help="A question by name (see `scenarios`), or several."
)
RESOLVE: Flag = click.option("--resolve", multiple=True, type=words(Resolve), help="Service tags become prefixes.")


def kind(vocabulary: Iterable[Kind], text: str) -> Flag:
    """Return the flag for kinds of members, described as ``text``."""
    return click.option("--kind", "kinds", multiple=True, type=words(vocabulary), help=text)


def filter_options(*flags: Flag) -> Callable[[Run], Run]:
    """Give a command ``flags``, and what they ask for as ``wanted``, a `Filter` for `check_filter`."""

    def decorate(run: Run) -> Run:
        @functools.wraps(run)
        async def typed(call: object, **given: Any) -> int:
            own = {name: given.pop(name) for name in Filter.__struct_fields__ if name in given}
            for name, type_ in (("clouds", Cloud), ("directions", Direction), ("kinds", Kind)):
                own[name] = tuple(map(type_, own.get(name, ())))
            own["resolve"] = bool(own.get("resolve"))
            return await run(call, wanted=Filter(**own), **given)

        return flagged(typed, flags)

    return decorate
