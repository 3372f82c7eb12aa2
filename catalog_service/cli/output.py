"""What commands print: the contract's JSON, tables for people, files written whole.

Everything meant for machines or pipes goes to stdout through here; the rest goes to stderr. Text from
upstream is shown without control characters, so that a page cannot steer a terminal.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from catalog_service.catalog.resolve import Unresolved
from catalog_service.catalog.view import Unpublished

_WIDE = 1000
"""Columns where no terminal says how many: rows are never folded in a pipe."""


def print_json(value: object) -> None:
    """Print ``value`` as JSON, indented on a terminal, on one line elsewhere."""
    encoded = msgspec.json.encode(value)
    click.echo(msgspec.json.format(encoded, indent=2) if sys.stdout.isatty() else encoded)


def print_table(columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    """Print ``rows`` under ``columns``; None is an empty cell."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    # Through click, so that a reader who went away is seen in one place and not ended by rich.
    text, terminal = io.StringIO(), sys.stdout.isatty()
    Console(file=text, force_terminal=in_color(), width=None if terminal else _WIDE, highlight=False).print(table)
    click.echo("\n".join(line.rstrip() for line in text.getvalue().splitlines()), color=in_color())


def say(message: str) -> None:
    """Tell the person at the terminal, on stderr."""
    click.echo(printable(message), err=True)


def warn_of_missing(sources: tuple[str, ...]) -> None:
    """Tell a person which sources an answer could not draw from."""
    if sources:
        say(f"warning: nothing in this is from {', '.join(sources)}: the catalogue has nothing of it")


def warn_of_lacks(unresolved: tuple[Unresolved, ...], unpublished: tuple[Unpublished, ...]) -> None:
    """Tell a person which service tags have no prefixes, and for which clouds a scenario has no answer."""
    for lost in unresolved:
        say(f"warning: {lost.by} refers to {lost.tag}, and {lost.source} has no prefixes of it")
    for one in unpublished:
        say(f"{one.scenario}, {one.cloud}: {one.sentence}")


def in_color() -> bool:
    """Tell whether stdout is a terminal that wants color."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def printable(text: str) -> str:
    """Return ``text`` with every control character but line feeds as ``?``."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)


def write_whole(path: Path, content: bytes) -> None:
    """Write ``path`` so that it has its old content or all of the new; a device or pipe is written as it is."""
    target = path.resolve()
    if target.exists() and not target.is_file():
        target.write_bytes(content)
        return
    mode = target.stat().st_mode & 0o7777 if target.exists() else 0o644
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        Path(temporary).chmod(mode)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")
    if isinstance(value, tuple):
        return ", ".join(_cell(one) for one in value)
    return printable(str(value)).replace("\n", " ")
