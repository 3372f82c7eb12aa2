"""A full disk under the embedded store."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from catalog_service.reader import Reader
from catalog_service.store.connect import Store, open_store
from catalog_service.store.leases import Leases
from catalog_service.sync.run import run_source
from schema.errors import CatalogError
from tests.invariants import Acknowledged, Seen, broken
from tests.local_source import Clock, Shelf, body, local_source
from tests.soak.report import Row, keep
from tests.test_embedded import server_pid

pytestmark = pytest.mark.soak
SOURCE = local_source()
_MEGABYTES = 8
LEASE_S = 0.2
ROUNDS = 3
_WAIT_S = 30.0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB."""
    if os.geteuid():
        pytest.skip("mounting a small disk needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_MEGABYTES}m", "tmpfs", str(disk)]
    if (done := subprocess.run(mount, capture_output=True, text=True, check=False)).returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


class Upstream(Shelf):
    """It has something new each time."""

    def renew(self) -> None:
        tags = {f"t{one}": [f"20.{one}.0.0/16"] for one in range(30)}
        self.bodies[SOURCE.url] = body(
            {**tags, "new": [f"40.0.{self.asked % 250}.0/24"], "n": [f"41.{self.asked % 250}.0.0/16"]}
        )


async def synced(store: Store, upstream: Upstream, clock: Clock) -> Acknowledged | None:
    """Sync once; None where it was refused, which is told as a failure."""
    upstream.renew()
    clock.forward(hours=1)
    while (outcome := await run_source(SOURCE, upstream, store, clock)).result == "busy":
        await asyncio.sleep(LEASE_S)  # one that could not be given back
    if outcome.result == "failed":
        assert outcome.message
        return None
    assert outcome.version, outcome
    return Acknowledged(SOURCE.name, outcome.version, (await store.versions.version(outcome.version)).digest)


def fill(disk: Path) -> Path:
    """Leave no byte free."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    return ballast


async def test_a_full_disk_refuses_writes_and_loses_nothing(small_disk: Path) -> None:
    """The server stays up: commits fail clearly, reads go on, and it resumes by itself when there is room."""
    begun_s, data, upstream, clock = time.monotonic(), small_disk / "data", Upstream(), Clock()
    acknowledged: list[Acknowledged] = []
    refused = 0
    async with open_store(None, data, service=True) as store:
        pid, reader, store.leases = server_pid(data), Reader(store), Leases(store.redis, LEASE_S)
        for _ in range(ROUNDS):
            acknowledged += filter(None, [await synced(store, upstream, clock) for _ in range(5)])
            ballast = fill(small_disk)
            deadline, before = time.monotonic() + _WAIT_S, refused
            while refused < before + 3:
                assert time.monotonic() < deadline, "writes are never refused"
                made = await synced(store, upstream, clock)
                refused += made is None
                acknowledged += [made] if made else []
                assert (await reader.refresh()).version == acknowledged[-1].version
            with pytest.raises((RedisError, CatalogError), match=r"(?i)misconf|disk|AOF|not answer"):
                await store.mark_demo()
            ballast.unlink()
            while not (made := await synced(store, upstream, clock)):
                assert time.monotonic() < deadline + _WAIT_S, "it never resumes"
                await asyncio.sleep(0.1)
            acknowledged.append(made)
        assert server_pid(data) == pid
        assert await broken(store, {SOURCE.name: SOURCE.guard}, Seen(tuple(acknowledged))) == ()
    async with open_store(None, data, service=True) as store:
        violations = await broken(store, {SOURCE.name: SOURCE.guard}, Seen(tuple(acknowledged)))
    keep(row(acknowledged, refused, violations, time.monotonic() - begun_s))
    assert violations == ()


def row(acknowledged: list[Acknowledged], refused: int, violations: tuple[str, ...], seconds: float) -> Row:
    """Return the row of the report."""
    return Row(
        name="disk",
        fault="disk full under the embedded store (everysec)",
        runs=ROUNDS,
        lost=len(violations),
        refused=refused,
        held="the server stays up, commits are refused, reads go on, it resumes unaided, nothing acknowledged is lost",
        seconds=round(seconds, 1),
        facts={"versions": str(acknowledged[-1].version)},
    )
