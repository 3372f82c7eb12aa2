"""A docs page in Markdown becomes a `Page`, through the very table reader that HTML goes through.

Before rendering, three things are put right that CommonMark would lose: stars of host names are
not emphasis (sources.md D1.5), cells beyond the header are kept (D1.18), and directives of the docs
platform (includes, images, alerts, tabs) are not text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from markdown_it import MarkdownIt

from schema.errors import ParseError
from scrapers.docs.html import page_from_html, refuse_open_comment
from scrapers.docs.labels import label_markdown
from scrapers.docs.page import Page

_FRONT_MATTER = re.compile(r"\A\s*---[ \t]*\n(?P<fields>.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^(?P<name>[\w.-]+):[ \t]*(?P<value>.*?)[ \t]*$", re.MULTILINE)
_DIRECTIVE = re.compile(
    r"^[ \t]*:::.*$"  # images
    r"|\[!INCLUDE[ \t]*\[(?P<label>[^\]]*)\]\((?P<target>[^)]*)\)\]"
    r"|\[!(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION|div|VIDEO)\b[^\]]*\]",
    re.MULTILINE | re.IGNORECASE,
)
# Includes of every page on the site, by the words of their file names; anything else may hold endpoints.
_NOISE = re.compile(
    r"\b(?:banner|footer|rebrand|notes?|prerequisites?|detailed-docs|cc|disclaimer|preview|feedback|sku|retire\w*|pn|tn|proc)\b"
)
_WITH_ENDPOINTS = re.compile(r"endpoint|\burls?\b|\bips?\b|address|domain|service-?tag|region|allow-?list|\btables?\b")
_SEPARATOR = re.compile(r"^[\s>]*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_SEE_ALSO = re.compile(r"#{1,6}\s+(?:see also|next steps|related (?:articles|content|topics))$", re.IGNORECASE)
_BULLET = re.compile(r"[ \t]*(?:[*+-]|\d+[.)])[ \t]")
_PIPE = re.compile(r"(?<!\\)\|")

# A private character stands for a host name's star while CommonMark looks at the text; it is a
# letter to the emphasis rules, so that **\*.example.com** stays bold.
_STAR = "\ue000"
_LABEL_STAR = re.compile(r"(?<![\w\\*])(?P<bold>\*\*)?\\?\*(?=\.[\w{#])")
_TOKEN = re.compile(r"[\w.#\\*-]*\*[\w.#\\*-]*")
_STARRED_NAME = re.compile(r"^(?:\*\*)?(?P<name>\\?\*?[\w#-][\w#*\\-]*(?:\.[\w#*\\-]+)+\.[A-Za-z][\w-]*\.?)(?:\*\*)?$")


def page_from_markdown(text: str) -> Page:
    """Return the page.

    Raises:
        ParseError: a comment has no end, so that the rest of the page is lost.
    """
    text = text.replace("\r\n", "\n")
    front_matter = _FRONT_MATTER.match(text)
    body = text[front_matter.end() :] if front_matter else text
    rendered = MarkdownIt("commonmark").enable("table").render(_prepared(body)).replace(_STAR, "*")
    metadata = tuple(_fields(front_matter["fields"])) if front_matter else ()
    refuse_open_comment(rendered)
    page = page_from_html(f"<html><body>{rendered}</body></html>", metadata)
    return msgspec.structs.replace(page, includes=tuple(_includes(body)))


def refuse_open_end(text: str) -> None:
    """Look at the end of a whole document: without a line break it may end in a closed row, a link or a sentence.

    Raises:
        ParseError: it ends in the midst of a table row, of a bullet or of a word.
    """
    *_, above, last = ("", *text.rstrip(" \t").splitlines())
    if text.endswith("\n") or last.endswith((")", "]", ">")) or _SEE_ALSO.match(last):
        return
    row_is_whole = last.endswith("|") and last.count("|") >= above.count("|")
    sentence_is_whole = last.endswith((".", "!", "?")) and "|" not in last and not _BULLET.match(last)
    if not (row_is_whole or sentence_is_whole):
        reason = f"the document is truncated: it ends in {last[-120:]!r}"
        raise ParseError("the document is truncated", reasons=(reason,))


def _includes(body: str) -> Iterator[str]:
    """Yield the targets of includes, but for those whose name says that they hold no endpoint (sources.md D1.32)."""
    for found in _DIRECTIVE.finditer(body):
        names = f"{found['label']} {(found['target'] or '').rpartition('/')[2]}".lower().replace("_", "-")
        if found["target"] is not None and (not _NOISE.search(names) or _WITH_ENDPOINTS.search(names)):
            yield found["target"]


def _fields(front_matter: str) -> Iterator[tuple[str, str]]:
    """Yield one-line fields; lists and comments are skipped, blank lines are tolerated (sources.md D1.34)."""
    for field in _FIELD.finditer(front_matter):
        yield field["name"], field["value"].strip("'\"")


def _prepared(body: str) -> str:
    return "\n".join(_widened(_protect_stars(_DIRECTIVE.sub("", label_markdown(body))).split("\n")))


def _protect_stars(text: str) -> str:
    r"""Replace stars of host names: ``*.x``, ``\*.x``, ``a.*.x``, ``*a.b.x``; leave emphasis and bold alone."""
    labeled = _LABEL_STAR.sub(lambda found: (found["bold"] or "") + _STAR, text)
    return _TOKEN.sub(_protect_token, labeled)


def _protect_token(token: re.Match[str]) -> str:
    starred = _STARRED_NAME.match(token[0])
    if not starred:
        return token[0]
    start, end = starred.span("name")
    name = starred["name"].replace("\\*", _STAR).replace("*", _STAR)
    return token[0][:start] + name + token[0][end:]


def _widened(lines: list[str]) -> list[str]:
    """Give every table's header and separator as many cells as its widest row.

    GFM drops the cells of a row beyond the header without a word; a name in one would be lost.
    """
    widened, position = list(lines), 1
    while position < len(lines):
        if _is_separator(lines[position]) and _PIPE.search(lines[position - 1]):
            end = _table_end(lines, position)
            width = max(_cell_count(line) for line in lines[position - 1 : end])
            widened[position - 1] = _widen(lines[position - 1], width, " |")
            widened[position] = _widen(lines[position], width, "---|")
            position = end
        position += 1
    return widened


def _is_separator(line: str) -> bool:
    return "|" in line and _SEPARATOR.match(line) is not None


def _table_end(lines: list[str], separator: int) -> int:
    """Return the index after the table's last row: rows go on to a line without a pipe."""
    position = separator + 1
    while position < len(lines) and _PIPE.search(lines[position]):
        position += 1
    return position


def _cell_count(line: str) -> int:
    bare = line.strip(" \t>")
    inner = bare.removeprefix("|")
    inner = inner.removesuffix("|") if not inner.endswith("\\|") else inner
    return len(_PIPE.findall(inner)) + 1


def _widen(line: str, width: int, cell: str) -> str:
    missing = width - _cell_count(line)
    if missing <= 0:
        return line
    closed = line.rstrip() if line.rstrip().endswith("|") else f"{line.rstrip()} |"
    return closed + cell * missing
