"""Fixtures shared by all tests: a real Redis a session, an empty store a test, the corpus.

CATALOG_TEST_STORE chooses the Redis: embedded (default), redis, sentinel or cluster (`make test-redis STORE=...`).
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from catalog_service.notify.notifier import Notifier
from catalog_service.store.connect import Store, open_store
from catalog_service.store.server_process import spawn, stop
from schema.event import Place
from tests import redis_shapes
from tests.local_source import Clock
from tests.telling import Receiver, notifying, receiving

# No test is timed: a busy machine is no failure. Each run draws other examples, so that laws are tried on many in time.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

SHAPE = os.environ.get("CATALOG_TEST_STORE", "embedded")
FAILOVER_EVERY = 50
"""On Sentinel, so many tests with a store have another primary than those before them."""
CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores: many tests wait for other processes."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def redis_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of an embedded Redis of this test session alone; for tests that need one whatever the shape."""
    directory = tmp_path_factory.mktemp("redis")
    socket = directory / "s"
    process = spawn(directory, socket)
    while process.poll() is None and not socket.exists():
        time.sleep(0.01)
    yield socket
    stop(process, 10)


@pytest.fixture(scope="session")
def shape(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Callable[[], None]]]:
    """The address of the chosen Redis of this test session alone, and what is done with it between tests."""
    if SHAPE == "embedded":
        yield f"unix://{request.getfixturevalue('redis_socket')}", lambda: None
        return
    directory = tmp_path_factory.mktemp("redis")
    if SHAPE == "sentinel":
        # A busy machine is no failure: they fail over when they are told to.
        with redis_shapes.sentinels(directory, down_after_ms=60_000) as servers:
            yield servers.url, redis_shapes.every(FAILOVER_EVERY, servers.fail_over)
    elif SHAPE == "cluster":
        with redis_shapes.cluster(directory) as nodes:
            yield nodes.url, lambda: None
    else:
        assert SHAPE == "redis", "CATALOG_TEST_STORE is embedded, redis, sentinel or cluster"
        # What the tests themselves do besides: empty it, list and restore its keys, fill it up.
        rights = f"{redis_shapes.RIGHTS} +flushall +keys +restore +config +info"
        with redis_shapes.one(
            directory, "--user", "catalog", "on", ">password", *rights.split(), password="admins"
        ) as server:
            yield server.url.replace("//", "//catalog:password@"), lambda: None


@pytest.fixture(scope="session")
def redis_url(shape: tuple[str, Callable[[], None]]) -> str:
    """The address of a Redis of this test session alone."""
    return shape[0]


@pytest.fixture
async def store(shape: tuple[str, Callable[[], None]], tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store."""
    url, between = shape
    between()
    async with open_store(url, tmp_path, service=False) as opened:
        await opened.redis.flushall()
        await opened.ping()
        yield opened
        await opened.redis.flushall()


@pytest.fixture
async def embedded_store(redis_socket: Path, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store on the embedded Redis, whatever the shape: for tests that cut its wire."""
    async with open_store(f"unix://{redis_socket}", tmp_path, service=False) as opened:
        await opened.redis.flushall()
        await opened.ping()
        yield opened


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Subscribers on loopback."""
    async with receiving() as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    """A clock that the test moves."""
    return Clock()


@pytest.fixture
async def notifier(store: Store, receiver: Receiver, clock: Clock) -> AsyncIterator[Notifier]:
    """A worker of an empty catalogue, which begins with the first event."""
    async with notifying(store, clock, (receiver.port,)) as made:
        await store.queues.skip(Place(0))
        yield made


@pytest.fixture
def logged() -> Iterator[list[structlog.typing.EventDict]]:
    """What is logged, of every level, whatever an earlier test configured."""
    structlog.reset_defaults()
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
def corpus() -> Path:
    """The folder of real upstream data; the test is skipped where it is absent."""
    if not CORPUS.is_dir():
        pytest.skip("no corpus of real upstream data here")
    return CORPUS
