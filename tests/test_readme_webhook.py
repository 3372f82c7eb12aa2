"""The README's ten lines: a stranger's receiver, run as it stands there, is verified and told."""

from __future__ import annotations

import asyncio
import base64
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from catalog_service.cli.telling import opened_notifier, origin_of
from catalog_service.notify.notifier import Notifier
from catalog_service.reader import Reader
from catalog_service.settings import Settings, load_settings
from catalog_service.store.connect import Store
from schema.subscription import Status
from tests.api_client import PAGE, PAGE_1, START, TAGS, TAGS_1, commit
from tests.readme import blocks
from tests.redis_shapes import free_port

TEN = 10
WAIT_S = 30


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def environment(redis_url: str, port: int) -> dict[str, str]:
    """What the README exports, for another port and a Redis of the test."""
    (lines,) = (block for block in blocks("sh") if "receiver.py" in block)
    names = ("CATALOG_WEBHOOK_HTTP=true", "CATALOG_WEBHOOK_PORTS=9000", "CATALOG_WEBHOOK_NETWORKS=127.0.0.0/8")
    assert all(name in lines for name in (*names, "export CATALOG_ENCRYPTION_KEY=$(openssl rand -base64 32)"))
    exported = dict(name.replace("9000", str(port)).split("=") for name in names)
    key = base64.b64encode(random.Random(1).randbytes(32)).decode()
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, **exported, "CATALOG_ENCRYPTION_KEY": key, "CATALOG_REDIS_URL": redis_url}


@pytest.fixture
def settings(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings({})


@pytest.fixture
async def notifier(store: Store, settings: Settings) -> AsyncIterator[Notifier]:
    async with opened_notifier(Reader(store), settings, origin_of(settings, ())) as made:
        yield made


async def test_the_ten_lines(
    store: Store, notifier: Notifier, environment: dict[str, str], port: int, tmp_path: Path
) -> None:
    """`subscription add` prints the secret; the receiver answers the challenge and prints what it is told, verified."""
    (lines,) = (block for block in blocks("python") if "standardwebhooks" in block)
    assert len(lines.splitlines()) == TEN
    (command,) = (line for block in blocks("sh") for line in block.splitlines() if line.startswith("export SECRET="))
    words = (
        command.removeprefix("export SECRET=$(catalog-service ").removesuffix(")").replace("9000", str(port)).split()
    )
    await notifier.once()
    added = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "catalog_service", *words],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    receiver = tmp_path / "receiver.py"
    receiver.write_text(lines.replace("9000", str(port)), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, receiver),
        env={**environment, "SECRET": added.stdout.strip()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(WAIT_S):
            await _listening(port)
            await notifier.once()
            assert (await process.stdout.readline()).startswith(b"subscription.ping ")
            (made,) = await store.subscriptions.all()
            assert made.status is Status.ACTIVE
            await commit(store, PAGE, PAGE_1, START)
            await commit(store, TAGS, TAGS_1, START)
            await notifier.once()
            assert (await process.stdout.readline()).startswith(b"catalog.version.committed ")
    finally:
        process.kill()
        await process.wait()
    (_, told) = reversed(await store.deliveries.newest(made.id))
    assert told.parcel.source == TAGS


async def _listening(port: int) -> None:
    """Return once somebody listens at ``port``."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
