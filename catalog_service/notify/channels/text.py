"""A message as plain text: the text half of e-mail, and what apprise sends.

In: a `Words`. Out: lines, without the title, which both have a place of their own for. Called by `mail` and `apprise`.
"""

from __future__ import annotations

from collections.abc import Iterator

from catalog_service.notify.channels.words import SetWords, Words, more_in_words


def as_text(what: Words, most_members: int) -> str:
    """Return ``what`` as text, with at most ``most_members`` members added and as many removed of each endpoint set."""
    return "\n".join(_lines(what, most_members)) + "\n"


def _lines(what: Words, most_members: int) -> Iterator[str]:
    yield what.sentence
    for note in what.notes:
        yield from ("", note)
    for service in what.services:
        yield from ("", f"{service.name} ({service.counts})")
        for one in service.sets:
            yield f"* {one.title}: {one.what}"
            yield from _members(one, most_members)
    if what.more_count:
        yield from ("", more_in_words(what.more_count))
    yield from ("", what.page)


def _members(one: SetWords, most: int) -> Iterator[str]:
    if not most:
        return
    yield from (f"    {attribute}" for attribute in one.attributes)
    for sign, members in (("-", one.removed), ("+", one.added)):
        yield from (f"    {sign} {member}" for member in members[:most])
        if len(members) > most:
            yield f"    {sign} and {len(members) - most:,} more"
