"""Changes for people: one block a record, as in a unified diff.

--- version 3
+++ version 4
1 endpoint set changed; +1 -2 prefixes

@@ azure-service-tags-public:ActionGroup @@ changed, +1 -2 prefixes
- change_number: 41
+ change_number: 42
+ 4.150.50.0/27
- 4.145.74.52/30
"""

from __future__ import annotations

from collections.abc import Iterator

import click
from msgspec import UNSET

from catalog_service.cli.output import in_color, printable
from catalog_service.views.changes import ChangeView
from schema.change import AttributeChange, Summary
from schema.words import Disposition

_WORDS = {Disposition.ADD: "added", Disposition.CHANGE: "changed", Disposition.REMOVE: "removed"}
_COLORS = {"+": "green", "-": "red", "@": "cyan"}


def print_diff(since: str, until: str, summary: Summary, changes: tuple[ChangeView, ...]) -> None:
    """Print what leads from ``since`` to ``until``, colored on a terminal."""
    lines = [f"--- {since}", f"+++ {until}", in_words(summary)]
    for change in changes:
        lines += ["", *_block(change)]
    color = in_color()
    click.echo("\n".join(_colored(line) if color else line for line in map(printable, lines)))


def in_words(summary: Summary) -> str:
    """Return the counts of a changeset as one line."""
    sets = [
        f"{count} endpoint set{'' if count == 1 else 's'} {word}"
        for count, word in (
            (summary.endpoint_sets_added, "added"),
            (summary.endpoint_sets_removed, "removed"),
            (summary.endpoint_sets_changed, "changed"),
        )
        if count
    ]
    members = _members(summary.prefixes_added, summary.prefixes_removed, summary.fqdns_added, summary.fqdns_removed)
    return "; ".join(part for part in (", ".join(sets), members) if part) or "no differences"


def _block(change: ChangeView) -> Iterator[str]:
    counts = (change.prefixes_added, change.prefixes_removed, change.fqdns_added, change.fqdns_removed)
    counted = _members(*map(len, counts))
    yield f"@@ {change.id} @@ {_WORDS[change.disposition]}{', ' if counted else ''}{counted}"
    for attribute in change.attributes:
        yield from _attribute(attribute)
    for sign, members in zip("+-+-", counts, strict=True):
        for member in members:
            yield f"{sign} {member}"


def _attribute(change: AttributeChange) -> Iterator[str]:
    for sign, value in (("-", change.previous), ("+", change.current)):
        if value is not UNSET:
            shown = ", ".join(value) if isinstance(value, tuple) else value
            yield f"{sign} {change.name}: {shown}".replace("\n", " ")


def _members(prefixes_added: int, prefixes_removed: int, fqdns_added: int, fqdns_removed: int) -> str:
    counts = (("prefixes", prefixes_added, prefixes_removed), ("fqdns", fqdns_added, fqdns_removed))
    return ", ".join(f"+{added} -{removed} {name}" for name, added, removed in counts if added or removed)


def _colored(line: str) -> str:
    color = _COLORS.get(line[:1])
    return click.style(line, fg=color) if color else line
