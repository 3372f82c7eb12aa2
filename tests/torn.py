"""Stores that are wrong on purpose, to show that tests/invariants.py finds out: a torn commit, and leases alone."""

from __future__ import annotations

from redis.asyncio import Redis

from catalog_service.store import codec, commit, keys
from catalog_service.store.commits import Commit, Commits
from catalog_service.store.connect import Store
from catalog_service.store.documents import KEPT
from catalog_service.store.leases import Lease
from schema.version import Version


class TornCommits(Commits):
    """A commit as commands one after another: the version, the head, the event, the content."""

    async def commit(self, lease: Lease, wanted: Commit) -> Version:
        since = await self._since(wanted.version)
        content, arguments = await self._numbered(lease, wanted, await self._live_start(wanted, since))
        source, number, packed = wanted.version.source, content.version.version, arguments[4]
        changeset, keyframe, marks = arguments[5:8]
        await self._ask("HSET", keys.VERSIONS, number, packed)
        await self._ask("ZADD", keys.LINE, number, number)
        await self._ask("ZADD", keys.line(source), number, number)
        await self._ask("MSET", keys.LAST, number, keys.HEAD, number)
        await self._ask("XADD", keys.EVENTS, f"{number}-0", "version", packed)
        if changeset:
            await self._ask("HSET", keys.CHANGESETS, number, changeset)
        if keyframe:
            await self._ask("HSET", keys.KEYFRAMES, number, keyframe)
            await self._ask("HSET", keys.MARKS, number, marks)
            await self._ask("ZADD", keys.keyframed(source), number, number)
        await self._ask("HSET", keys.LIVE, source, number)
        await self._ask("HSET", keys.STATES, source, codec.pack(wanted.state))
        return content.version


class LeasesAlone(Commits):
    """Whoever once had the lease may write: no fence, and no look at what the changes start from."""

    def __init__(self, redis: Redis, store: Store) -> None:
        super().__init__(redis, store.versions, store.contents, KEPT)
        refusals = [line for line in commit.COMMIT.splitlines() if "'FENCED'" in line or "'STALE'" in line]
        assert len(refusals) == 2
        lines = [line for line in commit.COMMIT.splitlines() if line not in refusals]
        self._commit = redis.register_script("\n".join(lines))


def torn(redis: Redis) -> Store:
    """Return a store whose commits are torn."""
    store = Store(redis)
    store.commits = TornCommits(redis, store.versions, store.contents, KEPT)
    return store


def leases_alone(redis: Redis) -> Store:
    """Return a store that nothing but leases guards."""
    store = Store(redis)
    store.commits = LeasesAlone(redis, store)
    return store
