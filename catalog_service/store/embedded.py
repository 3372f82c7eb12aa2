"""The embedded server: a real Valkey (or Redis) of one data directory, that never outlives its owner.

Who has ``server.lock`` owns the server: starts it, starts it again should it die, takes it down. The
lock goes with the process, so a killed owner blocks nobody, and on Linux the kernel then stops the
server too. Everybody else joins through the socket that ``server.json`` names, holding ``joined.lock``
shared, so that a command that owns the server waits for those that joined it. ``service.lock`` is
the data directory's one service. Called by `connect.open_store`.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from catalog_service.store import server_process
from catalog_service.tasks import stop
from schema.errors import DataDirInUseError, StoreError

_START_S = 20.0
_POLL_S = 0.02
_WATCH_S = 0.1
_RESTART_S = 2.0
_TAKE_OVER_S = 30.0
_STOP_S = 10.0
_JOINED_S = 60.0
_MAX_SOCKET_BYTES = 100  # the system's limit is 104 to 108


_log = structlog.get_logger()


class _Running(msgspec.Struct, frozen=True):
    """What ``server.json`` says of a running server."""

    pid: int
    socket: str


@contextlib.asynccontextmanager
async def embedded_server(data_dir: Path, *, service: bool) -> AsyncIterator[Path]:
    """Give the socket of ``data_dir``'s server for a block, starting it if none runs.

    A service always owns its server: it waits for a command that has one at the moment.

    Raises:
        StoreError: no server program is found, or it does not start.
        DataDirInUseError: ``service``, and another service runs on ``data_dir``.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the data directory cannot be made: {error}", data_dir=str(data_dir)) from error
    with contextlib.ExitStack() as locks:
        if service and not locks.enter_context(_locked(data_dir / "service.lock")):
            raise DataDirInUseError(f"another service runs on {data_dir}", data_dir=str(data_dir))
        if await _own(locks, data_dir, patient=service):
            async with _owned(data_dir) as socket:
                yield socket
        else:
            with _locked(data_dir / "joined.lock", shared=True):
                yield await _join(data_dir)


async def _own(locks: contextlib.ExitStack, data_dir: Path, *, patient: bool) -> bool:
    """Take ``server.lock``; a patient caller waits while a command has it."""
    file = locks.enter_context((data_dir / "server.lock").open("a"))
    for _ in range(int(_TAKE_OVER_S / _POLL_S) if patient else 1):
        if _lock(file):
            return True
        if patient:
            await asyncio.sleep(_POLL_S)
    if patient:
        raise DataDirInUseError(f"a command still uses the server of {data_dir}", data_dir=str(data_dir))
    return False


@contextlib.contextmanager
def _locked(path: Path, *, shared: bool = False) -> Iterator[bool]:
    """Give whether the lock was free; hold it for the block if so."""
    with path.open("a") as file:
        yield _lock(file, shared=shared)


def _lock(file: IO[str], *, shared: bool = False) -> bool:
    """Take the lock of ``file`` if it is free; it goes when the file is closed."""
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.asynccontextmanager
async def _owned(data_dir: Path) -> AsyncIterator[Path]:
    await _stop_orphan(data_dir)
    with _socket_path(data_dir) as socket:
        process = await _start(data_dir, socket)
        keeper = asyncio.create_task(_keep_running(data_dir, socket, process))
        try:
            yield socket
        finally:
            await _joiners_gone(data_dir)
            await stop(keeper)


@contextlib.contextmanager
def _socket_path(data_dir: Path) -> Iterator[Path]:
    """Give where the socket stands: in the data directory, or in /tmp where that path is too long for one."""
    inside = data_dir.absolute() / "redis.sock"
    if len(os.fsencode(inside)) <= _MAX_SOCKET_BYTES:
        yield inside
        inside.unlink(missing_ok=True)
        return
    with tempfile.TemporaryDirectory(prefix="catalog-", ignore_cleanup_errors=True) as directory:
        yield Path(directory) / "redis.sock"


async def _start(data_dir: Path, socket: Path) -> subprocess.Popen[bytes]:
    process = server_process.spawn(data_dir, socket)
    try:
        for _ in range(int(_START_S / _POLL_S)):
            if process.poll() is not None:
                raise StoreError(f"the embedded server did not start: {server_process.last_words(data_dir)}")
            if await _answers(socket):
                _write(data_dir, _Running(process.pid, str(socket)))
                return process
            await asyncio.sleep(_POLL_S)
        raise StoreError(f"the embedded server did not answer within {_START_S:.0f} s")
    except BaseException:
        process.kill()
        process.wait()
        raise


async def _keep_running(data_dir: Path, socket: Path, process: subprocess.Popen[bytes]) -> None:
    """Start the server again whenever it dies, until cancelled; then stop it."""
    pause_s = _WATCH_S
    try:
        while True:
            await asyncio.sleep(pause_s)
            pause_s = _WATCH_S
            if process.poll() is None:
                continue
            _log.warning("the embedded server died, starting it again", exit_code=process.returncode)
            try:
                process = await _start(data_dir, socket)
            except (StoreError, OSError) as error:  # a full disk may have room again later
                _log.error("the embedded server does not start", error=str(error))
                pause_s = _RESTART_S
    finally:
        (data_dir / "server.json").unlink(missing_ok=True)
        server_process.stop(process, _STOP_S)


async def _joiners_gone(data_dir: Path) -> None:
    for _ in range(int(_JOINED_S / _POLL_S)):
        with _locked(data_dir / "joined.lock") as free:
            if free:
                return
        await asyncio.sleep(_POLL_S)


async def _join(data_dir: Path) -> Path:
    """Return the socket of the server another process owns, once it answers."""
    for _ in range(int(_START_S / _POLL_S)):
        running = _read(data_dir)
        if running and await _answers(Path(running.socket)):
            return Path(running.socket)
        await asyncio.sleep(_POLL_S)
    raise StoreError(f"the server of {data_dir} belongs to another process and does not answer")


async def _stop_orphan(data_dir: Path) -> None:
    """Make sure that a server whose owner died is gone before its files are opened again.

    On Linux the kernel kills it with its owner; elsewhere it is ended here, in order and then by force.
    """
    running = _read(data_dir)
    if running is None:
        return
    for end in (signal.SIGTERM, signal.SIGKILL):
        if not await _runs(running, data_dir):
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(running.pid, end)
        for _ in range(int(_STOP_S / _POLL_S)):
            if not await _runs(running, data_dir):
                return
            await asyncio.sleep(_POLL_S)
    raise StoreError(f"the server {running.pid} of {data_dir} has no owner and does not stop")


async def _runs(running: _Running, data_dir: Path) -> bool:
    """Tell whether ``running`` is a server of ``data_dir`` still; its number may be another process's by now."""
    if sys.platform != "linux":
        return await _answers(Path(running.socket))
    try:
        return Path(f"/proc/{running.pid}/cwd").readlink() == (data_dir / "redis").resolve()
    except OSError:
        return False


async def _answers(socket: Path) -> bool:
    if not socket.exists():
        return False
    redis = Redis(unix_socket_path=str(socket), socket_timeout=2)
    try:
        return bool(await redis.ping())
    except (RedisError, OSError):
        return False
    finally:
        await redis.aclose()


def _read(data_dir: Path) -> _Running | None:
    try:
        return msgspec.json.decode((data_dir / "server.json").read_bytes(), type=_Running)
    except (OSError, msgspec.MsgspecError):
        return None


def _write(data_dir: Path, running: _Running) -> None:
    temporary = data_dir / "server.json.new"
    temporary.write_bytes(msgspec.json.encode(running))
    temporary.replace(data_dir / "server.json")
