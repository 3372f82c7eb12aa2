"""The embedded server: one a data directory, never without its owner, its data never lost."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from redis.exceptions import RedisError

from catalog_service.store.connect import Store, open_store
from schema.errors import DataDirInUseError, StoreError

_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only there the kernel ends a server with its owner")
_WAIT_S = 20

_OWNER = """
import asyncio, sys
from pathlib import Path
from catalog_service.store.connect import open_store

async def main():
    async with open_store(None, Path(sys.argv[1]), service=True) as store:
        await store.redis.set("kept", "yes")
        for _ in range(200):
            info = await store.redis.info("persistence")
            if not (info["aof_buffer_length"] or info["aof_pending_bio_fsync"]):
                break
            await asyncio.sleep(0.05)
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def server_pid(data_dir: Path) -> int:
    pid = msgspec.json.decode((data_dir / "server.json").read_bytes())["pid"]
    assert isinstance(pid, int)
    return pid


def ends(pidfd: int) -> bool:
    """Wait for the process of ``pidfd`` to be gone."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    gone = bool(poll.poll(_WAIT_S * 1000))
    os.close(pidfd)
    return gone


async def written(store: Store) -> None:
    """Wait until what was acknowledged is in the file: while the disk is busy with a flush, writes wait up to 2 s."""
    for _ in range(200):
        info = await store.redis.info("persistence")
        if not (info["aof_buffer_length"] or info["aof_pending_bio_fsync"]):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the server never wrote")


async def answered(store: Store, key: str) -> object:
    """Ask for ``key`` until the server answers."""
    for _ in range(_WAIT_S):
        try:
            return await store.redis.get(key)
        except RedisError:
            await asyncio.sleep(0.5)
    return None


async def test_a_second_opening_joins_the_server_that_runs(tmp_path: Path) -> None:
    """A command beside a service uses the service's server and leaves it running."""
    async with open_store(None, tmp_path, service=True) as service:
        await service.redis.set("key", "value")
        pid = server_pid(tmp_path)
        async with open_store(None, tmp_path, service=False) as command:
            assert await command.redis.get("key") == b"value"
            assert server_pid(tmp_path) == pid
        assert await service.redis.get("key") == b"value"


@_LINUX
async def test_the_server_goes_with_its_owner_and_the_data_stays(tmp_path: Path) -> None:
    """After the block no process and no claim is left; the next opening finds everything."""
    async with open_store(None, tmp_path, service=False) as store:
        await store.redis.set("key", "value")
        pidfd = os.pidfd_open(server_pid(tmp_path))
    assert ends(pidfd)
    assert not (tmp_path / "server.json").exists()
    async with open_store(None, tmp_path, service=True) as store:
        assert await store.redis.get("key") == b"value"


async def test_two_services_on_one_data_directory_are_refused(tmp_path: Path) -> None:
    """The second one gets an error that names the directory; the first goes on."""
    async with open_store(None, tmp_path, service=True) as first:
        with pytest.raises(DataDirInUseError, match=str(tmp_path)):
            async with open_store(None, tmp_path, service=True):
                pytest.fail("it was let in")
        assert await first.redis.ping()


async def test_a_command_that_owns_the_server_waits_for_those_who_joined(tmp_path: Path) -> None:
    """Its own work done, it keeps the server for a joined one, and ends when that has left."""
    leave, owned = asyncio.Event(), asyncio.Event()

    async def own() -> None:
        async with open_store(None, tmp_path, service=False):
            owned.set()
            await leave.wait()

    owner = asyncio.create_task(own())
    await owned.wait()
    async with open_store(None, tmp_path, service=False) as joined:
        leave.set()
        for number in range(50):
            await joined.redis.set("key", number)
        assert not owner.done()
    await asyncio.wait_for(owner, _WAIT_S)


async def test_a_service_waits_for_a_command_and_then_owns_the_server(tmp_path: Path) -> None:
    """A service that starts while a command has the server takes over when the command is done."""
    started = asyncio.Event()

    async def serve() -> bool:
        async with open_store(None, tmp_path, service=True) as service:
            started.set()
            return bool(await service.redis.get("key") == b"value")

    async with open_store(None, tmp_path, service=False) as command:
        service = asyncio.create_task(serve())
        await command.redis.set("key", "value")
        assert not started.is_set()
    assert await asyncio.wait_for(service, _WAIT_S)


@_LINUX
async def test_a_killed_server_is_started_again_with_its_data(tmp_path: Path) -> None:
    """kill -9 of the server costs its clients a moment, and no data."""
    async with open_store(None, tmp_path, service=True) as store:
        await store.redis.set("key", "value")
        await written(store)
        pid = server_pid(tmp_path)
        pidfd = os.pidfd_open(pid)
        os.kill(pid, signal.SIGKILL)
        assert ends(pidfd)
        assert await answered(store, "key") == b"value"


@_LINUX
async def test_a_killed_owner_leaves_no_server_and_loses_no_data(tmp_path: Path) -> None:
    """kill -9 of the service ends its server too; the next service starts at once and finds everything."""
    command = [sys.executable, "-c", _OWNER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "ready\n"
        pidfd = os.pidfd_open(server_pid(tmp_path))
        owner.kill()
        assert ends(pidfd)
    async with open_store(None, tmp_path, service=True) as store:
        assert await store.redis.get("kept") == b"yes"


async def test_a_server_that_could_not_be_started_again_is_tried_later(tmp_path: Path) -> None:
    """A fault at the restart, such as a full disk, is not the end: it is tried until it works."""
    async with open_store(None, tmp_path, service=True) as store:
        await store.redis.set("kept", "yes")
        await written(store)
        (tmp_path / "server.json.new").mkdir()  # what says where the server is cannot be written
        os.kill(server_pid(tmp_path), signal.SIGKILL)
        await asyncio.sleep(1)  # long enough for a try that fails
        (tmp_path / "server.json.new").rmdir()
        assert await answered(store, "kept") == b"yes"


@_LINUX
async def test_a_stale_note_of_a_server_delays_nobody(tmp_path: Path) -> None:
    """The number of a server that is long gone may be another process's: it is neither waited for nor ended."""
    (tmp_path / "server.json").write_bytes(msgspec.json.encode({"pid": os.getpid(), "socket": "/nowhere"}))
    async with asyncio.timeout(5), open_store(None, tmp_path, service=True) as store:
        assert await store.redis.ping()


async def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    """A socket's path must stay under 108 bytes; a data directory's need not."""
    data_dir = tmp_path / ("d" * 100) / ("e" * 100)
    async with open_store(None, data_dir, service=True) as store:
        assert await store.redis.ping()


async def test_a_server_that_cannot_start_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator is told that the server did not start, not shown a timeout."""
    monkeypatch.setenv("CATALOG_REDIS_SERVER", "/bin/false")
    with pytest.raises(StoreError, match="did not start"):
        async with open_store(None, tmp_path, service=True):
            pytest.fail("there is no server")
