"""The store: leases fence, commits are whole, damage is noticed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, cast

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from catalog_service.catalog.diff import diff
from catalog_service.reader import Reader
from catalog_service.store import codec, commit, keys
from catalog_service.store.commits import KEYFRAME_EVERY, Commit
from catalog_service.store.connect import Store
from catalog_service.store.leases import Lease, Leases
from schema.change import summarize
from schema.endpoint_set import EndpointSet, content_digest
from schema.errors import (
    BadParameterError,
    CorruptContentError,
    FencedError,
    StaleHeadError,
    StoreError,
    UnknownVersionError,
)
from schema.version import Counts, SourceState, Version
from tests.records import SOURCE, record

Content = tuple[EndpointSet, ...]


def wanted(before: Content, after: Content, previous: int | None, day: int = 1) -> Commit:
    changes = diff(before, after)
    at = datetime(2026, 11, day, 12, tzinfo=UTC)
    version = Version(
        version=0, source=SOURCE, fetched_at=at, committed_at=at, digest=content_digest(after), counts=Counts(1, 1, 0),
        summary=summarize(changes), url="https://upstream.invalid", document="sha256:0", previous=previous,
    )  # fmt: skip
    return Commit(version, changes, after, SourceState())


def week(number: int) -> Content:
    return (record("a", prefixes=(f"20.{number}.0.0/16", "21.0.0.0/8")), record("b", prefixes=("22.0.0.0/8",)))


async def leased(store: Store) -> Lease:
    lease = await store.leases.acquire(SOURCE)
    assert lease is not None
    return lease


async def test_a_lease_is_held_by_one_and_comes_with_a_higher_token(store: Store) -> None:
    """A second runner gets none until the first gives it back; tokens only rise."""
    first = await leased(store)
    assert await store.leases.acquire(SOURCE) is None
    await store.leases.release(first)
    second = await leased(store)
    assert second.fence == first.fence + 1
    await store.leases.release(first)
    assert await store.leases.acquire(SOURCE) is None
    assert await store.leases.renew(second)
    assert not await store.leases.renew(first)


async def test_a_dead_runner_blocks_its_source_no_longer_than_its_lease(store: Store) -> None:
    """A lease nobody renews ends by itself."""
    leases = Leases(store.redis, ttl_s=0.05)
    assert await leases.acquire(SOURCE)
    for _ in range(200):
        if await leases.acquire(SOURCE):
            return
        await asyncio.sleep(0.005)
    pytest.fail("the lease never ended")


async def test_a_runner_past_its_lease_cannot_write(store: Store) -> None:
    """A paused runner wakes up behind a higher token: commit and state are refused, nothing is written."""
    paused = await leased(store)
    await store.redis.delete(keys.lease(SOURCE))
    await leased(store)
    with pytest.raises(FencedError):
        await store.commits.commit(paused, wanted((), week(1), None))
    with pytest.raises(FencedError):
        await store.sources.record(paused, SourceState(failures=1))
    assert (await store.versions.head(), await store.sources.state(SOURCE)) == (0, SourceState())


async def test_a_commit_from_an_old_version_is_refused(store: Store) -> None:
    """A changeset applies to the version it was made from; one from another version is refused."""
    lease = await leased(store)
    await store.commits.commit(lease, wanted((), week(1), None))
    for stale in (wanted((), week(2), None), wanted(week(1), week(2), 7)):
        with pytest.raises(StaleHeadError):
            await store.commits.commit(lease, stale)
    assert await store.versions.head() == 1


async def test_a_commit_sent_again_after_a_lost_reply_is_made_once(store: Store) -> None:
    """The very same commit is answered with the version it made, and adds none; so is the lease's acquisition."""
    lease = await leased(store)
    first = await store.commits.commit(lease, wanted((), week(1), None))
    assert await Store(store.redis).commits.commit(lease, wanted((), week(1), None)) == first
    assert (await store.versions.head(), await store.redis.xlen(keys.EVENTS)) == (1, 1)
    script = store.redis.register_script(commit.ACQUIRE)
    again = await script(keys=[keys.lease(SOURCE), keys.FENCES], args=[SOURCE, lease.token, 60_000])
    assert int(again) == lease.fence


async def test_keyframes_come_now_and_then_and_every_version_loads(store: Store) -> None:
    """Any version is its keyframe and the changesets since, verified against its digest."""
    lease, previous = await leased(store), None
    weeks = [(), *(week(number) for number in range(1, 2 * KEYFRAME_EVERY + 3))]
    for before, after in pairwise(weeks):
        previous = (await store.commits.commit(lease, wanted(before, after, previous))).version
    keyframes = sorted(int(number) for number in await store.redis.hkeys(keys.KEYFRAMES))
    assert keyframes == [1, 1 + KEYFRAME_EVERY, 1 + 2 * KEYFRAME_EVERY]
    for number, content in enumerate(weeks[1:], 1):
        loaded = await Store(store.redis).contents.content(SOURCE, number)
        assert loaded is not None
        assert loaded.endpoint_sets == content


@pytest.mark.parametrize("damage", ["missing changeset", "other changeset", "cut keyframe", "other digest"])
async def test_damaged_content_is_an_error_and_never_a_shorter_list(store: Store, damage: str) -> None:
    """A lost or altered changeset, a cut keyframe or another digest is CorruptContentError."""
    lease = await leased(store)
    for number in (1, 2, 3):
        await store.commits.commit(
            lease, wanted(week(number - 1) if number > 1 else (), week(number), number - 1 or None)
        )
    keyframe = bytes(cast("bytes", await store.redis.hget(keys.KEYFRAMES, "1")))
    if damage == "missing changeset":
        await store.redis.hdel(keys.CHANGESETS, "2")
    elif damage == "other changeset":
        await store.redis.hset(keys.CHANGESETS, "2", await store.redis.hget(keys.CHANGESETS, "3"))
    elif damage == "cut keyframe":
        await store.redis.hset(keys.KEYFRAMES, "1", keyframe[:-9])
    else:
        version = await store.versions.version(3)
        await store.redis.hset(keys.VERSIONS, "3", codec.pack(replace(version, digest="sha256:else")))
    with pytest.raises(CorruptContentError):
        await Store(store.redis).contents.content(SOURCE)


async def test_a_server_out_of_memory_refuses_a_commit_whole(store: Store) -> None:
    """Nothing of the commit is visible, reads go on, and it can be made once there is room."""
    lease = await leased(store)
    await store.commits.commit(lease, wanted((), week(1), None))
    await store.redis.config_set("maxmemory", "1mb")
    try:
        with pytest.raises(Exception, match="(?i)oom|memory"):
            await store.commits.commit(lease, wanted(week(1), week(2), 1))
        assert (await store.versions.head(), await store.redis.xlen(keys.EVENTS)) == (1, 1)
        assert await store.contents.content(SOURCE) is not None
    finally:
        await store.redis.config_set("maxmemory", "0")
    assert (await store.commits.commit(lease, wanted(week(1), week(2), 1))).version == 2


async def test_data_of_another_form_is_refused(store: Store) -> None:
    """A release does not touch data that a newer one wrote."""
    await store.redis.set(keys.FORMAT, 99)
    with pytest.raises(
        StoreError, match="form 99, and this release reads form 2: a newer release wrote it; run that one"
    ):
        await store.ping()


class OlderRedis(Redis):
    """The client of a release of form 1, which went on running: it looks for the newest versions where they were."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        before = [f"{keys.TAG}:newest" if arg == keys.LIVE else arg for arg in args]
        return await super().execute_command(*before, **options)  # type: ignore[no-untyped-call]


async def test_an_older_release_that_still_runs_cannot_commit_to_newer_data(store: Store) -> None:
    """What its commits go by has another name since: a rolling upgrade leaves nothing half in the older form."""
    lease = await leased(store)
    await store.commits.commit(lease, wanted((), week(1), None))
    older = Store(OlderRedis(connection_pool=store.redis.connection_pool))
    with pytest.raises(StaleHeadError):
        await older.commits.commit(lease, wanted(week(1), week(2), 1))
    assert (await store.versions.last(), await store.redis.xlen(keys.EVENTS)) == (1, 1)
    assert not await store.redis.exists(f"{keys.TAG}:newest")
    assert (await store.commits.commit(lease, wanted(week(1), week(2), 1))).version == 2


@pytest.mark.parametrize(
    ("spec", "number"),
    [("latest", 3), (None, 3), ("latest~2", 1), ("2", 2), ("0", 0), ("2026-11-02", 2), ("2026-11-02T11:59:59", 1),
     ("2026-11-02T12:00:00Z", 2), ("2026-11-02T14:00:00+02:00", 2), ("2030-01-01", 3), ("latest~3", 0)],
)  # fmt: skip
async def test_a_version_has_many_names(store: Store, spec: str | None, number: int) -> None:
    """Numbers, latest~N, dates (their end, UTC) and date-times name points of the catalogue."""
    reader = await three_versions(store)
    assert (await reader.resolve(spec)).version == number


@pytest.mark.parametrize(
    ("spec", "error"),
    [("4", UnknownVersionError), ("latest~4", UnknownVersionError), ("2026-10-31", UnknownVersionError),
     ("yesterday", UnknownVersionError), ("2 days ago", BadParameterError), ("-1", BadParameterError), ("2026-13-01", BadParameterError)],
)  # fmt: skip
async def test_names_of_no_version_are_the_clients_error(store: Store, spec: str, error: type[Exception]) -> None:
    """What does not exist and what cannot be read are told apart."""
    reader = await three_versions(store)
    with pytest.raises(error):
        await reader.resolve(spec)


async def test_a_reader_follows_commits_of_others(store: Store) -> None:
    """The current snapshot is swapped when the stream moves, loading only the source that did."""
    reader = await three_versions(store)
    following = asyncio.create_task(reader.follow())
    try:
        await store.commits.commit(await leased(store), wanted(week(3), week(4), 3))
        for _ in range(500):
            if reader.current.version == 4:
                break
            await asyncio.sleep(0.01)
        assert reader.current.by_id[f"{SOURCE}:a"] == week(4)[0]
    finally:
        following.cancel()


async def test_a_store_that_lost_versions_does_not_take_the_list_away(store: Store) -> None:
    """An emptied store, or one that went back, leaves the last good snapshot served, and says so."""
    reader = await three_versions(store)
    await store.redis.flushall()
    assert (await reader.refresh()).version == 3
    assert reader.current.by_id[f"{SOURCE}:a"] == week(3)[0]
    assert "went back from version 3 to 0" in reader.troubles[0]


async def test_another_history_with_the_same_numbers_is_loaded(store: Store) -> None:
    """Versions are told apart by their record, not by their number alone."""
    reader = await three_versions(store)
    await store.redis.flushall()
    lease, before = await leased(store), week(7)[:0]
    for number in (7, 8, 9):
        made = await store.commits.commit(lease, wanted(before, week(number), number - 7 or None, day=number))
        before = week(number)
    assert made.version == 3
    assert (await reader.refresh()).by_id[f"{SOURCE}:a"] == week(9)[0]
    assert (reader.troubles, (await reader.at("2")).by_id[f"{SOURCE}:a"]) == ((), week(8)[0])


async def test_older_snapshots_of_another_history_are_forgotten(store: Store) -> None:
    """A store begun anew that went past the served number is read anew, its past too."""
    reader = await three_versions(store)
    assert (await reader.at("1")).by_id[f"{SOURCE}:a"] == week(1)[0]
    await store.redis.flushall()
    lease, before = await leased(store), week(5)[:0]
    for number in (5, 6, 7, 8):
        await store.commits.commit(lease, wanted(before, week(number), number - 5 or None, day=number))
        before = week(number)
    assert (await reader.refresh()).version == 4
    assert (await reader.at("1")).by_id[f"{SOURCE}:a"] == week(5)[0]


async def test_a_damaged_held_version_stops_nobody(store: Store) -> None:
    """It is left out; its source's next run puts it up again."""
    await store.redis.hset(keys.HELD, "0123456789ab", b"damaged")
    assert await store.sources.held() == ()
    assert await store.sources.held_of(SOURCE) is None


async def test_a_damaged_source_makes_no_list_short(store: Store) -> None:
    """Who served it goes on with what it has, and with the others; who begins with the damage serves nothing."""
    reader = await three_versions(store)
    state = SourceState(failures=1)
    await store.redis.hset(keys.STATES, SOURCE, b"damaged")
    assert await store.sources.state(SOURCE) == SourceState()
    other = await store.leases.acquire("b-source")
    assert other is not None
    made = replace(wanted((), week(5), None).version, source="b-source")
    await store.commits.commit(other, Commit(made, (), week(5), state))
    assert list((await reader.refresh()).by_source) == [SOURCE, "b-source"]
    await store.redis.hset(keys.KEYFRAMES, "1", b"damaged")
    late = Reader(Store(store.redis))
    for _ in range(2):
        with pytest.raises(CorruptContentError, match=f"{SOURCE} cannot be loaded"):
            await late.refresh()
    assert (late.current.version, late.refreshed_at) == (0, None)
    assert late.troubles[0].startswith(f"{SOURCE} cannot be loaded")
    next_ = wanted(week(5), week(6), reader.current.version, day=9)
    await store.commits.commit(other, replace(next_, version=replace(next_.version, source="b-source")))
    snapshot = await reader.refresh()
    assert len(snapshot.by_source[SOURCE].endpoint_sets) == len(week(3))
    assert snapshot.by_source["b-source"].endpoint_sets == week(6)


async def three_versions(store: Store) -> Reader:
    lease = await leased(store)
    for number in (1, 2, 3):
        before = week(number - 1) if number > 1 else ()
        await store.commits.commit(lease, wanted(before, week(number), number - 1 or None, day=number))
    await store.leases.release(lease)
    reader = Reader(store)
    await reader.refresh()
    return reader
