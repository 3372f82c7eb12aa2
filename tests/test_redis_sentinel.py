"""A Redis behind Sentinels: whoever uses it finds the new primary by himself, and what is there is whole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from catalog_service.reader import Reader
from catalog_service.store import keys
from catalog_service.store.connect import Store, open_store
from catalog_service.store.connection import RedisOptions
from catalog_service.tasks import stop
from schema.errors import StoreError
from schema.version import Version
from tests.api_client import START, TAGS, commit, tag
from tests.invariants import Acknowledged, Seen, broken
from tests.redis_shapes import Sentinels, free_port, sentinels

PASSWORDS = ("of-the-servers", "of-the-sentinels")
OPTIONS = RedisOptions(password=PASSWORDS[0], sentinel_password=PASSWORDS[1])


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sentinels]:
    """A primary, two replicas and three Sentinels, with passwords."""
    with sentinels(tmp_path_factory.mktemp("sentinels"), passwords=PASSWORDS) as made:
        yield made


async def test_an_orderly_failover_is_followed(servers: Sentinels, tmp_path: Path) -> None:
    """A client that is connected to a primary which became a replica writes to the new one, without an error."""
    async with open_store(servers.url, tmp_path, service=False, options=OPTIONS) as store:
        await _empty(store)
        await asyncio.gather(_commit(store, 1), *(store.versions.head() for _ in range(8)))
        assert await store.redis.wait(2, 20_000) == 2
        await asyncio.to_thread(servers.fail_over)
        assert (await _commit(store, 2)).version == 2
        assert await broken(store, {}) == ()


async def test_the_primary_is_killed_between_commits(servers: Sentinels, tmp_path: Path) -> None:
    """What a replica had is there after it took over, each version once and whole; readers go on from memory."""
    async with open_store(servers.url, tmp_path, service=False, options=OPTIONS) as store:
        await _empty(store)
        reader = Reader(store)
        await reader.refresh()
        following = asyncio.create_task(reader.follow())
        acknowledged = []
        for number in range(1, 6):
            made = await _commit(store, number)
            acknowledged.append(Acknowledged(TAGS, made.version, made.digest))
        assert await store.redis.wait(2, 20_000) == 2
        await asyncio.wait_for(reader.wait_past(4), 20)
        servers.primary.kill()
        made = await _commit_surely(store, 6)
        assert made.version == 6
        await asyncio.wait_for(reader.wait_past(5), 20)
        await stop(following)
        assert await broken(store, {}, Seen(tuple(acknowledged))) == ()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (RedisOptions(password=PASSWORDS[0]), "Authentication required"),
        (OPTIONS, "is known to none"),
    ],
    ids=["no password of the Sentinels", "a wrong name"],
)
async def test_why_there_is_no_primary(servers: Sentinels, tmp_path: Path, options: RedisOptions, told: str) -> None:
    """The error says what each Sentinel answers, and no password."""
    url = servers.url + "-of-another" if options is OPTIONS else servers.url
    with pytest.raises(StoreError, match=told) as caught:
        async with open_store(url, tmp_path, service=False, options=options):
            pass
    assert not any(secret in str(caught.value) + repr(options) for secret in PASSWORDS)


async def test_no_sentinel_answers(tmp_path: Path) -> None:
    """It is told of each of them why."""
    url = f"redis+sentinel://user:secret@127.0.0.1:{free_port()},127.0.0.1:{free_port()}/catalog"
    with pytest.raises(StoreError, match=r"127.0.0.1:\d+: Error 111.*; 127.0.0.1:\d+: Error 111") as caught:
        async with open_store(url, tmp_path, service=False):
            pass
    assert "secret" not in str(caught.value)


async def _empty(store: Store) -> None:
    await store.redis.flushall()
    await store.ping()


async def _commit(store: Store, number: int) -> Version:
    records = (tag("AzureConnectors", f"13.{number}.0.0/16"),)
    return await commit(store, TAGS, records, START + timedelta(hours=number))


async def _commit_surely(store: Store, number: int) -> Version:
    """Commit as soon as there is a primary; the lease of one who could not give it back is over."""
    async with asyncio.timeout(30):
        while True:
            try:
                await store.redis.delete(keys.lease(TAGS))
                return await _commit(store, number)
            except (RedisError, StoreError):
                await asyncio.sleep(0.05)
