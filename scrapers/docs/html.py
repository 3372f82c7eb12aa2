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
from scrapers.docs.blocks import HEADINGS, blocks_of
from scrapers.docs.inline import is_second_language, repair_breaks, visible
from scrapers.docs.labels import label_html
from scrapers.docs.page import Page

_LEAVES = (*HEADINGS, "p", "table", "ul", "ol", "pre", "hr")
_CONTAINERS = frozenset({"div", "section", "article", "main", "blockquote", "details", "body", "center", "dl", "form"})
_UNREAD = frozenset({"script", "style", "nav", "header", "footer", "template", "noscript", "button", "head"})
_UNREAD_IDS = ("ms--", "site-user-feedback", "article-metadata", "article-header", "center-doc-outline")
_ALERTS = frozenset({"NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION", "alert"})
_SCRIPT = re.compile(r"<(script|style)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_DEEPEST = 100
"""Real pages go 32 deep."""
_HTML_OPEN = re.compile(r"<html[\s>]", re.IGNORECASE)
_HTML_END = re.compile(r"</html\s*>", re.IGNORECASE)


def page_from_html(html: str, metadata: tuple[tuple[str, str], ...] = ()) -> Page:
    """Return the page; ``metadata`` goes before what the head of ``html`` says."""
    soup = BeautifulSoup(repair_breaks(html), "lxml")
    _refuse_deep(soup)
    label_html(soup)
    main = soup.select_one("main, [role=main]") or soup.body or soup
    heading = main.find("h1") or soup.find("title")
    known = (*metadata, *_metadata(soup))
    return Page(
        title=visible(heading.get_text()) if heading else dict(known).get("title", ""),
        metadata=known,
        blocks=tuple(blocks_of(_article(main))),
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
    if tag.name not in HEADINGS:
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


def _refuse_deep(soup: BeautifulSoup) -> None:
    """Raise ParseError where elements stand in each other deeper than any page's: reading them has no end in time."""
    depths = {id(soup): 0}
    for node in soup.descendants:
        if isinstance(node, Tag):
            depths[id(node)] = depth = depths[id(node.parent)] + 1
            if depth > _DEEPEST:
                reason = f"its elements stand in each other more than {_DEEPEST} deep"
                raise ParseError("the document is no page", reasons=(reason,))
