"""Processes of the program under load: started, asked to stop or killed, started again; their memory on the way."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from tests.soak.report import ROOT

_PAGE = os.sysconf("SC_PAGE_SIZE")
_STOP_S = 30.0


class Program:
    """One role; ``exits`` are its exit codes when it was asked to stop."""

    def __init__(self, name: str, arguments: tuple[str, ...], settings: Mapping[str, str], logs: Path) -> None:
        self.name = name
        self.exits: list[int] = []
        self.kills = 0
        self.memory: list[float] = []
        """MB, sampled while one process lives."""
        self._command = (sys.executable, "-m", "catalog_service", *arguments)
        clean = {key: value for key, value in os.environ.items() if not key.startswith("CATALOG_")}
        self._environment = {**clean, **settings}
        self._log = logs / f"{name}.log"
        self._process: Process | None = None

    async def start(self) -> None:
        """Start it; it is not waited for."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )
        self.memory.clear()

    @property
    def lives(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    async def stop(self) -> None:
        """Ask it to stop and wait until it has."""
        assert self._process
        self._process.terminate()
        self.exits.append(await asyncio.wait_for(self._process.wait(), _STOP_S))

    async def kill(self) -> None:
        """kill -9."""
        assert self._process
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()
        self.kills += 1

    def sample(self) -> None:
        """Note how much memory it has."""
        if self.lives and self._process:
            self.memory.append(resident_mb(self._process.pid))

    def log(self) -> str:
        """Return what it said."""
        return self._log.read_text(errors="replace")


async def ready(port: int) -> None:
    """Wait until a replica answers."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                status = await reader.readline()
                writer.close()
                if b" 200 " in status:
                    return
            await asyncio.sleep(0.1)


def resident_mb(pid: int) -> float:
    """Return the memory of a process, 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6
    except (OSError, IndexError):
        return 0.0


def growth(samples: list[float]) -> float:
    """Return by which share memory grew from the second quarter of the time to the last; 0.0 of too few samples."""
    quarter = len(samples) // 4
    if quarter < 3:
        return 0.0
    return median(samples[-quarter:]) / median(samples[quarter : 2 * quarter]) - 1
