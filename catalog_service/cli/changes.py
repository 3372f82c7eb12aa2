"""Changes for people: the text of `export.diffs.unified`, colored on a terminal. Called by `diff` and `held show`."""

from __future__ import annotations

import click

from catalog_service.cli.output import in_color
from catalog_service.export.diffs.unified import block, heading
from catalog_service.views.changes import DiffEntry
from schema.change import Summary

_COLORS = {"+": "green", "-": "red", "@": "cyan"}


def print_diff(since: str, until: str, summary: Summary, changes: tuple[DiffEntry, ...]) -> None:
    """Print what leads from ``since`` to ``until``."""
    lines = [*heading(since, until, summary)]
    for change in changes:
        lines += ["", *block(change)]
    print_text("\n".join(lines))


def print_text(text: str) -> None:
    """Print a unified diff, colored on a terminal."""
    lines = text.rstrip("\n").split("\n")
    click.echo("\n".join(map(_colored, lines) if in_color() else lines))


def _colored(line: str) -> str:
    color = _COLORS.get(line[:1])
    return click.style(line, fg=color) if color else line
