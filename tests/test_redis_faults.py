"""A Redis that is slow, away, demoted, loading or broken: writes fail plainly, reads go on, and all is well afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from redis.exceptions import ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as TimedOutError

from catalog_service.catalog.degraded import FAILED_RUNS
from catalog_service.metrics import STORE_ERRORS, STORE_SECONDS
from catalog_service.reader import Reader
from catalog_service.store import keys
from catalog_service.store.client import Client
from catalog_service.store.connect import Store, open_store
from catalog_service.store.connection import RedisOptions, opened_redis
from catalog_service.store.leases import Ask
from catalog_service.sync.history import import_history
from catalog_service.tasks import stop
from schema.change import summarize
from schema.document import Provenance
from schema.errors import StoreError
from schema.event import EventType, Place
from schema.subscription import Parcel, QueueItem
from schema.version import AuditEntry, HeldVersion, SourceState, Version, count
from scrapers.history.files import HistoricFile
from tests.api_client import DAY, START, TAGS, TAGS_1, commit, published, tag
from tests.invariants import broken
from tests.local_source import Clock, body, local_source
from tests.redis_proxy import Proxy, proxied
from tests.redis_shapes import RIGHTS, One, one
from tests.telling import subscribed, subscription

SOURCE = local_source()
ROOT = Path(__file__).resolve().parents[1]
BRIEF = RedisOptions(timeout_s=1.0)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[One]:
    """A server that has on disk what it acknowledged."""
    with one(tmp_path_factory.mktemp("redis"), "--appendonly", "yes", "--appendfsync", "always") as made:
        yield made


@pytest.fixture
async def proxy(server: One) -> AsyncIterator[Proxy]:
    """What stands before it."""
    server.say("FLUSHALL")
    async with proxied(server.port) as made:
        yield made


@pytest.fixture
async def behind(proxy: Proxy, tmp_path: Path) -> AsyncIterator[Store]:
    """A store behind the proxy, of three versions, that is not waited long for."""
    async with open_store(proxy.url, tmp_path, service=False, options=BRIEF) as store:
        await published(store)
        yield store


@pytest.mark.parametrize(
    "said",
    [
        "LOADING Redis is loading the dataset in memory",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "CLUSTERDOWN Hash slot not served",
        "CROSSSLOT Keys in request don't hash to the same slot",
        "MISCONF Errors writing to the AOF file: No space left on device",
        "OOM command not allowed when used memory > 'maxmemory'.",
        "NOREPLICAS Not enough good replicas to write.",
        "NOPERM User catalog has no permissions to run the 'evalsha' command",
    ],
)
async def test_what_redis_refuses_is_said(behind: Store, proxy: Proxy, said: str) -> None:
    """A command fails with Redis' own words, is counted, and goes through once it is over."""
    proxy.answer = f"-{said}\r\n".encode()
    failed = _failures()
    with pytest.raises(RedisError, match=said.partition(" ")[2].replace(".", r"\.")):
        await _commit(behind, 4)
    assert _failures() > failed
    proxy.answer = b""
    assert (await _commit(behind, 4)).version == 4
    assert await broken(behind, {}) == ()


async def test_a_replica(server: One, behind: Store, tmp_path: Path) -> None:
    """A Redis that became a replica is read, also by who comes then, and written to again once it is a primary."""
    server.say("REPLICAOF", "127.0.0.1", 1)
    try:
        with pytest.raises(ReadOnlyError):
            await _commit(behind, 4)
        async with open_store(server.url, tmp_path, service=False, options=BRIEF) as late:
            assert (await Reader(late).refresh()).version == 3
    finally:
        server.say("REPLICAOF", "NO", "ONE")
    assert (await _commit(behind, 4)).version == 4


async def test_a_reply_that_breaks_off(behind: Store, proxy: Proxy) -> None:
    """A commit whose reply was lost is sent again, and there is one version of it."""
    proxy.cut_after = keys.LINE.encode() + b"\r\n"  # of COMMIT's keys
    assert (await _commit(behind, 4)).version == 4
    assert proxy.cut_after == b""
    assert await behind.versions.head() == 4
    assert await broken(behind, {}) == ()


async def test_an_import_whose_reply_breaks_off(behind: Store, proxy: Proxy, tmp_path: Path) -> None:
    """A version of history is sent again, and there is one of it."""
    for days in (0, 1):  # the script is there by the second
        path = tmp_path / f"{days}.json"
        path.write_bytes(body({f"t{number}": [f"20.{number}.{days}.0/24"] for number in range(30)}))
        proxy.cut_after = keys.fetched(SOURCE.name).encode() + b"\r\n"  # of IMPORT's keys
        (imported,) = await import_history(
            SOURCE, (HistoricFile(path.name, path, START + days * DAY),), behind, Clock()
        )
        assert proxy.cut_after == b""
        assert (imported.version, await behind.versions.last()) == (4 + days, 4 + days)
    assert await broken(behind, {}) == ()


async def test_a_state_whose_reply_breaks_off(behind: Store, proxy: Proxy) -> None:
    """What listeners are told of a source that recovers, and of what it has to wait for, they are told once."""
    async with behind.leases.hold_or_refuse(TAGS) as lease:
        await behind.sources.record(lease, SourceState(checked_at=START, failures=FAILED_RUNS, error="no answer"))
        proxy.cut_after = keys.documents(TAGS).encode() + b"\r\n"  # of RECORD's keys
        well = replace(await behind.sources.state(TAGS), checked_at=START + DAY, failures=0, error=None)
        await behind.sources.record(lease, well, hold=(_held(), TAGS_1))
    assert proxy.cut_after == b""
    told = [event.notice.type for event in await behind.events.last(9) if event.notice]
    assert told == [EventType.HELD, EventType.RECOVERED, EventType.DEGRADED]


async def test_what_a_person_does_whose_reply_breaks_off(behind: Store, proxy: Proxy) -> None:
    """What is asked for waits once, and what was deleted or renewed is not said to have been changed by others."""
    item = QueueItem(Parcel(Place(0), Place(0), ping="1"), EventType.PING, START, settled=True)
    for number, cut in ((1, False), (2, True)):  # the scripts are there by the second
        made = await subscribed(behind, subscription(f"sub_{number}", "https://a.example/"))
        entry = AuditEntry(START + number * DAY, "a test", "subscription-test", made.id, "", "")
        proxy.cut_after = keys.queue(made.id).encode() + b"\r\n" if cut else b""
        await behind.queues.put(made.id, [item], START, entry, front=True)
        assert await behind.queues.counts(made.id) == (1, 0)
        proxy.cut_after = keys.SIGNING_KEY.encode() + b"\r\n" if cut else b""
        before = str(number - 1).encode() if cut else None
        assert await behind.signing_keys.replace(before, str(number).encode(), replace(entry, action="key-renew"))
        proxy.cut_after = keys.dead(made.id).encode() + b"\r\n" if cut else b""
        assert await behind.subscriptions.delete(made, replace(entry, action="subscription-delete"))
        assert proxy.cut_after == b""
    told = [one.action for one in await behind.audit.newest(4)]
    assert told == ["subscription-delete", "key-renew", "subscription-test", "subscription-create"]


async def test_a_slow_redis(behind: Store, proxy: Proxy) -> None:
    """One that is slower than it may be is given up after two timeouts, and waited for when it is not; both are timed."""
    proxy.delay_s = 0.2
    assert await behind.versions.head() == 3
    proxy.delay_s = 5.0
    begun = time.monotonic()
    with pytest.raises(TimedOutError):
        await behind.versions.head()
    assert 2.0 <= time.monotonic() - begun < 5.0
    assert _seconds("COMMIT") > 0
    assert _seconds("GET") > 2.0


async def test_a_cancelled_command(proxy: Proxy, tmp_path: Path) -> None:
    """The reply to a command that was given up goes to nobody else (CVE-2023-28858, CVE-2023-28859)."""
    single = RedisOptions(connections=1)
    async with open_store(proxy.url, tmp_path, service=False, options=single) as store:
        ask: Ask = store.redis.execute_command
        for name in ("a", "b"):
            await ask("SET", f"{keys.TAG}:{name}", name)
        proxy.delay_s = 0.1
        for transaction in (False, True, False, True):
            proxy.came.clear()
            given_up = asyncio.ensure_future(_several(store, "a") if transaction else ask("GET", f"{keys.TAG}:a"))
            await proxy.came.wait()
            await stop(given_up)
            assert await ask("GET", f"{keys.TAG}:b") == b"b"
            assert await _several(store, "b") == [b"b", b"b"]


async def test_who_is_stopped_twice_leaves_no_connection(server: One) -> None:
    """A second cancellation, right when the connections are being closed, does not leave them open."""
    opened: asyncio.Future[Client] = asyncio.get_running_loop().create_future()

    async def use() -> None:
        async with opened_redis(server.url, BRIEF) as client:
            ask: Ask = client.execute_command
            await asyncio.gather(*(ask("PING") for _ in range(5)))
            opened.set_result(client)
            await asyncio.Event().wait()

    using = asyncio.create_task(use())
    client = await opened
    used: set[Any] = set(client.connection_pool._available_connections)
    assert [one.is_connected for one in used] == [True] * 5
    using.cancel()
    await asyncio.sleep(0)
    using.cancel()
    await stop(using)
    assert [one.is_connected for one in used] == [False] * 5


async def test_a_redis_that_hangs(server: One, behind: Store) -> None:
    """While it answers nothing what is in memory is served, with its age, and followed again when it goes on."""
    reader = Reader(behind)
    await reader.refresh()
    following = asyncio.create_task(reader.follow())
    refreshed_at = reader.refreshed_at
    server.pause()
    try:
        with pytest.raises(RedisError):
            await _commit(behind, 4)
        assert (reader.current.version, reader.refreshed_at) == (3, refreshed_at)
    finally:
        server.go_on()
    await behind.redis.delete(keys.lease(TAGS))
    await _commit_surely(behind, 4)
    await asyncio.wait_for(reader.wait_past(3), 20)
    await stop(following)
    assert await broken(behind, {}) == ()


@pytest.mark.parametrize("missing", ["evalsha", "script|load", "set", "get"])
async def test_a_right_that_is_missing(server: One, tmp_path: Path, missing: str) -> None:
    """Who opens the store as a user that may not do all is told which command it is, and where the rights are listed."""
    server.say("FLUSHALL")
    server.say("SCRIPT", "FLUSH")
    server.say("ACL", "SETUSER", "catalog", "reset", "on", ">secret", *RIGHTS.split(), f"-{missing}")
    options = RedisOptions(username="catalog", password="secret")
    with pytest.raises(StoreError, match=f"rights docs/redis.md lists: .*{missing.replace('|', '.')}") as caught:
        async with open_store(server.url, tmp_path, service=False, options=options):
            pass
    assert "secret" not in str(caught.value)
    assert RIGHTS in (ROOT / "docs" / "redis.md").read_text()


@pytest.mark.parametrize(
    "url",
    [
        "redis://:sec/ret@127.0.0.1:1",
        "redis://127.0.0.1:1?secret=1",
        "redis://127.0.0.1:1?retry_on_error=secret",
        "redis+sentinel://127.0.0.1:secret/name",
        "redis+sentinel://127.0.0.1/name?db=secret",
        "redis+secret://127.0.0.1",
        "http://secret",
    ],
)
async def test_an_address_that_is_none(tmp_path: Path, url: str) -> None:
    """It is refused before anything is sent, and no part of it is told: that might be of a password."""
    with pytest.raises(StoreError, match="address of Redis is none") as caught:
        async with open_store(url, tmp_path, service=False):
            pass
    assert "ret" not in str(caught.value)


@pytest.mark.parametrize("name", ["protocol", "decode_responses", "encoding", "encoding_errors", "legacy_responses"])
async def test_an_address_that_has_replies_read_otherwise(tmp_path: Path, name: str) -> None:
    """What the store depends on is not to be chosen; which parameter it is is told."""
    with pytest.raises(StoreError, match=f"the address of Redis may not set {name}:"):
        async with open_store(f"redis://127.0.0.1:1?db=0&{name}=1", tmp_path, service=False):
            pass


async def test_a_redis_that_is_killed(server: One, tmp_path: Path) -> None:
    """What it acknowledged is there when it is back, and who used it goes on."""
    server.say("FLUSHALL")
    async with open_store(server.url, tmp_path, service=False) as store:
        await published(store)
        server.kill()
        await asyncio.to_thread(server.start)
        assert await store.versions.head() == 3
        assert (await _commit(store, 4)).version == 4
        assert await broken(store, {}) == ()


def _held() -> HeldVersion:
    provenance = Provenance("https://tags.example/", START, "sha256:11")
    return HeldVersion("0123456789ab", TAGS, START, ("why",), "sha256:1", count(()), summarize(()), provenance, 3)


async def _commit(store: Store, number: int) -> Version:
    records = (tag("AzureConnectors", f"13.{number}.0.0/16"),)
    return await commit(store, TAGS, records, START + timedelta(days=number))


async def _commit_surely(store: Store, number: int) -> Version:
    async with asyncio.timeout(30):
        while True:
            try:
                return await _commit(store, number)
            except (RedisError, StoreError, AssertionError):  # a lease that could not be given back
                await store.redis.delete(keys.lease(TAGS))


async def _several(store: Store, name: str) -> list[bytes]:
    async with store.redis.pipeline(transaction=True) as pipeline:
        for _ in range(2):
            pipeline.execute_command("GET", f"{keys.TAG}:{name}")
        found: list[bytes] = await pipeline.execute()
        return found


def _seconds(command: str) -> float:
    found = (sample for one in STORE_SECONDS.collect() for sample in one.samples if sample.name.endswith("_sum"))
    return next(sample.value for sample in found if sample.labels == {"command": command})


def _failures() -> float:
    return sum(
        sample.value for one in STORE_ERRORS.collect() for sample in one.samples if sample.name.endswith("_total")
    )
