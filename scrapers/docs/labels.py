"""Tabs, zones, folded sections and table captions say what stands in them, as headings do: they become such.

    # [GCC High](#tab/gcch) ... ---                         <h6 data-label="8">GCC High</h6> ... <hr data-label="8">
    ::: zone pivot="gcc-high" ... ::: zone-end              <h6 data-label="7">gcc high</h6> ... <hr data-label="7">
    <details><summary>GCC High</summary> ... </details>     <h6 data-label="9">GCC High</h6> ... <hr data-label="9">

In: the Markdown, or the parsed HTML with its panels. Out: the same with labels where they begin and end, which
`html` puts on the heading path when they name a cloud. The number is the depth: a zone may hold tabs.
"""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Tag

from scrapers.docs.cloud_words import names_unread_cloud, read_cloud_words

LABEL = "data-label"
ZONE, TAB, FOLD, LINE = 7, 8, 9, 10
"""Depths below h6. A line is a caption, of its table, or a paragraph all in bold, up to the next or a heading."""
_TAB = re.compile(r"^[ \t>]*#+[ \t]*\[(?P<label>[^\]]*)\]\(#tab/[^)]*\)[ \t]*$", re.MULTILINE | re.IGNORECASE)
_ZONE = re.compile(r"^[ \t]*:::[ \t]*zone\b.*?\bpivot=[\"'](?P<label>[^\"']*)[\"'].*$", re.MULTILINE | re.IGNORECASE)
_ZONE_END = re.compile(r"^[ \t]*:::[ \t]*zone-end\b.*$", re.MULTILINE | re.IGNORECASE)


def label_markdown(text: str) -> str:
    """Return Markdown with its tab headings and zones as labels; a rule (``---``) ends tabs."""
    text = _TAB.sub(lambda found: _start(found["label"], TAB), text)
    text = _ZONE.sub(lambda found: _start(found["label"].replace("-", " "), ZONE), text)
    return _ZONE_END.sub(f'\n\n<hr {LABEL}="{ZONE}">\n\n', text)


def label_html(soup: BeautifulSoup) -> None:
    """Give the tab panels, zones, folded sections and captions of ``soup`` their labels."""
    tags = [tag for tag in soup.descendants if isinstance(tag, Tag)]
    tabs = {str(tag.get("data-tab")): tag.get_text() for tag in tags if tag.get("role") == "tab"}
    for tag in tags:
        if tag.get("role") == "tabpanel" and tag.has_attr("data-tab"):
            named = str(tag["data-tab"])
            _enclose(soup, tag, tabs.get(named, named), TAB)
        elif tag.has_attr("data-pivot"):
            _enclose(soup, tag, str(tag["data-pivot"]).replace("-", " "), ZONE)
        elif tag.name == "summary" and isinstance(tag.parent, Tag) and not tag.find_parent("table"):
            _enclose(soup, tag.parent, tag.get_text(), FOLD)
            tag.decompose()
        elif tag.name == "caption" and isinstance(tag.parent, Tag):
            tag.parent.insert_before(_mark(soup, "h6", LINE, tag.get_text()))
            tag.parent.insert_after(_mark(soup, "hr", LINE, ""))


def names_cloud(label: str) -> bool:
    """Say whether a label is for the heading path: "GCC High" is, "Azure portal" is not."""
    return bool(read_cloud_words(label).clouds) or names_unread_cloud(label)


def _start(label: str, depth: int) -> str:
    return f'\n\n<h6 {LABEL}="{depth}">{label}</h6>\n\n'


def _enclose(soup: BeautifulSoup, element: Tag, label: str, depth: int) -> None:
    element.insert(0, _mark(soup, "h6", depth, label))
    element.append(_mark(soup, "hr", depth, ""))


def _mark(soup: BeautifulSoup, name: str, depth: int, text: str) -> Tag:
    mark = soup.new_tag(name, attrs={LABEL: str(depth)})
    mark.string = text
    return mark
