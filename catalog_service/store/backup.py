"""A backup: all that is stored as of one instant, read in portions while commits and deliveries go on.

What moves (numbers, indexes, people's decisions, queues) is read in one transaction: that is the instant. The rest is
read afterwards, and no later change touches it: a version's record and content never change once its number is given,
nor does a document under its digest; a stream's entries up to the newest of the instant stay. Only two things take any
of it away. Pruning: then the backup begins anew. A document that makes room for a newer one: it is left out, as if it
had gone a moment before. A log of deliveries is read a subscription at a time, without what was told since: that is
told again after a restore, under the same id. Called by the command line.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import IO

from catalog_service.release import RELEASE
from catalog_service.store import backup_file, codec, keys, shape
from catalog_service.store.backup_file import Header, Portion, Written
from catalog_service.store.connect import Store
from catalog_service.store.leases import Ask
from catalog_service.store.migrate import FORMAT as FORM
from catalog_service.store.moment import Entries, Moment, entries_of, moment, own_of, parts, portions
from catalog_service.store.shape import Kind, Named
from schema.errors import StaleHeadError
from schema.event import Place
from schema.subscription import Delivery

_ATTEMPTS = 20
_AT_ONCE = {keys.VERSIONS: 500, keys.CHANGESETS: 100, keys.KEYFRAMES: 4, keys.MARKS: 20}
_STREAM_AT_ONCE = 500


async def back_up(store: Store, file: IO[bytes], now: datetime) -> Written:
    """Write all that ``store`` holds at one instant into ``file``, from its beginning.

    Raises:
        StaleHeadError: versions were pruned again and again meanwhile.
    """
    for _ in range(_ATTEMPTS):
        file.seek(0)
        file.truncate()
        at = await moment(store)
        header = Header(backup_file.FORMAT, RELEASE, FORM, now, at.number(keys.HEAD))
        newest = await _newest(store, at)
        written = await backup_file.write(file, header, _portions(store, at))
        if await _is_whole(store, at, newest):
            return written
    raise StaleHeadError("versions were pruned faster than they could be read: try again")


async def _portions(store: Store, at: Moment) -> AsyncIterator[Portion]:
    fetched = {keys.fetched(source): source for source in at.sources}
    for name, entries in at.held.items():
        kept = list(entries)
        if source := fetched.get(name.key):
            kept.clear()
            async for entry, portion in _documents(store, source, entries):
                kept.append(entry)
                yield portion
        for portion in portions(name, kept):
            yield portion
    async for portion in _contents(store, at):
        yield portion
    async for portion in _streams(store, at):
        yield portion
    for subscription in at.subscriptions:
        for name, entries in _told_by(at.newest, await own_of(store, subscription)):
            for portion in portions(name, entries):
                yield portion


async def _documents(store: Store, source: str, fetched: Entries) -> AsyncIterator[tuple[tuple[bytes, ...], Portion]]:
    """Yield each entry of ``fetched`` whose document is kept still, and the document."""
    ask: Ask = store.redis.execute_command
    key = keys.documents(source)
    for entry in fetched:
        document = await ask("HGET", key, entry[0])
        if document is not None:
            yield entry, Portion(key, Kind.HASH, ((entry[0], document),))


async def _contents(store: Store, at: Moment) -> AsyncIterator[Portion]:
    """Yield the records and contents of every version; of keyframes those that were there."""
    gone = {int(number) for number in at.members(keys.GONE)}
    numbers = range(1, max(at.number(keys.LAST), at.number(keys.HEAD)) + 1)
    lines = (keys.keyframed(source, imported=kind) for source in at.sources for kind in (False, True))
    keyframed = sorted(int(number) for line in lines for number in at.members(line))
    kept = [number for number in numbers if number not in gone]
    wanted: dict[str, Sequence[int]] = {
        keys.VERSIONS: numbers, keys.CHANGESETS: kept, keys.KEYFRAMES: keyframed, keys.MARKS: keyframed,
    }  # fmt: skip
    ask: Ask = store.redis.execute_command
    for name in shape.LASTING:
        for part in parts(wanted[name.key], _AT_ONCE[name.key]):
            found = zip(part, await ask("HMGET", name.key, *part), strict=True)
            entries = tuple((str(number).encode(), data) for number, data in found if data is not None)
            if entries:
                yield Portion(name.key, name.kind, entries)


async def _streams(store: Store, at: Moment) -> AsyncIterator[Portion]:
    ask: Ask = store.redis.execute_command
    for name in shape.STREAMS:
        start, end = b"-", at.ends.get(name.key)
        while end and (found := await ask("XRANGE", name.key, start, end, "COUNT", _STREAM_AT_ONCE)):
            yield Portion(name.key, name.kind, entries_of(name.kind, found))
            start = b"(" + found[-1][0]


def _told_by(newest: Place, own: tuple[tuple[Named, Entries], ...]) -> tuple[tuple[Named, Entries], ...]:
    """Return a log of deliveries without those of events past ``newest``."""
    later = {id_ for id_, data in own[0][1] if _is_past(newest, data)}
    return tuple((name, tuple(entry for entry in entries if entry[0] not in later)) for name, entries in own)


def _is_past(newest: Place, data: bytes) -> bool:
    delivery = codec.readable(data, Delivery)
    return bool(delivery and delivery.parcel.last > newest)


async def _is_whole(store: Store, at: Moment, newest: bytes | None) -> bool:
    """Tell whether nothing was pruned since ``at``, nor another history restored."""
    pruned = (await store.floor.number(), await store.floor.dropped_count())
    is_same = await _newest(store, at) == newest
    return is_same and pruned == (at.number(keys.FLOOR), len(at.members(keys.GONE)))


async def _newest(store: Store, at: Moment) -> bytes | None:
    """Return the record of the version that was the head ``at`` that moment, as stored."""
    ask: Ask = store.redis.execute_command
    found: bytes | None = await ask("HGET", keys.VERSIONS, at.number(keys.HEAD))
    return found
