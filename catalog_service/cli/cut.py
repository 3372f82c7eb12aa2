"""How `export` cuts a list: its flags, the files it becomes, and what is said of them.

With ``--overflow split`` a list becomes ``NAME-1.txt``, ``NAME-2.txt`` ...; all of them are replaced, or none.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import View
from catalog_service.cli.command import Run, flagged, words
from catalog_service.cli.output import say
from catalog_service.export.document import JSON
from catalog_service.export.formats import File, render
from catalog_service.export.options import LIMIT_MOST, PART_MOST, Options, Overflow, Ranges
from schema.errors import BadParameterError
from schema.words import Family, Kind

_FLAGS = (
    click.option("--family", type=words(Family), default="both", help="Which prefixes; default: both."),
    click.option("--aggregate", is_flag=True, help="The fewest prefixes that cover the same addresses."),
    click.option("--ranges", type=words(Ranges), default="cidr", help="range: first-last, where the format takes it."),
    click.option(
        "--overflow",
        type=words(Overflow),
        default="refuse",
        help="What to do with a list over the limit; default: refuse.",
    ),
    click.option("--limit", type=click.IntRange(1, LIMIT_MOST), help="Entries that the device takes."),
    click.option("--name", help="What the list is called, where the format names it."),
    click.option("--part", type=click.IntRange(1, PART_MOST), help="This part alone, with --overflow split."),
)


def cut_options(run: Run) -> Run:
    """Give ``run`` the flags of `Options`, and their value as ``options``."""

    @functools.wraps(run)
    async def typed(call: object, **given: Any) -> int:
        own = {name: given.pop(name) for name in Options.__struct_fields__}
        for name, type_ in (("family", Family), ("ranges", Ranges), ("overflow", Overflow)):
            own[name] = type_(own[name])
        return await run(call, options=Options(**own), **given)

    return flagged(typed, _FLAGS)


def files(
    name: str, snapshot: Snapshot, view: View, kinds: tuple[Kind, ...], options: Options, *, to_file: bool
) -> tuple[File, ...]:
    """Return the list as the files it becomes: several only where it is to be split, and not asked for by part.

    Raises:
        BadParameterError, NoMatchError, OverLimitError: as `render`; or there are several for stdout.
    """
    first = render(name, snapshot, view, kinds, options)
    if options.part or first.cut.parts < 2:
        return (first,)
    if not to_file:
        message = f"the list has {first.cut.parts} parts: -o FILE writes them, --part N prints one"
        raise BadParameterError(message, parameter="part")
    later = range(2, first.cut.parts + 1)
    return (first, *(render(name, snapshot, view, kinds, replace(options, part=part)) for part in later))


def say_cut(name: str, written: tuple[File, ...]) -> None:
    """Tell a person what was left out of a list, and how it was cut; JSON says the former itself."""
    cut = written[0].cut
    if cut.dropped and name != JSON.name:
        counts = ", ".join(f"{one.reason}={one.count}" for one in cut.dropped)
        say(f"left out, as {name} cannot hold it: {counts}")
    if cut.truncated:
        say(f"warning: {cut.truncated} entries over the limit are cut off; {cut.entries} are written")


def target_of(output: Path, file: File, extension: str) -> Path:
    """Return where ``file`` goes: ``output``, or for a part ``NAME-1.txt`` in its place."""
    return _numbered(output, file.cut.part, extension) if file.cut.part else output


def warn_of_stale(output: Path, last: File, extension: str) -> None:
    """Warn of a part of an earlier and longer list: a device that still reads it allows too much."""
    if last.cut.parts and (after := _numbered(output, last.cut.parts + 1, extension)).exists():
        say(f"warning: {after} is of an earlier list, which had more parts: remove it and those after it")


def _numbered(output: Path, part: int, extension: str) -> Path:
    ending = f".{extension}" if output.name.endswith(f".{extension}") else output.suffix
    return output.with_name(f"{output.name.removesuffix(ending)}-{part}{ending}")
