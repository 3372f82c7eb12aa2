"""Stars that emphasis took out of a page of HTML, put back where nothing else can have stood (sources.md D1.5).

    https://<em>.crm#.dynamics.com and http://</em>.crm#.dynamics.com
        -> https://*.crm#.dynamics.com and http://*.crm#.dynamics.com

In: a page. Out: the same page with the stars of its tables' cells. An emphasis that begins with a dot, is
followed by a dot and follows no letter was written with two stars before ``.name``; any other is left, and
refused among host names.
"""

from __future__ import annotations

import re

import msgspec

from scrapers.docs.page import Block, Page, Table, Text


def with_stars(page: Page) -> Page:
    """Return ``page`` with the stars of every cell that emphasis took them from."""
    return msgspec.structs.replace(page, blocks=tuple(map(_mended, page.blocks)))


def _mended(block: Block) -> Block:
    if not isinstance(block, Table):
        return block
    rows = tuple(tuple(map(_starred, row)) for row in block.rows)
    return msgspec.structs.replace(block, rows=rows)


def _starred(cell: Text) -> Text:
    lines, left = list(cell.lines), list[str]()
    for emphasis in cell.emphases:
        taken = re.compile(rf"(?<![\w.*]){re.escape(emphasis)}(?=\.\w)")
        place = next((at for at, line in enumerate(lines) if emphasis.startswith(".") and taken.search(line)), None)
        if place is None:
            left.append(emphasis)
        else:
            lines[place] = taken.sub(lambda found: f"*{found[0]}*", lines[place], count=1)
    return msgspec.structs.replace(cell, lines=tuple(lines), emphases=tuple(left)) if cell.emphases else cell
