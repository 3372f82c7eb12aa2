"""Run as a process: ``python -m bench.receivers``: webhook receivers on loopback that do next to nothing.

Prints its port. At ``/r/N`` it answers 204 and notes when the request was whole (monotonic clock, which all processes
of a machine share); at ``/h/N`` it never answers. A line on standard input is answered with one line of JSON: the
times since the line before, by path.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver(asyncio.Protocol):
    received: dict[str, float] = {}  # noqa: RUF012 - one process, one record

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._data = b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        while True:
            head, found, rest = self._data.partition(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            if not found or len(rest) < int(length or 0):
                return
            self._data = rest[int(length or 0) :]
            path = head.partition(b" ")[2].partition(b" ")[0].decode()
            if not path.startswith("/h/"):
                self.received[path] = time.monotonic()
                self._transport.write(_ANSWER)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Receiver, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(Receiver.received), flush=True)
        Receiver.received.clear()


if __name__ == "__main__":
    asyncio.run(main())
