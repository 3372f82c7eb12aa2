"""What every channel says of a message, in plain text.

In: a `Message`. Out: a `Words`: each text on one line, of bounded length, without control characters, so that a channel
has to mind its own markup alone. Called by the channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec import UNSET, Struct

from catalog_service.export.diffs.telling import cut, entry_in_words, in_words, one_line, value_text
from catalog_service.views.diffs import DiffEntry, ServiceChanges, by_service
from catalog_service.views.events import CommittedData, Data, DisabledData, HeldData, Message, PingData, SourceData
from schema.change import AttributeChange
from schema.event import EventType

_MOST_TITLE = 150
_MOST_SENTENCE = 1000
_MOST_NOTE = 300
_MOST_NOTES = 10
_MOST_NAME = 200


class SetWords(Struct, frozen=True):
    """What happened to one endpoint set."""

    title: str
    what: str
    """``changed, +1 -2 prefixes; AddedIp``"""
    attributes: tuple[str, ...]
    """``name: before → after``"""
    added: tuple[str, ...]
    """Prefixes, then names: all of them."""
    removed: tuple[str, ...]


class ServiceWords(Struct, frozen=True):
    """The endpoint sets of one service of one source."""

    name: str
    """``source: service``"""
    counts: str
    """Of all its endpoint sets, also of those that are left out here."""
    sets: tuple[SetWords, ...]
    """Never empty."""


class Words(Struct, frozen=True):
    """A message for people."""

    title: str
    """Up to 150 characters."""
    sentence: str
    """Up to 1,000."""
    notes: tuple[str, ...]
    """More sentences, up to eleven of 300 characters: reasons, what was left out, what to do."""
    services: tuple[ServiceWords, ...]
    more_count: int
    """Endpoint sets that are left out; ``page`` has them."""
    page: str
    """Where there is more: an absolute address."""


def words_of(message: Message, most_sets: int) -> Words:
    """Return what ``message`` says, with at most ``most_sets`` endpoint sets one by one."""
    data = message.data
    changes = data.changes or () if isinstance(data, CommittedData) else ()
    services = tuple(_services(by_service(changes), most_sets))
    return Words(
        title=cut(f"Endpoint catalogue: {_title(message.type, data)}", _MOST_TITLE),
        sentence=cut(data.summary, _MOST_SENTENCE),
        notes=tuple(_bounded_notes(list(_notes(data)))),
        services=services,
        more_count=len(changes) - sum(len(service.sets) for service in services),
        page=data.links.page,
    )


def more_in_words(count: int) -> str:
    """Return the line that stands for what is left out."""
    return f"and {count:,} more endpoint set{'' if count == 1 else 's'}"


def _title(kind: EventType, data: Data) -> str:
    match data:
        case CommittedData():
            whose = data.sources[0] if len(data.sources) == 1 else f"{len(data.sources)} sources"
            one = len(data.versions) == 1
            return f"version {data.version}, {whose}" if one else f"{len(data.versions)} versions, {whose}"
        case HeldData():
            return f"a version of {data.source} waits for a decision"
        case DisabledData():
            return f"subscription {data.subscription} is disabled"
        case PingData():
            return f"{'confirm' if data.challenge else 'test of'} subscription {data.subscription}"
    return f"{data.source} {'is well again' if kind is EventType.RECOVERED else 'may be behind upstream'}"


def _notes(data: Data) -> Iterator[str]:
    match data:
        case CommittedData(changes=None):
            yield "The changes themselves are on the page."
        case PingData(challenge=str(code)):
            yield f"To confirm it: catalog-service subscription verify {data.subscription} {code}"
        case HeldData(reasons=reasons) | SourceData(reasons=reasons) | DisabledData(reasons=reasons):
            yield from reasons if len(reasons) > 1 else ()  # the sentence has the first


def _bounded_notes(notes: list[str]) -> Iterator[str]:
    yield from (cut(note, _MOST_NOTE) for note in notes[:_MOST_NOTES])
    if len(notes) > _MOST_NOTES:
        yield f"and {len(notes) - _MOST_NOTES:,} more"


def _services(groups: Iterable[ServiceChanges], most_sets: int) -> Iterator[ServiceWords]:
    left = most_sets
    for group in groups:
        sets = tuple(map(_set, islice(group.changes, left)))
        if not sets:
            return
        left -= len(sets)
        yield ServiceWords(cut(f"{group.source}: {group.service}", _MOST_NAME), in_words(group.summary), sets)


def _set(entry: DiffEntry) -> SetWords:
    return SetWords(
        title=cut(entry.title or entry.id, _MOST_NAME),
        what=entry_in_words(entry),
        attributes=tuple(cut(_attribute(one), _MOST_NOTE) for one in entry.attributes),
        added=tuple(map(one_line, (*entry.prefixes_added, *entry.fqdns_added))),
        removed=tuple(map(one_line, (*entry.prefixes_removed, *entry.fqdns_removed))),
    )


def _attribute(change: AttributeChange) -> str:
    before, after = ("absent" if side is UNSET else value_text(side) for side in (change.previous, change.current))
    return f"{change.name}: {before} → {after}"
