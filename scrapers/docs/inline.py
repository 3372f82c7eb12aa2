"""Text of an element: lines split at breaks, and its code, bold and emphasized spans.

`repair_breaks` works on the HTML text before any parser sees it: lxml drops ``</br>`` and glues the
names on both sides into one (sources.md D1.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bs4 import CData, Tag
from bs4.element import NavigableString, PageElement

from scrapers.docs.page import Text

_BREAK = re.compile(r"<\s*/?\s*br\s*/?\s*>", re.IGNORECASE)
_BOLD_OR_BLOCK = re.compile(r"<(?P<close>/)?(?P<name>b|td|th|tr|p|li|h[1-6])(?:\s[^<>]*)?>", re.IGNORECASE)
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_BLOCKS = frozenset(
    {"p", "div", "li", "ul", "ol", "tr", "td", "th", "pre", "section", "blockquote", "dt", "dd", "details", "summary"}
)
# Two of these side by side are two names; two spans only where each is one: a span may cut a name (sources.md D1.10).
_APART = frozenset({"code", "a", "b", "strong"})
_WHOLE_NAME = re.compile(r"\*?[\w*][\w*-]*(?:\.[\w*-]+)*\.[a-z]{2,}", re.IGNORECASE)
_MARKS = {
    **dict.fromkeys(("code",), "codes"),
    **dict.fromkeys(("strong", "b"), "bolds"),
    **dict.fromkeys(("em", "i"), "emphases"),
    **dict.fromkeys(("del", "s", "strike"), "strikes"),
}
_UNREAD = frozenset({"script", "style", "sup", "table", "template"})


def read_text(element: Tag, *, nested_lists: bool = True) -> Text:
    """Return the visible text of ``element``.

    Footnote marks (``<sup>``), comments and tables inside it are left out, and nested lists on demand.
    Two phrases of a bilingual page never touch (sources.md D1.35).
    """
    unread = _UNREAD if nested_lists else _UNREAD | {"ul", "ol"}
    verbatim = element.name == "pre" or element.find_parent("pre") is not None
    text = "".join(_pieces(element, unread, verbatim=verbatim))
    return Text(lines=tuple(filter(None, map(visible, text.split("\n")))), **_spans(element))


def visible(text: str) -> str:
    """Return ``text`` with white space collapsed and characters of no width removed (sources.md D1.36)."""
    return " ".join(text.translate(_INVISIBLE).split())


def repair_breaks(html: str) -> str:
    """Return ``html`` with all six spellings of a break as ``<br>``.

    ``<br />`` ``<br/>`` ``<br>`` ``<BR>`` ``</br>`` and a ``</b>`` that closes nothing (sources.md D1.1).
    """
    return _stray_bold_ends(_BREAK.sub("<br>", html))


def _stray_bold_ends(html: str) -> str:
    open_count = 0

    def repair(found: re.Match[str]) -> str:
        nonlocal open_count
        if found["name"].lower() != "b":
            open_count = 0
        elif not found["close"]:
            open_count += 1
        elif open_count:
            open_count -= 1
        else:
            return "<br>"
        return found[0]

    return _BOLD_OR_BLOCK.sub(repair, html)


def _pieces(element: Tag, unread: frozenset[str], *, verbatim: bool) -> Iterator[str]:
    for child in element.children:
        if isinstance(child, Tag):
            yield " " if _follows_another(child) else ""
            yield from _tag_pieces(child, unread, verbatim=verbatim or child.name == "pre")
        elif _is_text(child):
            yield str(child) if verbatim else " ".join(_words(str(child)))


def _tag_pieces(tag: Tag, unread: frozenset[str], *, verbatim: bool) -> Iterator[str]:
    if tag.name in unread:
        return
    if tag.name == "br":
        yield "\n"
        return
    apart = tag.name in _BLOCKS or is_second_language(tag)
    yield "\n" if apart else ""
    yield from _pieces(tag, unread, verbatim=verbatim)
    yield "\n" if apart else ""


def _follows_another(tag: Tag) -> bool:
    before = tag.previous_sibling
    if not isinstance(before, Tag):
        return False
    whole = all(_WHOLE_NAME.fullmatch(each.get_text().strip()) for each in (before, tag))
    return {tag.name, before.name} <= _APART or ({tag.name, before.name} == {"span"} and whole)


def is_second_language(tag: Tag) -> bool:
    """Say whether ``tag`` repeats a phrase in the other language of a bilingual page."""
    return "sxs-lookup" in (tag.get_attribute_list("class"))


def _is_text(node: PageElement) -> bool:
    """Comments, doctypes and declarations are strings too, of types of their own."""
    return type(node) in (NavigableString, CData)


def _words(text: str) -> list[str]:
    """Split at white space, keeping an empty word where text begins or ends with it."""
    return re.split(r"\s+", text)


def _spans(element: Tag) -> dict[str, tuple[str, ...]]:
    """Return the texts of marked spans by the field of `Text` they belong to, in one walk."""
    found: dict[str, list[str]] = {}
    for tag in element.descendants:
        if isinstance(tag, Tag) and tag.name in _MARKS and (text := visible(tag.get_text())):
            found.setdefault(_MARKS[tag.name], []).append(text)
    return {field: tuple(texts) for field, texts in found.items()}
