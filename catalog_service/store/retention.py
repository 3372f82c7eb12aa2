"""Pruning: contents of old live versions are dropped, what is kept stays whole (docs/adr/0009).

Kept are the newest live versions, every labelled one, and all imported history. First each source's
version at the floor and at each label gets a keyframe of its own; then, in one atomic step, the rest below
the floor goes and the floor moves. Called by the command line and by the scheduler.
"""

from __future__ import annotations

import asyncio
import contextlib

from msgspec import Struct
from msgspec.structs import replace
from redis.asyncio import Redis

from catalog_service.store import codec, commit, keys
from catalog_service.store.audit import log_audit, packed
from catalog_service.store.contents import Contents
from catalog_service.store.documents import Argument
from catalog_service.store.floor import Floor
from catalog_service.store.leases import Ask
from catalog_service.store.versions import Versions
from schema.errors import GoneError, StaleHeadError
from schema.version import AuditEntry, Label, Point, Version

_ATTEMPTS = 50


class Pruned(Struct, frozen=True):
    """What pruning did, or would do."""

    floor: int
    """The oldest live version that is kept for itself; 0: nothing was ever pruned."""
    dropped: tuple[int, ...]
    """Live versions, sorted, whose content went."""
    labelled: tuple[int, ...]
    """Versions below the floor, sorted, that are kept for their labels."""


class Retention:
    """Drops contents from Redis."""

    def __init__(self, redis: Redis, versions: Versions, contents: Contents, floor: Floor) -> None:
        self._ask: Ask = redis.execute_command
        self._keyframe = redis.register_script(commit.KEYFRAME)
        self._prune = redis.register_script(commit.PRUNE)
        self._versions = versions
        self._contents = contents
        self._floor = floor

    async def prune(self, keep: int, *, dry_run: bool = False, audit: AuditEntry | None = None) -> Pruned:
        """Keep the newest ``keep`` (1 or more) live versions and the labelled ones; ``dry_run``: only tell.

        The floor never goes down again. ``audit`` tells of a person who asked for it; ``before`` and ``after`` are
        then the floors.

        Raises:
            CorruptContentError: a version that stays cannot be loaded; nothing is dropped.
            StaleHeadError: labels were moved faster than this.
        """
        for _ in range(_ATTEMPTS):
            plan = await self._planned(keep)
            if dry_run or (not plan.dropped and plan.floor == plan.floor_before):
                return plan.outcome
            with contextlib.suppress(GoneError):  # another one pruned what this one meant to keep: it plans anew
                for version in await self._versions.versions(plan.bases):
                    await self._write_keyframe(version)
                if await self._drop(plan, audit):
                    return plan.outcome
        raise StaleHeadError("labels were moved faster than versions could be pruned")

    async def _planned(self, keep: int) -> _Plan:
        before, stored = await self._floor.number(), await self._ask("HGETALL", keys.LABELS)
        found = await self._ask("ZREVRANGE", keys.LINE, keep - 1, keep - 1)
        floor = max(before, *map(int, found)) if found else before
        below = [int(number) for number in await self._ask("ZRANGEBYSCORE", keys.LINE, "-inf", f"({floor}")]
        gone = await self._floor.dropped()
        labelled = {codec.unpack(data, Label).version for data in stored.values()}
        points = [Point(floor), *[await self._versions.point(number) for number in sorted(labelled)]]
        needed = {number for point in points for number in (await self._versions.numbers(point)).values()}
        live = {*below, floor}
        return _Plan(
            before,
            floor,
            tuple(part for label in stored.items() for part in label),
            tuple(sorted(needed & live)),
            tuple(number for number in below if number not in needed and number not in gone),
            tuple(sorted(labelled & live - {floor})),
        )

    async def _write_keyframe(self, version: Version) -> None:
        keyframed, number = keys.keyframed(version.source), version.version
        if await self._ask("ZSCORE", keyframed, number) is not None:
            return
        content = await self._contents.content_of(version)
        records = await asyncio.to_thread(codec.pack_records, content.endpoint_sets)
        marks = await asyncio.to_thread(codec.pack_marks, content.marks)
        names = [keyframed, keys.KEYFRAMES, keys.MARKS, keys.GONE]
        await self._keyframe(keys=names, args=[number, records, marks])

    async def _drop(self, plan: _Plan, audit: AuditEntry | None) -> bool:
        """Drop and move the floor; False, and nothing done, where floor or labels are not as planned with."""
        versions = await self._versions.versions(plan.dropped)
        sources = sorted({version.source for version in versions})
        contents = (keys.CHANGESETS, keys.KEYFRAMES, keys.MARKS)
        names = [keys.FLOOR, keys.GONE, keys.LABELS, *contents, keys.AUDIT]
        places = {source: place for place, source in enumerate(sources, start=len(names) + 1)}
        pairs = [part for version in versions for part in (version.version, places[version.source])]
        entry = replace(audit, before=str(plan.floor_before or ""), after=str(plan.floor)) if audit else None
        arguments: list[Argument] = [plan.floor_before, plan.floor, len(plan.labels) // 2, packed(entry)]
        arguments += [*plan.labels, *pairs]
        answer = await self._prune(keys=[*names, *map(keys.keyframed, sources)], args=arguments)
        done = bytes(answer) == b"OK"
        log_audit(entry if done else None)
        return done


class _Plan(Struct, frozen=True):
    """What to drop, and what it was planned with."""

    floor_before: int
    floor: int
    labels: tuple[bytes, ...]
    """Each label's name and stored form, one after the other."""
    bases: tuple[int, ...]
    """Live versions up to the floor that are needed: each has to have a keyframe of its own."""
    dropped: tuple[int, ...]
    labelled: tuple[int, ...]

    @property
    def outcome(self) -> Pruned:
        return Pruned(self.floor, self.dropped, self.labelled)
