"""Teams: the body for a workflow "when a webhook request is received": an Adaptive Card 1.4.

In: a `Message`. Out: JSON of at most 28 kB, as much as Teams takes; the notifier POSTs it through the guarded client.
All text is in RichTextBlocks, whose runs have no Markdown: what comes from an upstream cannot pass for markup.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from catalog_service.notify.channels.words import Words, more_in_words, words_of
from catalog_service.views.events import Message

_MOST_BYTES = 28_000
_MOST_SETS = (20, 10, 5, 0)
"""How many endpoint sets are tried, one after the other; without any it always fits."""

Element = dict[str, object]


def teams_body(message: Message) -> bytes:
    """Return ``message`` for a workflow of Teams."""
    bodies = (_body(words_of(message, most)) for most in _MOST_SETS)
    return next(body for body in bodies if len(body) <= _MOST_BYTES)


def _body(what: Words) -> bytes:
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": what.title,
        "msteams": {"width": "Full"},
        "body": list(_elements(what)),
        "actions": [{"type": "Action.OpenUrl", "title": "Open in the catalogue", "url": what.page}],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return msgspec.json.encode({"type": "message", "attachments": [attachment]})


def _elements(what: Words) -> Iterator[Element]:
    yield _text(_run(what.title, weight="Bolder", size="Large"))
    yield _text(_run(what.sentence))
    yield from (_text(_run(note)) for note in what.notes)
    for service in what.services:
        yield _text(_run(service.name, weight="Bolder"), _run(f"  {service.counts}", isSubtle=True), separator=True)
        yield from (_text(_run(one.title, fontType="Monospace"), _run(f"  {one.what}")) for one in service.sets)
    if what.more_count:
        yield _text(_run(more_in_words(what.more_count), isSubtle=True))


def _text(*runs: Element, separator: bool = False) -> Element:
    return {"type": "RichTextBlock", "separator": separator, "inlines": list(runs)}


def _run(text: str, **style: str | bool) -> Element:
    return {"type": "TextRun", "text": text, **style}
