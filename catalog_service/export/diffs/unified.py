"""``text``: one block a record, as in a unified diff; people read it in terminals and mails.

--- version 3
+++ version 4
1 endpoint set changed; +1 -2 prefixes

@@ azure-service-tags-public:ActionGroup @@ changed, +1 -2 prefixes; AddedIp
- change_number: 41
+ change_number: 42
+ 4.150.50.0/27
- 4.145.74.52/30

Where they are known, address space and moves stand before the blocks.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from catalog_service.catalog.moves import Move
from catalog_service.catalog.space import AddressSpace
from catalog_service.export.diffs.telling import entry_in_words, extent_in_words, in_words, one_line, value_text
from catalog_service.views.diffs import Diff, DiffEntry
from schema.change import AttributeChange, Summary


def render_unified(diff: Diff) -> bytes:
    """Return ``diff`` as text."""
    lines = [*heading(diff.since, diff.until, diff.summary)]
    if diff.missing:
        lines.append(
            f"nothing in this is from {', '.join(diff.missing)}: of one of the two times nothing is known of it"
        )
    if diff.space:
        lines += ["", *_space(diff.space)]
    if diff.moves:
        lines += ["", "moved:", *map(_move, diff.moves)]
    for entry in diff.changes:
        lines += ["", *block(entry)]
    return "".join(f"{line}\n" for line in lines).encode()


def heading(since: str, until: str, summary: Summary) -> tuple[str, ...]:
    """Return the first lines: what is compared, and the counts."""
    return f"--- {one_line(since)}", f"+++ {one_line(until)}", in_words(summary)


def block(entry: DiffEntry) -> Iterator[str]:
    """Yield the lines of one record."""
    yield f"@@ {one_line(entry.id)} @@ {entry_in_words(entry)}"
    for attribute in entry.attributes:
        yield from _attribute(attribute)
    for sign, members in zip("+-+-", _members(entry), strict=True):
        for member in members:
            yield f"{sign} {member}"


def _members(entry: DiffEntry) -> tuple[tuple[str, ...], ...]:
    return entry.prefixes_added, entry.prefixes_removed, entry.fqdns_added, entry.fqdns_removed


def _attribute(change: AttributeChange) -> Iterator[str]:
    for sign, value in (("-", change.previous), ("+", change.current)):
        if value is not UNSET:
            yield f"{sign} {change.name}: {value_text(value)}"


def _space(space: AddressSpace) -> Iterator[str]:
    for word, extent in (("gained", space.gained), ("lost", space.lost)):
        yield f"{word} {extent_in_words(extent)}{':' if extent.prefixes else ''}"
        yield from (f"  {prefix}" for prefix in extent.prefixes)


def _move(move: Move) -> str:
    return one_line(f"  {move.member} from {', '.join(move.from_ids)} to {', '.join(move.to_ids)}")
