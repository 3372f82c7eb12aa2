"""The content of an entry as HTML: what happened in a sentence, the changes as a table, a link to all of it.

    <p>Azure service tags, Public, version 3: AddedIp in Storage ...</p>
    <table> ... <tr><th>Storage</th><td>added, +1 -0 prefixes</td><td><code>20.60.0.0/16</code></td><td></td></tr>

Whatever comes from an upstream is escaped, and has no control characters: XML cannot hold them. Called by `feed`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from markupsafe import Markup

from catalog_service.export.diffs.telling import entry_in_words, one_line, value_text
from catalog_service.views.diffs import DiffEntry
from catalog_service.views.events import CommittedData, Data, HeldData, SourceData

_MOST_ROWS = 50
_MOST_MEMBERS = 200
"""Of all rows together. With it, an entry has 20 kB at most, about."""
_HEAD = Markup("<thead><tr><th>Endpoint set</th><th>What</th><th>Added</th><th>Removed</th></tr></thead>")
_BREAK = Markup("<br>")


def content(data: Data, changes: Sequence[DiffEntry]) -> str:
    """Return ``data`` as HTML, with ``changes`` as far as there is room for them."""
    parts = [_text("<p>{}</p>", data.summary)]
    if isinstance(data, HeldData | SourceData) and data.reasons:
        parts.append(Markup("<ul>{}</ul>").format(Markup().join(_text("<li>{}</li>", one) for one in data.reasons)))
    if isinstance(data, CommittedData) and changes:
        rows = list(_rows(changes))
        parts.append(Markup("<table>{}<tbody>{}</tbody></table>").format(_HEAD, Markup().join(rows)))
    link = "All changes" if isinstance(data, CommittedData) else "More"
    return str(Markup("{}<p><a href='{}'>{}</a></p>").format(Markup().join(parts), data.links.page, link))


def _rows(changes: Sequence[DiffEntry]) -> Iterator[Markup]:
    """Yield a row a change; those that there is no room for are counted in a last one."""
    room = _MOST_MEMBERS
    row = Markup("<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td></tr>")
    for entry in changes[:_MOST_ROWS]:
        added = _members((*entry.prefixes_added, *entry.fqdns_added), room)
        room -= len(entry.prefixes_added) + len(entry.fqdns_added)
        removed = _members((*entry.prefixes_removed, *entry.fqdns_removed), room)
        room -= len(entry.prefixes_removed) + len(entry.fqdns_removed)
        what = _BREAK.join([_text("{}", entry_in_words(entry)), *_attributes(entry)])
        yield row.format(one_line(entry.title), what, added, removed)
    if len(changes) > _MOST_ROWS:
        yield Markup("<tr><td>and {} more</td></tr>").format(len(changes) - _MOST_ROWS)


def _members(members: Sequence[str], room: int) -> Markup:
    """Return ``members``, as many as there is ``room`` for, and how many more there are."""
    shown = [_text("<code>{}</code>", one) for one in islice(members, max(0, room))]
    more = [Markup("and {} more").format(len(members) - len(shown))] if len(shown) < len(members) else []
    return _BREAK.join([*shown, *more])


def _attributes(entry: DiffEntry) -> Iterator[Markup]:
    for one in entry.attributes:
        before, after = value_text(one.previous), value_text(one.current)
        yield Markup("{}: {} → {}").format(one.name, before or "–", after or "–")


def _text(pattern: str, text: str) -> Markup:
    return Markup(pattern).format(one_line(text))  # noqa: S704 - the pattern is our own, the text is escaped
