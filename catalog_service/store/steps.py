"""The past of each source, step by step along upstream's time, imported and live versions in one order.

What is valid when is as `Versions.valid` says: a version began, or was seen once more, or upstream was closed
(docs/adr/0006). Called by `api.reads.chronicles`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import pairwise

from msgspec import Struct

from catalog_service.catalog.chronicle import Moment, Step
from catalog_service.catalog.diff import added, diff, removed
from catalog_service.store import codec, keys
from catalog_service.store.at_once import at_once
from catalog_service.store.connect import Store
from catalog_service.store.leases import Ask
from schema.change import Changeset
from schema.version import Version


class Line(Struct, frozen=True):
    """Which version of a source was valid since when, oldest first; two that follow each other are never the same."""

    source: str
    moments: tuple[Moment, ...]

    def goes_on_from(self, moments: tuple[Moment, ...]) -> bool:
        """Tell whether ``moments`` are how this line begins."""
        return self.moments[: len(moments)] == moments


async def lines(store: Store) -> tuple[Line, ...]:
    """Return the line of every source that has versions of either kind, by name; one step of Redis reads them all."""
    ask: Ask = store.redis.execute_command
    names = sorted(name.decode() for name in await ask("SMEMBERS", keys.SOURCES))
    of_sources = (key for name in names for key in (keys.timeline(name), keys.seen(name)))
    asked = (("ZRANGE", key, 0, -1, "WITHSCORES") for key in of_sources)
    pruned, *answers = await at_once(store.redis, (("ZRANGE", keys.GONE, 0, -1), *asked))
    gone = frozenset(map(int, pruned))
    several = zip(names, answers[::2], answers[1::2], strict=True)
    found = (Line(name, tuple(_kept(_moments(began, seen), gone))) for name, began, seen in several)
    return tuple(line for line in found if line.moments)


async def steps(store: Store, line: Line, after: int = 0) -> tuple[Step, ...]:
    """Return the steps of ``line`` past its first ``after``.

    Raises:
        GoneError: a version was pruned since the line was read.
        CorruptContentError: what is stored does not match a version's digest.
    """
    moments = line.moments[max(0, after - 1) :]
    wanted = sorted({moment.version for moment in moments} - {0})
    known = {version.version: version for version in await store.versions.versions(wanted)}
    ask: Ask = store.redis.execute_command
    stored = dict(zip(wanted, await ask("HMGET", keys.CHANGESETS, *wanted), strict=True))
    pairs = list(pairwise(moments)) if after else [(None, moments[0]), *pairwise(moments)]
    found = []
    for before, moment in pairs:
        was, now = known.get(before.version) if before else None, known.get(moment.version)
        data = stored[now.version] if now and was and now.previous == was.version else None
        changes = await (asyncio.to_thread(codec.unpack_changes, data) if data else _between(store, was, now))
        found.append(Step(moment, changes))
    return tuple(found)


async def _between(store: Store, was: Version | None, now: Version | None) -> Changeset:
    """Return what leads from one content to another where no changeset says it: between chains, to and from nothing."""
    before, after = [await store.contents.content_of(one) if one else None for one in (was, now)]
    if before and after:
        return await asyncio.to_thread(diff, before.endpoint_sets, after.endpoint_sets)
    there = before or after
    return tuple(map(removed if before else added, there.endpoint_sets)) if there else ()


def _moments(began: list[bytes], seen: list[bytes]) -> Iterator[Moment]:
    """Yield which version was valid since when; of one instant, the version that began with it is the last word."""
    starts = [(float(at), 1, int(number)) for number, at in _paired(began)]
    known = {number for _, _, number in starts} | {0}
    again = [(float(at), 0, int(name.partition(b"@")[0])) for name, at in _paired(seen)]
    valid: int | None = None
    for at, _, number in sorted([*starts, *(one for one in again if one[2] in known)]):
        if number != valid and (number or valid is not None):
            yield Moment(datetime.fromtimestamp(at, UTC), number)
            valid = number


def _kept(moments: Iterable[Moment], gone: frozenset[int]) -> Iterator[Moment]:
    """Yield ``moments`` without those of pruned versions (docs/adr/0009); where some were is a gap, and marked so."""
    gap_from: datetime | None = None
    for moment in moments:
        if moment.version in gone:
            gap_from = gap_from or moment.at
        else:
            yield Moment(moment.at, moment.version, gap_from)
            gap_from = None


def _paired(flat: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)
