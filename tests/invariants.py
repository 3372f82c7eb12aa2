"""What must hold of a catalogue after any fault: I1 to I7, each break a sentence.

In: a store, the limits of its sources, and what those outside saw. Out: what is broken, () where all holds. Used by the
tests of faults and by `make soak`, which shows that it finds a commit that is not atomic, and leases without fencing.

I1  the head names a whole version, whose content matches its digest
I2  the changeset stream has every version from 1 to the head, each once
I3  what was acknowledged is there, under the number and with the content that were acknowledged
I4  the head never goes back, and never to what the guard refuses or what was superseded, without a recorded release
I5  a subscriber is told every version that matches, under one id each, in order (`untold`)
I6  answers that say they are of one version are the same
I7  a version is any earlier one and the changesets since, folded
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from catalog_service.catalog.fold import apply, fold
from catalog_service.catalog.guard import unsafe_reasons
from catalog_service.store import codec, keys
from catalog_service.store.connect import Store
from catalog_service.store.leases import Ask
from schema.change import Changeset
from schema.endpoint_set import EndpointSet
from schema.errors import CatalogError
from schema.guard import GuardLimits
from schema.version import AuditEntry, Version
from tests.surely import Arrival, of_ids, of_subscription

_ALL_PAIRS = 60
_DISTANCES = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144)


class Acknowledged(Struct, frozen=True):
    """A commit that its caller was told of."""

    source: str
    version: int
    digest: str
    fence: int = 0
    """Of the lease it was made under."""


class Answer(Struct, frozen=True):
    """What a reader got."""

    asked: str
    version: int
    digest: str
    """Of its body."""


class Seen(Struct, frozen=True):
    """What those outside saw, in the order in which they did."""

    acknowledged: tuple[Acknowledged, ...] = ()
    heads: tuple[int, ...] = ()
    answers: tuple[Answer, ...] = ()


class _Step(Struct, frozen=True):
    """One version of a source, as it is stored."""

    version: Version
    changes: Changeset
    records: tuple[EndpointSet, ...]


async def broken(
    store: Store, limits: Mapping[str, GuardLimits], seen: Seen | None = None, *, after: int = 0
) -> tuple[str, ...]:
    """Return what is broken in ``store``; contents are looked at of the versions beyond ``after`` and of those before.

    ``limits`` are those of each source that the guard judges by; a source that is left out is not judged.
    """
    seen, head = seen or Seen(), await store.versions.head()
    found = [*await _of_head(store, head), *await _of_stream(store, head), *_of_acknowledged(seen.acknowledged)]
    found += _of_heads((*seen.heads, head), seen.acknowledged)
    found += _of_answers(seen.answers)
    try:
        versions = {one.version: one for one in await store.versions.after(0, head + 1_000)}
        found += _of_numbers(versions, seen.acknowledged)
        for source in await store.versions.sources():
            line = [one for one in versions.values() if one.source == source]
            start = next((at for at, one in enumerate(line) if one.version > after), len(line))
            steps = [await _step(store, one) for one in line[max(0, start - 1) :]]
            found += _of_chain(steps)
            found += await _of_guard(store, steps, limits.get(source), line)
    except CatalogError as error:
        found.append(f"I1: {error}")
    return tuple(found)


def untold(wanted: Sequence[int], arrivals: Sequence[Arrival], *, in_rounds: bool = False) -> tuple[str, ...]:
    """Return what is broken (I5) in what one subscriber got of the versions that it wants."""
    found = (*of_ids(arrivals), *of_subscription(wanted, arrivals, is_settled=in_rounds))
    return tuple(f"I5: {what}" for what in found)


async def _of_head(store: Store, head: int) -> Iterable[str]:
    try:
        if head:
            await store.contents.content_of(await store.versions.version(head))
    except CatalogError as error:
        return [f"I1: the head is {head}: {error}"]
    return []


async def _of_stream(store: Store, head: int) -> list[str]:
    ask: Ask = store.redis.execute_command
    entries = await ask("XRANGE", keys.EVENTS, "-", "+")
    told = [id_.decode() for id_, fields in entries if b"version" in fields]
    line = [int(one) for one in await ask("ZRANGE", keys.LINE, 0, -1)]
    wanted = [f"{number}-0" for number in range(1, head + 1)]
    found = [] if told == wanted else [f"I2: the head is {head}, the stream tells of {told[-5:]}, {len(told)} in all"]
    if line != list(range(1, head + 1)):
        found.append(f"I2: the head is {head}, the line ends with {line[-5:]}, {len(line)} in all")
    return found


def _of_acknowledged(acknowledged: Iterable[Acknowledged]) -> Iterator[str]:
    numbers = Counter(one.version for one in acknowledged)
    yield from (
        f"I3: version {number} was acknowledged {count} times" for number, count in numbers.items() if count > 1
    )
    fences: dict[str, int] = {}
    for one in sorted(acknowledged, key=lambda one: one.version):
        if one.fence < fences.get(one.source, 0):
            yield f"I3: version {one.version} of {one.source} was made under fence {one.fence}, an older one's"
        fences[one.source] = one.fence


def _of_numbers(versions: Mapping[int, Version], acknowledged: Iterable[Acknowledged]) -> Iterator[str]:
    for one in acknowledged:
        stored = versions.get(one.version)
        if stored is None:
            yield f"I3: version {one.version} was acknowledged and is gone"
        elif (stored.source, stored.digest) != (one.source, one.digest):
            yield f"I3: version {one.version} was acknowledged with other content"


def _of_heads(heads: Sequence[int], acknowledged: Iterable[Acknowledged]) -> Iterator[str]:
    yield from (f"I4: the head went from {one} back to {two}" for one, two in pairwise(heads) if two < one)
    newest = max((one.version for one in acknowledged), default=0)
    if heads[-1] < newest:
        yield f"I4: version {newest} was acknowledged, the head is {heads[-1]}"


def _of_answers(answers: Iterable[Answer]) -> Iterator[str]:
    bodies: dict[tuple[str, int], set[str]] = {}
    for one in answers:
        bodies.setdefault((one.asked, one.version), set()).add(one.digest)
    yield from (
        f"I6: {asked} at version {version} had {len(found)} answers"
        for (asked, version), found in bodies.items()
        if len(found) > 1
    )


async def _step(store: Store, version: Version) -> _Step:
    content = await store.contents.content_of(version)  # matches its digest, or is an error
    return _Step(version, await store.contents.changes_of(version), content.endpoint_sets)


def _of_chain(steps: Sequence[_Step]) -> Iterator[str]:
    for one, two in pairwise(steps):
        if two.version.previous != one.version.version:
            yield f"I7: version {two.version.version} follows {two.version.previous}, not {one.version.version}"
    for start, end in _pairs(len(steps)):
        changes = fold(step.changes for step in steps[start + 1 : end + 1])
        if apply(steps[start].records, changes) != steps[end].records:
            since, until = steps[start].version.version, steps[end].version.version
            yield f"I7: version {since} and the changesets since are not version {until}"


def _pairs(count: int) -> Iterator[tuple[int, int]]:
    distances = range(1, count) if count <= _ALL_PAIRS else (*_DISTANCES, count - 1)
    for distance in distances:
        yield from ((start, start + distance) for start in range(count - distance))


async def _of_guard(
    store: Store, steps: Sequence[_Step], limits: GuardLimits | None, line: Sequence[Version]
) -> list[str]:
    ask: Ask = store.redis.execute_command
    told = [entry for _, entry in await ask("XRANGE", keys.AUDIT, "-", "+")]
    entries = [codec.unpack(fields[b"entry"], AuditEntry) for fields in told]
    released = {entry.after for entry in entries if entry.action in {"accept", "rollback"}}
    found, digests = [], [one.digest for one in line]
    for before, step in pairwise(steps):
        version = step.version
        if str(version.version) in released:
            continue
        if version.digest in digests[: line.index(version)]:
            found.append(f"I4: version {version.version} went back to superseded content, and nobody released it")
        if limits and (reasons := unsafe_reasons(limits, before.records, step.records, step.changes)):
            found.append(f"I4: nobody released version {version.version}: {'; '.join(reasons)}")
    return found
