"""What commands print: the contract's JSON, tables for people, files written whole.

Everything meant for machines or pipes goes to stdout through here; the rest goes to stderr. Text from
upstream is shown without control characters, so that a page cannot steer a terminal.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from catalog_service.api.reads.asked import Answer
from catalog_service.catalog.select import Filter
from catalog_service.catalog.view import Note, Unpublished
from schema.errors import CatalogError

_One = TypeVar("_One")
_WIDE = 1000
"""Columns where no terminal says how many: rows are never folded in a pipe."""
_LEAST = 13
"""Characters that each column of a stacked table may count on, the gap after it included."""


def print_json(value: object) -> None:
    """Print ``value`` as JSON, indented on a terminal, on one line elsewhere."""
    encoded = msgspec.json.encode(value)
    click.echo(msgspec.json.format(encoded, indent=2) if sys.stdout.isatty() else encoded)


def print_items(
    items: Sequence[_One],
    columns: tuple[str, ...],
    row: Callable[[_One], tuple[object, ...]],
    nothing: str,
    *,
    as_json: bool,
) -> None:
    """Print a list: as JSON, or the ``row`` of each under ``columns``; where it is empty, ``nothing`` is said."""
    if as_json:
        print_json({"items": items})
    elif items:
        print_table(columns, map(row, items))
    else:
        say(nothing)


def print_table(columns: tuple[str, ...], rows: Iterable[tuple[object, ...]], *, stacked: bool = False) -> None:
    """Print ``rows`` under ``columns``; None is an empty cell.

    ``stacked``: on a terminal one member of a list a line; as far as there is room no column but the last is folded.
    """
    text, terminal = io.StringIO(), sys.stdout.isatty()
    console = Console(file=text, force_terminal=in_color(), width=None if terminal else _WIDE, highlight=False)
    separator = "\n" if stacked and terminal else ", "
    cells = [[_cell(value, separator) for value in row] for row in rows]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, width in zip(columns, _widths(columns, cells, console.width if stacked else 0), strict=True):
        table.add_column(column, overflow="fold", width=width)
    for row in cells:
        table.add_row(*map(Text, row))
    console.print(table)
    # Through click, so that a reader who went away is seen in one place and not ended by rich.
    click.echo("\n".join(line.rstrip() for line in text.getvalue().splitlines()), color=in_color())


def say(message: str) -> None:
    """Tell the person at the terminal, on stderr."""
    click.echo(printable(message), err=True)


def warn_of_missing(sources: tuple[str, ...]) -> None:
    """Tell a person which sources an answer could not draw from."""
    if sources:
        say(f"warning: nothing in this is from {', '.join(sources)}: the catalogue has nothing of it")


def warn_of_lacks(answer: Answer) -> None:
    """Tell a person what an answer lacks: sources, prefixes of service tags, clouds of a scenario; and its notes."""
    warn_of_missing(answer.missing)
    unasked = [lost for lost in answer.unresolved if lost.unasked]
    if unasked:
        tags = ", ".join(dict.fromkeys(lost.tag for lost in unasked))
        count = len({lost.by for lost in unasked})
        say(f"warning: {count} of the endpoint sets name service tags, whose prefixes are not in this ({tags}):")
        say("  --resolve tags adds them")
    for lost in answer.unresolved:
        if not lost.unasked:
            say(f"warning: {lost.by} refers to {lost.tag}, and {lost.source} has no prefixes of it")
    sentences: list[Unpublished | Note] = [*answer.unpublished, *answer.notes]
    for one in sentences:
        say(f"{one.scenario}, {one.cloud}: {one.sentence}")


def say_clouds(answer: Answer, wanted: Filter) -> None:
    """Tell a person which clouds a scenario was answered for, where they are several and nobody named them."""
    if len(answer.clouds) > 1 and not wanted.clouds:
        say(f"for {', '.join(answer.clouds)}: narrow it with --cloud or --region")


def in_color() -> bool:
    """Tell whether stdout is a terminal that wants color."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def printable(text: str) -> str:
    """Return ``text`` with every control character but line feeds as ``?``."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)


def write_whole(path: Path, content: bytes) -> None:
    """Write ``path`` so that it has its old content or all of the new; a device or pipe is written as it is."""
    write_all(((path, content),))


def write_all(files: Iterable[tuple[Path, bytes]]) -> None:
    """Write several paths, each as `write_whole`; none is replaced before all are on the disk.

    Raises:
        CatalogError: one of them cannot be written.
    """
    with contextlib.ExitStack() as temporaries:
        written = [(_beside(path, content, temporaries), path) for path, content in files]
        for temporary, path in written:
            if temporary:
                with _naming(path):
                    temporary.replace(path.resolve())


def _beside(path: Path, content: bytes, temporaries: contextlib.ExitStack) -> Path | None:
    """Write ``content`` beside ``path``, whatever happens not for good; None for a device, which is written itself."""
    with _naming(path):
        target = path.resolve()
        if target.exists() and not target.is_file():
            target.write_bytes(content)
            return None
        mode = target.stat().st_mode & 0o7777 if target.exists() else 0o644
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
        temporary = Path(name)
        temporaries.callback(temporary.unlink, missing_ok=True)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        temporary.chmod(mode)
        return temporary


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CatalogError(f"{path} cannot be written: {error}") from error


def _widths(columns: tuple[str, ...], cells: list[list[str]], room: int) -> list[int | None]:
    """Return the width that holds each column but the last whole, from the left, None where ``room`` is too small."""
    whole = [max(map(len, "\n".join(column).split("\n"))) for column in zip(columns, *cells, strict=True)]
    widths: list[int | None] = []
    room -= sum(min(width + 1, _LEAST) for width in whole)
    for width in whole[:-1]:
        more = max(0, width + 1 - _LEAST)
        widths.append(width if room >= more else None)
        room -= more if room >= more else 0
    return [*widths, None]


def _cell(value: object, separator: str) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")
    if isinstance(value, tuple):
        return separator.join(_cell(one, separator) for one in value)
    return printable(str(value)).replace("\n", " ")
