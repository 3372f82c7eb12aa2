"""A docs page in HTML becomes a `Page`: frames of learn.microsoft.com 2025-26 and docs.microsoft.com 2017.

The article is every ``div.content`` of the main element, the first of which holds the h1 alone in
the 2025 frame; what surrounds it (the hidden private section, headings whose id begins with
``ms--``, feedback) is not read. Hidden tab panels are (sources.md D4). Rendered Markdown is read here too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bs4 import BeautifulSoup, Comment, Tag
from bs4.element import PageElement

from schema.errors import ParseError
from scrapers.docs.inline import is_second_language, read_text, repair_breaks, visible
from scrapers.docs.page import Block, BulletList, Headings, Page, Paragraph, Row, Table, Text

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_LEAVES = (*_HEADINGS, "p", "table", "ul", "ol", "pre")
_CONTAINERS = frozenset({"div", "section", "article", "main", "blockquote", "details", "body", "center", "dl", "form"})
_UNREAD = frozenset({"script", "style", "nav", "header", "footer", "template", "noscript", "button", "head"})
_UNREAD_IDS = ("ms--", "site-user-feedback", "article-metadata", "article-header", "center-doc-outline")
_ALERTS = frozenset({"NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION", "alert"})
_SCRIPT = re.compile(r"<(script|style)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_HTML_OPEN = re.compile(r"<html[\s>]", re.IGNORECASE)
_HTML_END = re.compile(r"</html\s*>", re.IGNORECASE)
_SEPARATOR = re.compile(r"^:?-{2,}:?$")


def page_from_html(html: str, metadata: tuple[tuple[str, str], ...] = ()) -> Page:
    """Return the page; ``metadata`` goes before what the head of ``html`` says."""
    soup = BeautifulSoup(repair_breaks(html), "lxml")
    main = soup.select_one("main, [role=main]") or soup.body or soup
    heading = main.find("h1") or soup.find("title")
    known = (*metadata, *_metadata(soup))
    return Page(
        title=visible(heading.get_text()) if heading else dict(known).get("title", ""),
        metadata=known,
        blocks=tuple(_blocks(_article(main))),
        bilingual=soup.find(is_second_language) is not None,
    )


def refuse_truncated(html: str) -> None:
    """Look for the end of a whole document; a fragment without ``<html`` needs none.

    Raises:
        ParseError: the document begins and does not end, or a comment does.
    """
    bare = _SCRIPT.sub("", html)
    if _HTML_OPEN.search(bare) and not _HTML_END.search(bare):
        raise _truncated("</html> is missing")
    refuse_open_comment(bare)


def refuse_open_comment(html: str) -> None:
    """Raise ParseError where a comment has no end: every reader leaves out all that follows."""
    start = html.rfind("<!--")
    if start >= 0 and "-->" not in html[start + 2 :]:
        raise _truncated("a comment has no end")


def _truncated(reason: str) -> ParseError:
    return ParseError("the document is truncated", reasons=(f"the document is truncated: {reason}",))


def _metadata(soup: BeautifulSoup) -> Iterator[tuple[str, str]]:
    for tag in soup.find_all("meta"):
        name, content = tag.get("name"), tag.get("content")
        if isinstance(name, str) and isinstance(content, str):
            yield name, content


def _article(main: Tag) -> Iterator[Tag]:
    contents = [tag for tag in main.select("div.content") if not tag.find_parent("div", class_="content")]
    for root in contents or [main]:
        yield from _elements(root)


def _elements(node: Tag) -> Iterator[Tag]:
    """Yield headings, paragraphs, tables and lists in document order, whatever they are wrapped in."""
    loose: list[PageElement] = []
    for child in _read_children(node):
        if isinstance(child, Tag) and _is_block(child):
            yield from _paragraph(loose)
            loose = []
            yield from (_leaf(child) if child.name in _LEAVES else _elements(child))
        else:
            loose.append(child)
    yield from _paragraph(loose)


def _read_children(node: Tag) -> list[PageElement]:
    children = [child for child in node.children if not isinstance(child, Comment)]
    if _ALERTS.intersection(node.get_attribute_list("class")):
        children = _without_alert_title(children)
    return [child for child in children if not (isinstance(child, Tag) and _is_unread(child))]


def _without_alert_title(children: list[PageElement]) -> list[PageElement]:
    """Drop ``<p>Note</p>``, which is localized and absent from Markdown."""
    tags = [child for child in children if isinstance(child, Tag)]
    return [child for child in children if child is not tags[0]] if len(tags) > 1 else children


def _is_unread(tag: Tag) -> bool:
    return (
        tag.name in _UNREAD
        or str(tag.get("id", "")).startswith(_UNREAD_IDS)
        or tag.has_attr("unauthorized-private-section")
        or tag.get("role") == "tablist"
    )


def _is_block(tag: Tag) -> bool:
    return tag.name in _LEAVES or tag.name in _CONTAINERS or tag.find(_LEAVES) is not None


def _leaf(tag: Tag) -> Iterator[Tag]:
    """Yield ``tag``, then the lists and tables inside it."""
    yield tag
    if tag.name not in _HEADINGS:
        inner = tag.find_all("table") if tag.name == "table" else tag.find_all(["table", "ul", "ol"])
        yield from (found for found in inner if tag.name == "table" or not _is_inside_table(found, tag))


def _is_inside_table(found: Tag, leaf: Tag) -> bool:
    table = found.find_parent("table")
    return table is not None and any(parent is leaf for parent in table.parents)


def _paragraph(loose: Iterable[PageElement]) -> Iterator[Tag]:
    """Wrap inline nodes that stand alone between blocks into a paragraph."""
    wrapper = Tag(name="p")
    for node in loose:
        wrapper.append(node)
    if wrapper.get_text(strip=True):
        yield wrapper


def _blocks(elements: Iterable[Tag]) -> Iterator[Block]:
    path: list[tuple[int, str]] = []
    lead, seen_title = "", False
    for element in elements:
        headings = tuple(text for _, text in path)
        if element.name == "h1" and not seen_title:
            path, lead, seen_title = [], "", True
        elif element.name in _HEADINGS:
            level = int(element.name[1])
            path = [entry for entry in path if entry[0] < level] + [(level, read_text(element).text)]
            lead = ""
        else:
            yield from _block(element, headings, _outer_item(element) or lead)
            lead = read_text(element).text if element.name == "p" else ""


def _outer_item(element: Tag) -> str:
    """Return the text of the bullet that a nested list belongs to: that is what announces it."""
    item = element.find_parent("li") if element.name in ("ul", "ol") else None
    return read_text(item, nested_lists=False).text if item else ""


def _block(element: Tag, headings: Headings, lead: str) -> Iterator[Block]:
    if element.name == "table":
        yield from _tables(element, headings)
    elif element.name in ("ul", "ol"):
        items = (read_text(item, nested_lists=False) for item in element.find_all("li", recursive=False))
        yield BulletList(headings=headings, items=tuple(item for item in items if item.lines), lead=lead)
    elif (text := read_text(element)).lines:
        yield Paragraph(headings=headings, text=text)


def _tables(element: Tag, headings: Headings) -> Iterator[Table]:
    """Yield the table, or several: a separator row in the body starts a new one (sources.md D1.19)."""
    merged = element.find(lambda tag: tag.get("rowspan", "1") != "1" or tag.get("colspan", "1") != "1") is not None
    for header, *rows in _split_at_separators(_grid(element)):
        yield Table(headings=headings, header=header, rows=tuple(rows), merged=merged)


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
