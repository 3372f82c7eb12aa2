"""Contents: each version's records, folded from its chain's keyframe, are those that its digest names.

A chain is walked from its beginning, one content in memory. Where a keyframe and the changesets before it meet, each
proves the other, so that one of them can be made again from the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar

from msgspec import Struct

from catalog_service.catalog.diff import diff
from catalog_service.catalog.fold import apply
from catalog_service.catalog.marks import Mark, Marks, marked
from catalog_service.store import codec, keys
from catalog_service.store.checks.facts import Facts, facts
from catalog_service.store.checks.finding import (
    RESTORE,
    Finding,
    Repair,
    Seen,
    Told,
    as_seen,
    dropped,
    listed,
    short,
    text,
)
from catalog_service.store.checks.given import number_of
from catalog_service.store.connect import Store
from catalog_service.store.leases import Ask
from schema.change import Changeset, summarize
from schema.endpoint_set import EndpointSet, content_digest
from schema.errors import CorruptContentError
from schema.version import Version, count

_LOST = f"{RESTORE}; what it was made of may be kept: `document`, with the digest that `versions --json` shows of it"
_CONTENTS = (keys.CHANGESETS, keys.KEYFRAMES, keys.MARKS)
_UNPACKED: tuple[Callable[[bytes], object], ...] = (codec.unpack_changes, codec.unpack_records, codec.unpack_marks)
_AT_ONCE = 8
"""Each may be a keyframe of 300 kB."""
T = TypeVar("T")
_Data = tuple[bytes | None, bytes | None, bytes | None]
"""A changeset, a keyframe and its marks as stored."""


class _Stored(Struct, frozen=True):
    """What is stored of one version's content."""

    version: Version
    changeset: bytes | None
    keyframe: bytes | None
    marks: bytes | None
    is_keyframed: bool
    """The index of keyframes names it."""
    is_gone: bool
    starts: bool
    """It may begin a chain: it needs no changeset."""
    is_first: bool
    """Nothing of its source is known from before: each record was seen first with it."""


class _Walked(Struct, frozen=True):
    """A content and its marks."""

    records: tuple[EndpointSet, ...]
    marks: Marks | None
    """None: not known here."""


async def contents(store: Store, told: Told) -> AsyncIterator[Finding]:
    """Every version that was not pruned is rebuilt, and is what its record says."""
    found = await facts(store)
    gone = await store.floor.dropped()
    for source in found.sources:
        for imported in (False, True):
            async for finding in _chain(store, found, gone, source, told, imported=imported):
                yield finding
    async for finding in _orphans(store, found):
        yield finding


async def _chain(
    store: Store, found: Facts, gone: frozenset[int], source: str, told: Told, *, imported: bool
) -> AsyncIterator[Finding]:
    ask: Ask = store.redis.execute_command
    key, versions = keys.keyframed(source, imported=imported), found.of(source, imported=imported)
    keyframed = {int(number) for number in await ask("ZRANGE", key, 0, -1) if number.isdigit()}
    walked: _Walked | None = None
    lost, damaged = list[int](), frozenset(found.damaged)
    async for place, version, data in _read_chain(store, versions):
        number = version.version
        told(f"{source}: {place + 1} of {len(versions)} versions")
        if not imported and version.previous in damaged:
            walked = None  # what it starts from is not known
        stored = _Stored(
            version,
            *data,
            is_keyframed=number in keyframed,
            is_gone=number in gone,
            starts=place == 0 or imported,
            is_first=_is_first(found, version),
        )
        findings, walked = await asyncio.to_thread(_step, walked, stored, key)
        for finding in findings:
            yield finding
        if walked is None and not stored.is_gone:
            lost.append(number)
        elif lost:
            yield _unreadable(source, lost)
            lost = []
    if lost:
        yield _unreadable(source, lost)
    if strays := sorted(keyframed - {version.version for version in versions} - damaged):
        steps = tuple(("ZREM", key, number) for number in strays)
        problem = f"this index names {listed(strays)}, which are no versions of it"
        yield Finding("index", short(key), problem, "they are taken out of it", Repair(found.seen, steps))


def _is_first(found: Facts, version: Version) -> bool:
    """Tell whether nothing of its source came before; a live version goes on from history that was imported before."""
    if version.previous or version.imported:
        return not version.previous
    earlier = (*(one.version for one in found.of(version.source, imported=True)), *found.damaged)
    return all(number > version.version for number in earlier)


async def _read_chain(store: Store, versions: tuple[Version, ...]) -> AsyncIterator[tuple[int, Version, _Data]]:
    """Yield each version, with its place, and what is stored of its content."""
    ask: Ask = store.redis.execute_command
    for start in range(0, len(versions), _AT_ONCE):
        part = versions[start : start + _AT_ONCE]
        found = [await ask("HMGET", key, *(version.version for version in part)) for key in _CONTENTS]
        for place, (version, *data) in enumerate(zip(part, *found, strict=True), start=start):
            changeset, keyframe, marks = data
            yield place, version, (changeset, keyframe, marks)


def _step(walked: _Walked | None, stored: _Stored, key: str) -> tuple[list[Finding], _Walked | None]:
    """Return what is wrong with one version, and its content, None where it cannot be rebuilt."""
    if stored.is_gone:
        return list(_left(stored)), None
    version, changes = stored.version, _read(codec.unpack_changes, stored.changeset)
    folded = _folded(walked, changes, version)
    framed = _read(codec.unpack_records, stored.keyframe)
    framed = framed if framed is not None and content_digest(framed) == version.digest else None
    findings: list[Finding] = []
    if folded is None and framed is not None:
        if walked and not stored.starts and changes is None:
            findings.append(_changeset(walked, framed, stored))
        elif changes is None and (stored.changeset is not None or not stored.starts):
            findings.append(_lone(stored))
        folded = _begun(framed, stored)
        findings += _of_marks(folded.marks, stored)
    elif folded is not None:
        findings += _of_keyframe(folded, framed, stored, key)
    if folded is not None:
        if framed is not None and not stored.is_keyframed:
            findings.append(_unnamed(stored, key))
        findings += _counted(folded.records, changes, version)
    return findings, folded


def _begun(framed: tuple[EndpointSet, ...], stored: _Stored) -> _Walked:
    """Return a content that is known by its keyframe alone; its marks as they are stored, unless it is a first one."""
    number = stored.version.version
    if stored.is_first:
        return _Walked(framed, {record.id: Mark(number, number) for record in framed})
    return _Walked(framed, _read(codec.unpack_marks, stored.marks))


def _folded(walked: _Walked | None, changes: Changeset | None, version: Version) -> _Walked | None:
    """Return what the changeset makes of the content before it, None where that is not the version."""
    if walked is None or changes is None:
        return None
    try:
        records = apply(walked.records, changes)
    except (CorruptContentError, LookupError, ValueError):
        return None
    if content_digest(records) != version.digest:
        return None
    marks = None if walked.marks is None else marked(walked.marks, [(version.version, changes)])
    return _Walked(records, marks)


def _of_keyframe(
    folded: _Walked, framed: tuple[EndpointSet, ...] | None, stored: _Stored, key: str
) -> Iterator[Finding]:
    """Yield what is wrong with the keyframe of a version whose content is known without it."""
    if not stored.is_keyframed and stored.keyframe is None:
        return
    number = stored.version.version
    if framed is None:
        problem = f"the keyframe of version {number} is {_how(stored.keyframe)}: it and those after it cannot be read"
        steps = (("HSET", keys.KEYFRAMES, number, codec.pack_records(folded.records)), ("ZADD", key, number, number))
        seen = (_seen(keys.KEYFRAMES, number, stored.keyframe), Seen(("ZSCORE", keys.GONE, number), b""))
        way_out = "it is folded anew from the versions before it"
        yield Finding("content", str(number), problem, way_out, Repair(seen, steps))
    yield from _of_marks(folded.marks, stored)


def _of_marks(known: Marks | None, stored: _Stored) -> Iterator[Finding]:
    """Yield what is wrong with the marks of a keyframe; ``known``: what they are, None where only they tell."""
    number, marks = stored.version.version, _read(codec.unpack_marks, stored.marks)
    if known is not None and (marks is None or dict(marks) != dict(known)):
        how = _how(stored.marks) if marks is None else "not those of its records"
        problem = f"the marks of version {number} are {how}: since when records are listed is not told"
        seen = (_seen(keys.MARKS, number, stored.marks), Seen(("ZSCORE", keys.GONE, number), b""))
        step = ("HSET", keys.MARKS, number, codec.pack_marks(known))
        yield Finding("content", str(number), problem, "they are worked out anew", Repair(seen, (step,)))
    elif stored.marks is None:
        problem = f"the marks of version {number} are missing: since when its records are listed is not told"
        yield Finding("content", str(number), problem, RESTORE)
    elif marks is None:
        yield _unmarked(stored)


def _changeset(walked: _Walked, framed: tuple[EndpointSet, ...], stored: _Stored) -> Finding:
    """Return that the changeset between two contents that are known is not there."""
    number = stored.version.version
    problem = f"the changeset of version {number} is {_how(stored.changeset)}: what it changed cannot be told"
    changes = codec.pack_changes(diff(walked.records, framed))
    seen = (_seen(keys.CHANGESETS, number, stored.changeset), Seen(("ZSCORE", keys.GONE, number), b""))
    repair = Repair(seen, (("HSET", keys.CHANGESETS, number, changes),))
    return Finding("content", str(number), problem, "it is the difference of the two contents around it", repair)


def _lone(stored: _Stored) -> Finding:
    """Return that a changeset cannot be read, and the content before it neither."""
    number = stored.version.version
    problem = f"the changeset of version {number} is {_how(stored.changeset)}: what it changed cannot be told"
    if stored.changeset is None:
        return Finding("content", str(number), problem, _LOST)
    way_out = "it is dropped: what it changed is then worked out from the contents"
    return Finding("content", str(number), problem, way_out, dropped(keys.CHANGESETS, str(number), stored.changeset))


def _unmarked(stored: _Stored) -> Finding:
    number = stored.version.version
    problem = f"the marks of version {number} are damaged: it and those after it cannot be read"
    way_out = "they are dropped: since when its records are listed is not told any more, up to the next keyframe"
    return Finding("content", str(number), problem, way_out, dropped(keys.MARKS, str(number), stored.marks))


def _unnamed(stored: _Stored, key: str) -> Finding:
    number = stored.version.version
    problem = f"this index does not name the keyframe of version {number}: versions after it may not be read"
    seen = (Seen(("ZSCORE", key, number), b""), Seen(("ZSCORE", keys.GONE, number), b""))
    return Finding("index", short(key), problem, "it is put in", Repair(seen, (("ZADD", key, number, number),)))


def _counted(records: tuple[EndpointSet, ...], changes: Changeset | None, version: Version) -> Iterator[Finding]:
    number = str(version.version)
    if count(records) != version.counts:
        yield Finding("content", number, f"version {number} does not have as many records as it says", _LOST)
    if changes is not None and summarize(changes) != version.summary:
        yield Finding("content", number, f"version {number} did not change what it says it did", _LOST)


def _left(stored: _Stored) -> Iterator[Finding]:
    """Yield what is left of a content that was pruned."""
    number = str(stored.version.version)
    for key, data in zip(_CONTENTS, (stored.changeset, stored.keyframe, stored.marks), strict=True):
        if data is not None:
            problem = f"version {number} was pruned, and {short(key)} still has it"
            yield Finding("orphan", number, problem, "it is dropped", dropped(key, number, data))


def _unreadable(source: str, numbers: list[int]) -> Finding:
    problem = f"{source}: the content of {listed(numbers)} cannot be rebuilt, or is not what its digest names"
    return Finding("content", ",".join(map(str, numbers[:5])), problem, _LOST)


async def _orphans(store: Store, found: Facts) -> AsyncIterator[Finding]:
    """Contents of numbers that were never given."""
    ask: Ask = store.redis.execute_command
    known = found.known
    for key, unpack in zip(_CONTENTS, _UNPACKED, strict=True):
        for field in await ask("HKEYS", key):
            if number_of(field) in known:
                continue
            data = await ask("HGET", key, field)
            problem = f"{short(key)} has content of {text(field)!r}, which is no version"
            if _read(unpack, data) is not None:
                yield Finding("orphan", short(key), problem, RESTORE)
            else:
                yield Finding("orphan", short(key), problem, "it is dropped", dropped(key, field, data))


def _read(unpack: Callable[[bytes], T], data: bytes | None) -> T | None:
    try:
        return unpack(data) if data is not None else None
    except CorruptContentError:
        return None


def _how(data: bytes | None) -> str:
    return "missing" if data is None else "damaged"


def _seen(key: str, number: int, data: bytes | None) -> Seen:
    return Seen(("HGET", key, number), as_seen(data))
