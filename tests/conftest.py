"""Fixtures shared by all tests: a real embedded Redis a session, an empty store a test, the corpus."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from catalog_service.notify.notifier import Notifier
from catalog_service.store.connect import Store, open_store
from catalog_service.store.server_process import spawn, stop
from schema.event import Place
from tests.local_source import Clock
from tests.telling import Receiver, notifying, receiving

# No test is timed: a busy machine is no failure.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores: many tests wait for other processes."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def redis_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a Redis of this test session alone."""
    directory = tmp_path_factory.mktemp("redis")
    socket = directory / "s"
    process = spawn(directory, socket)
    yield socket
    stop(process, 10)


@pytest.fixture
async def store(redis_socket: Path, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store."""
    for _ in range(500):
        if redis_socket.exists():
            break
        await asyncio.sleep(0.01)
    async with open_store(f"unix://{redis_socket}", tmp_path, service=False) as opened:
        await opened.redis.flushall()
        await opened.ping()
        yield opened
        await opened.redis.flushall()


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
def corpus() -> Path:
    """The folder of real upstream data; the test is skipped where it is absent."""
    if not CORPUS.is_dir():
        pytest.skip("no corpus of real upstream data here")
    return CORPUS
