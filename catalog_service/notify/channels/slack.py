"""Slack: the body for an incoming webhook: Block Kit, and the same in one line for notifications.

In: a `Message`. Out: JSON, which the notifier POSTs through the guarded client. What comes from an upstream stands in
plain text or in a code span, escaped: it can neither mention anyone nor pass for markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from catalog_service.notify.channels.words import ServiceWords, Words, more_in_words, words_of
from catalog_service.views.events import Message

_MOST_SETS = 20
"""With these there are at most 26 blocks of the 50 that Slack takes in a message (its Block Kit reference)."""
_MOST_TEXT = 3000
"""Characters of a section's text, and of a button's address (the same reference)."""

Block = dict[str, object]


def slack_body(message: Message) -> bytes:
    """Return ``message`` for an incoming webhook of Slack."""
    what = words_of(message, _MOST_SETS)
    fallback = _escaped(f"{what.title}: {what.sentence}")
    return msgspec.json.encode({"text": fallback, "blocks": list(_blocks(what))})


def _blocks(what: Words) -> Iterator[Block]:
    yield {"type": "header", "text": _plain(what.title)}
    yield {"type": "section", "text": _plain(what.sentence)}
    if what.notes:
        yield _section(f"• {_code(note)}" for note in what.notes)
    yield from (_section(_service(service)) for service in what.services)
    if what.more_count:
        yield {"type": "context", "elements": [_plain(more_in_words(what.more_count))]}
    if len(what.page) <= _MOST_TEXT:
        button = {"type": "button", "text": _plain("Open in the catalogue"), "url": what.page}
        yield {"type": "actions", "elements": [button]}


def _service(service: ServiceWords) -> Iterator[str]:
    yield f"{_code(service.name)} {_escaped(service.counts)}"
    yield from (f"• {_code(one.title)} {_escaped(one.what)}" for one in service.sets)


def _section(lines: Iterable[str]) -> Block:
    """Return ``lines`` of mrkdwn, each shorter than a section: those that fit, and how many do not."""
    kept: list[str] = []
    room, left = _MOST_TEXT - len("and 1,000 more"), 0
    for line in lines:
        room -= len(line) + 1
        if room >= 0:
            kept.append(line)
        else:
            left += 1
    text = "\n".join([*kept, f"and {left} more"] if left else kept)
    # verbatim: names are not made into links, and no word into a mention.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def _code(text: str) -> str:
    return f"`{_escaped(text).replace('`', chr(39)) or ' '}`"


def _escaped(text: str) -> str:
    """Return ``text`` with the three characters escaped that start markup in Slack's messages."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
