"""A real Cluster of three nodes: the catalogue has one slot of it, which may move while it is written to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from catalog_service.store import keys
from catalog_service.store.connect import Store, open_store
from catalog_service.store.connection import RedisOptions
from catalog_service.store.leases import Lease
from catalog_service.store.steps import lines
from schema.errors import StoreError
from schema.event import Place
from schema.version import Version
from tests.api_client import START, TAGS, commit, published, tag
from tests.invariants import broken
from tests.local_source import Clock
from tests.redis_shapes import Cluster, One, cluster
from tests.telling import Receiver, notifying, subscribed, subscription


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three nodes."""
    with cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture
async def clustered(nodes: Cluster, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store on them."""
    async with open_store(nodes.url, tmp_path, service=False) as store:
        await store.redis.flushall()
        await store.ping()
        yield store


async def test_commits_deliveries_and_transactions(clustered: Store, receiver: Receiver, clock: Clock) -> None:
    """What is committed is told to a subscriber; what is read in one transaction is of one moment."""
    async with notifying(clustered, clock, (receiver.port,)) as notifier:
        await clustered.queues.skip(Place(0))
        await subscribed(clustered, subscription("sub_a", receiver.url()))
        await published(clustered)
        await notifier.once()
    assert [one.version for one in receiver.received] == [1, 2, 3]
    assert [[moment.version for moment in line.moments] for line in await lines(clustered)] == [[1, 3], [2]]
    assert await broken(clustered, {}) == ()


async def test_the_slot_moves_while_commits_go_on(clustered: Store, nodes: Cluster) -> None:
    """What has moved is asked for at its new node; what is written waits until all has; clients find it by themselves."""
    await published(clustered)
    target = _another(nodes)
    end = await asyncio.to_thread(nodes.begin_moving, target, keys.HEAD, keys.LIVE)
    assert await clustered.versions.head() == 3
    assert await clustered.versions.version(3)
    assert not await clustered.leases.renew(Lease("nobody's", "token", 1))  # a script that the new node does not know
    committing = asyncio.create_task(_commit_surely(clustered))
    await asyncio.to_thread(end)
    assert (await committing).version == 4
    assert nodes.owner is target
    assert [(await _commit(clustered, number)).version for number in (5, 6)] == [5, 6]
    assert await broken(clustered, {}) == ()


async def test_a_node_of_a_cluster_by_itself(nodes: Cluster, tmp_path: Path) -> None:
    """An address of one server that is a Cluster's node is refused, and what is right is said."""
    with pytest.raises(StoreError, match=r"redis\+cluster://"):
        async with open_store(_another(nodes).url, tmp_path, service=False, options=RedisOptions(timeout_s=1)):
            pass


async def test_more_callers_than_connections(nodes: Cluster, tmp_path: Path) -> None:
    """Who finds no connection free waits for one."""
    options = RedisOptions(connections=4)
    async with open_store(nodes.url, tmp_path, service=False, options=options) as store:
        assert set(await asyncio.gather(*(store.redis.exists(keys.FORMAT) for _ in range(200)))) == {1}
        told = nodes.owner.say("CLIENT LIST", "TYPE", "normal")
        assert len([one for one in told if one["cmd"] == "exists"]) <= 4


def _another(nodes: Cluster) -> One:
    """A node that has not the slot."""
    return next(node for node in nodes.nodes if node is not nodes.owner)


async def _commit(store: Store, number: int) -> Version:
    records = (tag("AzureConnectors", f"13.{number}.0.0/16"),)
    return await commit(store, TAGS, records, START + timedelta(days=number))


async def _commit_surely(store: Store) -> Version:
    """Commit as soon as the slot is whole."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await _commit(store, 4)
            except (RedisError, StoreError):
                await asyncio.sleep(0.05)
