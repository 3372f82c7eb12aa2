"""``markdown``: a heading a source and service, a list a record, for pull requests and tickets (GitHub's flavor).

    # Changes from version 3 to version 4

    1 endpoint set changed; +1 -2 prefixes

    ## `azure-service-tags-public`: `ActionGroup`

    ### `azure-service-tags-public:ActionGroup`

    changed, +1 -2 prefixes; AddedIp

    - `change_number`: `41` → `42`
    - added `4.150.50.0/27`

Whatever comes from an upstream stands in a code span, where neither markup, HTML nor a mention has a meaning. Long
lists are folded away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import UNSET

from catalog_service.catalog.moves import Move
from catalog_service.catalog.space import Extent
from catalog_service.export.diffs.telling import entry_in_words, extent_in_words, in_words, value_text
from catalog_service.views.diffs import Diff, DiffEntry, by_service
from schema.change import AttributeChange

_OPEN_LINES = 20
_TICKS = re.compile("`+")


def render_markdown(diff: Diff) -> bytes:
    """Return ``diff`` as Markdown."""
    lines = [f"# Changes from {diff.since} to {diff.until}", "", in_words(diff.summary), ""]
    if diff.missing:
        names = ", ".join(map(code, diff.missing))
        lines += [f"Nothing in this is from {names}: of one of the two times nothing is known of it.", ""]
    if diff.space:
        lines += ["## Addresses", ""]
        lines += [*_extent("Gained", diff.space.gained), *_extent("Lost", diff.space.lost)]
    if diff.moves:
        lines += ["## Moved", "", *_listed("moves", [_move(move) for move in diff.moves])]
    for group in by_service(diff.changes):
        lines += [f"## {code(group.source)}: {code(group.service)}", "", in_words(group.summary), ""]
        for entry in group.changes:
            lines += _entry(entry)
    return ("\n".join(lines).rstrip() + "\n").encode()


def code(text: str) -> str:
    """Return ``text`` as a code span: between more backticks than it has in a row (CommonMark 6.1)."""
    text = value_text(text)
    longest = max((len(run) for run in _TICKS.findall(text)), default=0)
    fence = "`" * (longest + 1)
    # One space on either side is not shown; it keeps backticks and spaces at the ends apart from the fence.
    pad = " " if not text.strip() or text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text or ' '}{pad}{fence}"


def _entry(entry: DiffEntry) -> Iterator[str]:
    yield from (f"### {code(entry.id)}", "")
    titled = "" if entry.id.endswith(f":{entry.title}") else f"{code(entry.title)}: "
    yield from (f"{titled}{entry_in_words(entry)}", "")
    if entry.attributes:
        yield from (*(f"- {_attribute(one)}" for one in entry.attributes), "")
    for word, members in (
        ("added", (*entry.prefixes_added, *entry.fqdns_added)),
        ("removed", (*entry.prefixes_removed, *entry.fqdns_removed)),
    ):
        yield from _listed(word, [f"{word} {code(member)}" for member in members])


def _listed(word: str, items: list[str]) -> Iterator[str]:
    """Yield a list, folded when it is long; nothing for none."""
    if not items:
        return
    folded = len(items) > _OPEN_LINES
    if folded:
        yield from (f"<details><summary>{len(items)} {word}</summary>", "")
    yield from (*(f"- {item}" for item in items), "")
    if folded:
        yield from ("</details>", "")


def _extent(word: str, extent: Extent) -> Iterator[str]:
    yield from (f"{word} {extent_in_words(extent)}.", "")
    yield from _listed("prefixes", [code(prefix) for prefix in extent.prefixes])


def _attribute(change: AttributeChange) -> str:
    before, after = (
        "absent" if value is UNSET else code(value_text(value)) for value in (change.previous, change.current)
    )
    return f"{code(change.name)}: {before} → {after}"


def _move(move: Move) -> str:
    return f"{code(move.member)} from {', '.join(map(code, move.from_ids))} to {', '.join(map(code, move.to_ids))}"
