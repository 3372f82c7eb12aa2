"""The checker of invariants has teeth: it is content with what is whole, and finds every way of being broken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from catalog_service.store import codec, keys
from catalog_service.store.connect import Store
from catalog_service.store.leases import Lease
from catalog_service.sync.candidate import compared
from catalog_service.sync.record import publish
from catalog_service.sync.run import run_source
from schema.document import Document, Provenance
from schema.errors import FencedError
from schema.guard import GuardLimits
from schema.version import AuditEntry
from tests.invariants import Acknowledged, Answer, Seen, broken, untold
from tests.local_source import NOW, Clock, Shelf, body, local_source
from tests.surely import Arrival
from tests.torn import leases_alone, torn

SOURCE = local_source(limits=GuardLimits(min_endpoint_sets=3, small=1))
LIMITS = {SOURCE.name: SOURCE.guard}
TAGS = {f"t{number}": [f"20.{number}.0.0/16", f"40.{number}.0.0/16"] for number in range(9)}
COMMANDS = 11
"""Of a torn commit, the keyframe's among them."""


class Cut(BaseException):
    """Where a process would have been killed."""


class CutRedis(Redis):
    """A client that goes no further than ``left`` writes of a commit."""

    left = 0

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        if args[0] in {"HSET", "ZADD", "MSET", "XADD"}:
            CutRedis.left -= 1
            if CutRedis.left < 0:
                raise Cut
        return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]


async def committed(store: Store, number: int) -> None:
    """Publish what upstream has as its document ``number``."""
    shelf, clock = Shelf(), Clock()
    shelf.bodies[SOURCE.url] = body({**TAGS, "t1": [f"20.1.{number}.0/24", "40.1.0.0/16"]})
    assert (await run_source(SOURCE, shelf, store, clock)).result == "committed"


@pytest.fixture
async def three(store: Store) -> Store:
    """A store with three versions."""
    for number in range(1, 4):
        await committed(store, number)
    return store


async def seen_of(store: Store) -> Seen:
    versions = await store.versions.after(0, 10)
    return Seen(tuple(Acknowledged(one.source, one.version, one.digest, one.version) for one in versions), (0, 1, 2, 3))


async def test_what_is_whole_is_not_broken(three: Store) -> None:
    """Versions, their stream and contents, what was acknowledged and seen."""
    assert await broken(three, LIMITS, await seen_of(three)) == ()
    assert await broken(three, LIMITS, after=2) == ()


@pytest.mark.parametrize("before", [0, 1])
async def test_a_torn_commit_is_found_out(embedded_store: Store, redis_socket: Path, before: int) -> None:
    """Cut between any two of its commands that readers can see, of a first version and of a later one."""
    found, store = [], embedded_store
    for commands in range(COMMANDS + 1):
        await store.redis.flushall()
        await store.ping()
        for number in range(1, before + 1):
            await committed(store, number)
        async with CutRedis(unix_socket_path=str(redis_socket)) as redis:
            CutRedis.left = commands
            try:
                await committed(torn(redis), 9)
            except Cut:
                found.append(bool(await broken(store, LIMITS)))
    assert found[:2] == [False, False], "before it is in the line it is not there"
    assert found[2:6] == [True] * 4
    assert await broken(store, LIMITS) == ()


async def zombie(store: Store, number: int) -> tuple[Lease, Callable[[], Awaitable[object]]]:
    """Return the lease, now over, of a runner that goes on to commit document ``number``."""
    lease = await store.leases.acquire(SOURCE.name)
    assert lease
    previous = await store.contents.content(SOURCE.name)
    document = Document(body({**TAGS, "t1": [f"20.1.{number}.0/24", "40.1.0.0/16"]}), Provenance("", NOW, "sha256:0"))
    candidate = compared(SOURCE, document, previous)
    await store.redis.delete(keys.lease(SOURCE.name))
    return lease, lambda: publish(store, lease, previous, candidate, NOW)


async def test_leases_alone_are_found_out(three: Store) -> None:
    """A runner that slept past its lease builds on what is not the newest any more."""
    wrong = leases_alone(three.redis)
    _, goes_on = await zombie(wrong, 8)
    await committed(wrong, 9)
    await goes_on()
    assert {one[:2] for one in await broken(three, LIMITS)} == {"I1"}


async def test_fences_hold(three: Store) -> None:
    """The same runner is refused by its fence, and nothing is broken."""
    _, goes_on = await zombie(three, 8)
    await committed(three, 9)
    with pytest.raises(FencedError):
        await goes_on()
    assert await broken(three, LIMITS) == ()


async def no_event(store: Store) -> None:
    await store.redis.xdel(keys.EVENTS, "2-0")


async def no_head(store: Store) -> None:
    await store.redis.set(keys.HEAD, 4)


async def older_head(store: Store) -> None:
    await store.redis.set(keys.HEAD, 2)


async def no_changeset(store: Store) -> None:
    await store.redis.hdel(keys.CHANGESETS, "3")


async def another_changeset(store: Store) -> None:
    changes = await store.contents.changes_of(await store.versions.version(3))
    await store.redis.hset(keys.CHANGESETS, "2", codec.pack_changes(changes))


async def other_content(store: Store) -> None:
    version = await store.versions.version(2)
    await store.redis.hset(keys.VERSIONS, "2", codec.pack(replace(version, digest="sha256:0")))


async def taken_back(store: Store) -> None:
    version = await store.versions.version(3)
    await store.redis.hset(keys.VERSIONS, "3", codec.pack(replace(version, previous=1)))


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (no_event, "I2"),
        (no_head, "I1"),
        (older_head, "I4"),
        (no_changeset, "I1"),
        (another_changeset, "I1"),
        (other_content, "I1"),
        (taken_back, "I7"),
    ],
)
async def test_damage_is_found(three: Store, damage: Callable[[Store], Awaitable[None]], expected: str) -> None:
    """Whatever is taken away, put elsewhere or changed."""
    seen = await seen_of(three)
    await damage(three)
    assert expected in {one[:2] for one in await broken(three, LIMITS, seen)}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (Seen((Acknowledged(SOURCE.name, 4, "sha256:0"),)), {"I3: version 4 was acknowledged and is gone"}),
        (Seen((Acknowledged(SOURCE.name, 2, "sha256:0"),)), {"I3: version 2 was acknowledged with other content"}),
        (Seen(heads=(3, 2)), {"I4: the head went from 3 back to 2"}),
        (Seen(answers=(Answer("/x", 2, "a"), Answer("/x", 2, "b"))), {"I6: /x at version 2 had 2 answers"}),
    ],
)
async def test_what_was_seen_outside_counts(three: Store, seen: Seen, expected: set[str]) -> None:
    """An acknowledgement that came to nothing, a head that went back, two answers of one version."""
    assert expected <= set(await broken(three, LIMITS, seen))


async def test_two_who_were_told_of_one_version(three: Store) -> None:
    """And a commit under an older fence than the one before it."""
    seen = await seen_of(three)
    twice = replace(seen, acknowledged=(*seen.acknowledged, seen.acknowledged[-1]))
    assert await broken(three, LIMITS, twice) == ("I3: version 3 was acknowledged 2 times",)
    fenced = replace(seen, acknowledged=tuple(replace(one, fence=9 - one.version) for one in seen.acknowledged))
    assert {one[:2] for one in await broken(three, LIMITS, fenced)} == {"I3"}


async def test_what_the_guard_refuses_needs_a_release(three: Store) -> None:
    """A shrunk version that was committed all the same; with the audit's word for it nothing is broken."""
    await commit_anyway(three, 2)
    (found,) = await broken(three, LIMITS)
    assert found.startswith("I4: nobody released version 4: 2 endpoint sets")
    entry = AuditEntry(NOW, "a person", "accept", SOURCE.name, "", "4")
    await three.redis.xadd(keys.AUDIT, {"entry": codec.pack(entry)})
    assert await broken(three, LIMITS) == ()


async def test_superseded_content_needs_a_release(three: Store) -> None:
    """The content of version 2 once more."""
    wrong = leases_alone(three.redis)
    second = await three.contents.content_of(await three.versions.version(2))
    _, goes_on = await zombie(wrong, 2)
    await goes_on()
    assert (await three.versions.version(4)).digest == second.version.digest
    assert await broken(three, LIMITS) == ("I4: version 4 went back to superseded content, and nobody released it",)


async def commit_anyway(store: Store, count: int) -> None:
    """Commit the first ``count`` tags alone."""
    previous = await store.contents.content(SOURCE.name)
    few = {name: TAGS[name] for name in sorted(TAGS)[:count]}
    candidate = compared(SOURCE, Document(body(few), Provenance("", NOW, "sha256:1")), previous)
    async with store.leases.hold(SOURCE.name) as lease:
        assert lease
        await publish(store, lease, previous, candidate, NOW)


def test_what_a_subscriber_misses_counts() -> None:
    """A version that never came, one under two ids, one before an older one."""
    told = [Arrival("sub_a", f"msg_{number}", (number,), "", is_taken=True) for number in (1, 2, 3)]
    assert untold((1, 2, 3), told) == ()
    assert untold((1, 2, 3), told[:2]) == ("I5: versions [3] never arrived",)
    assert untold((1, 2, 3), [*told, replace(told[0], id="msg_x")])[0] == "I5: version 1 has 2 ids"
    assert untold((1, 2, 3), [told[1], told[0], told[2]]) == ("I5: version 1 arrived after 2",)
