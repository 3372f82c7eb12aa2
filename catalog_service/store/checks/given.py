"""Which numbers were given to versions, by all that a commit writes, so that no repair takes a lost one for none.

In: the names in records, indexes, contents and the newest events. Out: the highest number that was given; all below it
were too. A version, a content or an event that can be read proves its number; of the rest one place alone proves
nothing, and two do. Called by `facts`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import Any

from redis.exceptions import ResponseError

from catalog_service.store import codec, keys, shape
from catalog_service.store.checks.finding import Command
from catalog_service.store.connect import Store
from catalog_service.store.leases import Ask
from schema.errors import CorruptContentError
from schema.event import place_of
from schema.version import Version

_LEEWAY = 100_000
"""So many more numbers may have been given than are named anywhere: one beyond is a stray, not a loss."""
_MOST_DIGITS = 18
_NEWEST = 50
_CONTENTS = (
    (keys.CHANGESETS, codec.unpack_changes), (keys.KEYFRAMES, codec.unpack_records), (keys.MARKS, codec.unpack_marks),
)  # fmt: skip
_OF_SOURCE = (keys.line, keys.keyframed)


async def last_given(store: Store, counted: Iterable[bytes | None]) -> int:
    """Return the highest number that was given to a version, 0 where none was; ``counted``: head and last as stored."""
    ask: Ask = store.redis.execute_command
    places = Counter(number for name in counted if (number := number_of(name or b"")))
    async for names in _named(ask):
        places.update({number for name in names if (number := number_of(name))})
    proven = await _in_events(ask)
    possible = {*places, *proven}
    most = len(possible) + _LEEWAY
    agreed = max((one for one in possible if one <= most and (one in proven or places[one] > 1)), default=0)
    for number in sorted(one for one in possible if agreed < one <= most)[::-1]:
        if await is_readable(ask, number):
            return number
    return agreed


def number_of(name: bytes) -> int:
    """Return the number that ``name`` is, 0 where it is none."""
    return int(name) if name.isdigit() and len(name) <= _MOST_DIGITS else 0


def read_version(number: int, data: bytes | None) -> Version | None:
    """Return version ``number`` as stored; None where it is missing, unreadable or another one."""
    try:
        version = codec.unpack(data, Version) if data else None
    except CorruptContentError:
        return None
    return version if version and version.version == number else None


async def is_readable(ask: Ask, number: int) -> bool:
    """Tell whether a record or a content of ``number`` is there that can be read."""
    if read_version(number, await _answer(ask, ("HGET", keys.VERSIONS, number))):
        return True
    for key, unpack in _CONTENTS:
        data = await _answer(ask, ("HGET", key, number))
        try:
            if data and unpack(data) is not None:
                return True
        except CorruptContentError:
            continue
    return False


async def _named(ask: Ask) -> AsyncIterator[Iterable[bytes]]:
    """Yield what each place names."""
    for key in (keys.VERSIONS, *(key for key, _ in _CONTENTS)):
        yield await _answer(ask, ("HKEYS", key)) or ()
    yield await _answer(ask, ("HVALS", keys.LIVE)) or ()
    sources = set(await _answer(ask, ("SMEMBERS", keys.SOURCES)) or ())
    for key in shape.SOURCED:
        sources |= {*(await _answer(ask, ("HKEYS", key)) or ())}
    names = [name.decode(errors="replace") for name in sorted(sources)]
    lines = [keys.LINE, keys.TIMELINE, *map(keys.timeline, names)]
    lines += [key(name, imported=kind) for key in _OF_SOURCE for name in names for kind in (False, True)]
    for line in lines:
        yield await _answer(ask, ("ZRANGE", line, 0, -1)) or ()


async def _in_events(ask: Ask) -> set[int]:
    """Return the numbers of the newest events, where the event tells of that version."""
    found = await _answer(ask, ("XREVRANGE", keys.EVENTS, "+", "-", "COUNT", _NEWEST)) or ()
    places = [(place_of(id_.decode()), fields.get(b"version")) for id_, fields in found]
    return {place.version for place, data in places if place and read_version(place.version, data)}


async def _answer(ask: Ask, command: Command) -> Any:
    """Return what Redis answers, None where the key is of another kind: the other places tell still."""
    try:
        return await ask(*command)
    except ResponseError as error:
        if "WRONGTYPE" not in str(error):
            raise
        return None
