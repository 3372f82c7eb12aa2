"""Elements of an article, in document order, become blocks under their heading paths.

In: headings, labels (`labels`), rules, paragraphs, tables and lists from `html`. Out: tables, lists and paragraphs
as values. A label or a line all in bold that names a cloud stands on the path as a heading does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bs4 import Tag

from schema.errors import ParseError
from scrapers.docs.clouds import is_cloud_heading
from scrapers.docs.inline import read_text
from scrapers.docs.labels import LABEL, LINE, TAB, ZONE, names_cloud
from scrapers.docs.page import Block, BulletList, Headings, Paragraph, Row, Table, Text

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_SEPARATOR = re.compile(r"^:?-{2,}:?$")


def blocks_of(elements: Iterable[Tag]) -> Iterator[Block]:
    """Yield the blocks, each below the headings and labels it stands under.

    Raises:
        ParseError: a group of tabs has no end.
    """
    path: list[tuple[int, str]] = []
    lead, seen_title = "", False
    for element in elements:
        if element.name == "h1" and not seen_title:
            path, lead, seen_title = [], "", True
        elif (level := _level(element)) is not None:
            path, lead = _beneath(path, element, level), ""
        else:
            if _is_bold_line(element):
                path = _beneath(path, element, LINE)
            yield from _block(element, tuple(text for _, text in path), _outer_item(element) or lead)
            lead = read_text(element).text if element.name == "p" else ""


def _level(element: Tag) -> int | None:
    """Return the depth of a heading, a label or a rule, None of anything else."""
    if element.has_attr(LABEL):
        return int(str(element[LABEL]))
    return int(element.name[1]) if element.name in HEADINGS else TAB if element.name == "hr" else None


def _is_bold_line(element: Tag) -> bool:
    text = read_text(element) if element.name == "p" else Text()
    return len(text.bolds) == 1 and text.bolds[0] == text.text


def _beneath(path: list[tuple[int, str]], element: Tag, level: int) -> list[tuple[int, str]]:
    """Return the path below a heading, a label or a bold line; headings leave the labels that they stand in.

    Raises:
        ParseError: a heading as high as the one over the tabs, and no end of the tabs before it.
    """
    text = read_text(element).text
    if level <= len(HEADINGS):
        _refuse_open_tabs(path, level, text)
        return [entry for entry in path if entry[0] < level or ZONE <= entry[0] < LINE] + [(level, text)]
    kept = [entry for entry in path if entry[0] < level]
    is_label = is_cloud_heading(text) if element.name == "p" else element.name != "hr" and names_cloud(text)
    return [*kept, (level, text)] if is_label else kept


def _refuse_open_tabs(path: list[tuple[int, str]], level: int, heading: str) -> None:
    levels = [each for each, _ in path]
    if TAB in levels and any(level <= above < ZONE for above in levels[: levels.index(TAB)]):
        reason = f"the heading {heading!r} stands in tabs that no rule ends"
        raise ParseError("a group of tabs has no end", reasons=(reason,))


def _outer_item(element: Tag) -> str:
    """Return the text of the bullet that a nested list belongs to: that is what announces it."""
    item = element.find_parent("li") if element.name in ("ul", "ol") else None
    return read_text(item, nested_lists=False).text if item else ""


def _block(element: Tag, headings: Headings, lead: str) -> Iterator[Block]:
    if element.name == "table":
        yield from _tables(element, headings, lead)
    elif element.name in ("ul", "ol"):
        items = (read_text(item, nested_lists=False) for item in element.find_all("li", recursive=False))
        yield BulletList(headings=headings, items=tuple(item for item in items if item.lines), lead=lead)
    elif (text := read_text(element)).lines:
        yield Paragraph(headings=headings, text=text)


def _tables(element: Tag, headings: Headings, lead: str) -> Iterator[Table]:
    """Yield the table, or several: a separator row in the body starts a new one (sources.md D1.19)."""
    merged = element.find(lambda tag: tag.get("rowspan", "1") != "1" or tag.get("colspan", "1") != "1") is not None
    for header, *rows in _split_at_separators(_grid(element)):
        yield Table(headings=headings, header=header, rows=tuple(rows), merged=merged, lead=lead)


def _grid(element: Tag) -> list[Row]:
    """Rows of the table itself, empty ones left out: an empty header row (D1.20) gives way to the next row."""
    own = (row for row in element.find_all("tr") if row.find_parent("table") is element)
    grid = (tuple(read_text(cell) for cell in row.find_all(["td", "th"], recursive=False)) for row in own)
    return [row for row in grid if any(cell.lines for cell in row)]


def _split_at_separators(grid: list[Row]) -> list[list[Row]]:
    parts: list[list[Row]] = [[]]
    for row in grid:
        if all(_is_dashes(cell) for cell in row):
            parts.append([parts[-1].pop()] if parts[-1] else [])
        else:
            parts[-1].append(row)
    return [part for part in parts if part]


def _is_dashes(cell: Text) -> bool:
    return bool(_SEPARATOR.match(cell.text))
