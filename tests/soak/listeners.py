"""Clients of the event stream under load: each comes back with the id of what it read last, to another replica."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from random import Random

_MOST_LINE = 1 << 24
_QUIET_S = 40.0
"""More than two heartbeats."""


class Listener:
    """One client; ``told`` are the versions it was told of, in the order in which it was."""

    def __init__(self, ports: Sequence[int], random: Random) -> None:
        self.told: list[int] = []
        self.connections = 0
        self.refused: Counter[str] = Counter()
        self._ports = ports
        self._random = random
        self._last_id = "0"
        self._event = b""

    @property
    def last(self) -> int:
        """Up to which version it knows."""
        return int(self._last_id.partition("-")[0])

    async def run(self) -> None:
        """Listen for ever."""
        while True:
            with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                await self._listen(self._random.choice(self._ports))
            await asyncio.sleep(self._random.uniform(0.05, 0.5))

    async def _listen(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_MOST_LINE)
        try:
            head = f"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n"
            writer.write(f"{head}Last-Event-ID: {self._last_id}\r\n\r\n".encode())
            status = (await asyncio.wait_for(reader.readline(), _QUIET_S)).decode().strip()
            if " 200 " not in f"{status} ":
                self.refused[status] += 1
                return
            self.connections += 1
            while line := await asyncio.wait_for(reader.readline(), _QUIET_S):
                self._read(line)
        finally:
            writer.close()

    def _read(self, line: bytes) -> None:
        if line.startswith(b"event: "):
            self._event = line
        elif line.startswith(b"id: "):
            self._last_id = line[4:].decode().strip()
            if self._event.startswith(b"event: catalog.version.committed"):
                self.told.append(self.last)
            self._event = b""


def unheard(listeners: Sequence[Listener], head: int) -> list[str]:
    """Return, a sentence each, who was not told of every version up to ``head`` exactly once and in order."""
    wanted = list(range(1, head + 1))
    return [
        f"listener {place} heard of {len(one.told)} versions, the last {one.told[-3:]}, of {head}"
        for place, one in enumerate(listeners)
        if one.told != wanted
    ]
