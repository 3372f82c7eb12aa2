"""What 5,000 clients of server-sent events cost, against the same bytes written to as many plain sockets.

The service, then one process that does nothing but write bytes it shares, on core 0; the clients, plain sockets in one
epoll loop, on core 1. Times are from the moment a commit begins (or the writer is asked to write) to the moment
a client has the event; rounds give medians. Rows that need Linux say so elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import cast

from msgspec import Struct
from uvicorn.loops.auto import auto_loop_factory

from bench.line import SOURCE
from bench.measure import Row, ms, times
from bench.serving import free_port
from catalog_service.api.app import create_app
from catalog_service.catalog.diff import diff
from catalog_service.cli.listen import Listening, serve_app
from catalog_service.memory import rarely_collected
from catalog_service.reader import Reader
from catalog_service.store.commits import Commit
from catalog_service.store.connect import Store, open_store
from schema.change import summarize
from schema.endpoint_set import EndpointSet, content_digest, endpoint_set
from schema.version import SourceState, Version, count
from schema.words import Cloud

_CLIENTS = 5_000
_ROUNDS = 5
_FILTERS = 200
_DEADLINE_S = 20
_START = datetime(2026, 11, 23, tzinfo=UTC)
_DATA = re.compile(rb"event: [^\n]+\ndata: [^\n]+\nid: [^\n]+\n\n")


def streams(clients: int = _CLIENTS) -> Iterator[Row]:
    """Serve a small catalogue, commit to it, and measure."""
    if sys.platform != "linux":
        yield Row("server-sent events", "not measured: needs Linux")
        return
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with _on_core(1):
        one, event = _ours(clients, 1)
        raw = _raw(clients, event)
        several, _ = _ours(clients, _FILTERS)
    what = f"{clients:,} streams, commit to receipt, p99 ({len(event):,} bytes)"
    yield Row(what, ms(one.p99), f"raw sockets {ms(raw.p99)}", times(one.p99, raw.p99))
    yield Row("the same, p50", ms(one.p50), f"raw sockets {ms(raw.p50)}", times(one.p50, raw.p50))
    yield Row(f"the same, {_FILTERS} distinct filters, p99", ms(several.p99), "", times(several.p99, raw.p99))
    yield Row("memory a stream", f"{one.rss / clients / 1e3:.1f} kB", f"raw sockets {raw.rss / clients / 1e3:.1f} kB")


class _Measured(Struct, frozen=True):
    p50: float
    p99: float
    rss: float
    """Bytes, of all clients together."""


def _ours(clients: int, filters: int) -> tuple[_Measured, bytes]:
    """Return how the service does with ``filters`` different ones, and the bytes of an event."""
    with tempfile.TemporaryDirectory() as directory, _server(directory) as (pid, port):
        committer = _Committer(Path(directory))
        committer.commit()
        paths = [f"/v1/events?service={','.join(('Storage', f's{number}'))}" for number in range(filters)]
        return _measured(pid, port, clients, lambda number: paths[number % filters], committer.commit)


def _raw(clients: int, event: bytes) -> _Measured:
    with _server("raw") as (pid, port), socket.create_connection(("127.0.0.1", port)) as control:
        control.sendall(b"GET /control HTTP/1.1\r\n\r\n")
        return _measured(pid, port, clients, lambda _: "/", lambda: control.sendall(event))[0]


def _measured(
    pid: int, port: int, clients: int, path: Callable[[int], str], trigger: Callable[[], None]
) -> tuple[_Measured, bytes]:
    with contextlib.ExitStack() as stack:
        warm = [stack.enter_context(_connected(port, path(number))) for number in range(10)]
        before = _rss(pid)
        opened = [stack.enter_context(_connected(port, path(number))) for number in range(clients)]
        rss = _rss(pid) - before
        for one in warm:
            one.close()
        rounds = [_round(opened, trigger) for _ in range(_ROUNDS + 1)][1:]
    p50s, p99s, events = zip(*rounds, strict=True)
    return _Measured(median(p50s), median(p99s), rss), events[-1]


def _round(opened: list[socket.socket], trigger: Callable[[], None]) -> tuple[float, float, bytes]:
    """Return the median, the 99th percentile and an event, once every client has one."""
    by_fd = {one.fileno(): one for one in opened}
    got: dict[int, bytes] = dict.fromkeys(by_fd, b"")
    taken: list[float] = []
    with select.epoll() as poll:
        for fd in by_fd:
            poll.register(fd, select.EPOLLIN)
        start = time.monotonic()
        thread = threading.Thread(target=trigger)
        thread.start()
        while len(taken) < len(opened):
            assert time.monotonic() - start < _DEADLINE_S, f"{len(taken)} of {len(opened)} have the event"
            for fd, _ in poll.poll(1):
                got[fd] += by_fd[fd].recv(65_536)
                if _DATA.search(got[fd]):
                    taken.append(time.monotonic() - start)
                    poll.unregister(fd)
        thread.join()
    taken.sort()
    found = _DATA.search(next(iter(got.values())))
    assert found
    return taken[len(taken) // 2], taken[len(taken) * 99 // 100], found[0]


def _connected(port: int, path: str) -> socket.socket:
    """Return a client whose stream has begun."""
    opened = socket.create_connection(("127.0.0.1", port), timeout=30)
    opened.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n".encode())
    head = b""
    while b"retry: " not in head:
        head += opened.recv(4096)
        assert head.startswith(b"HTTP/1.1 200"), head
    return opened


class _Committer:
    """Commits one change after the other, of a size that a real week's message has."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._number = 0

    def commit(self) -> None:
        asyncio.run(self._commit())

    async def _commit(self) -> None:
        self._number += 1
        async with open_store(None, self._directory, service=False) as store:
            await _committed(store, self._number)


async def _committed(store: Store, number: int) -> None:
    prefixes = [f"20.{byte}.{number}.0/24" for byte in range(40)]
    service = "Storage"
    records: tuple[EndpointSet, ...] = (
        endpoint_set(SOURCE.name, "Storage", service=service, title=service, clouds=[Cloud.PUBLIC], prefixes=prefixes),
    )
    previous = await store.contents.content(SOURCE.name)
    changes, at = diff(previous.endpoint_sets if previous else (), records), _START + timedelta(hours=number)
    version = Version(
        version=0, source=SOURCE.name, fetched_at=at, committed_at=at, digest=content_digest(records),
        counts=count(records), summary=summarize(changes), url=SOURCE.url, document="",
        previous=previous.version.version if previous else None,
    )  # fmt: skip
    async with store.leases.hold(SOURCE.name) as lease:
        assert lease
        await store.commits.commit(lease, Commit(version, changes, records, SourceState()))


@contextlib.contextmanager
def _server(what: str) -> Iterator[tuple[int, int]]:
    """Give a server's process id and port, once it listens, for a block."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.streams", what, str(port)])
    try:
        for _ in range(300):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def _on_core(number: int) -> Iterator[None]:
    """Stay on one core for a block, where there are several."""
    before = os.sched_getaffinity(0)
    if number in before and len(before) > 1:
        os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _rss(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024.0


async def _serve(directory: Path, port: int) -> None:
    """Serve a store as the product does."""
    async with open_store(None, directory, service=True) as store:
        app = create_app(Reader(store, warm=True), (SOURCE.info,))
        with socket.create_server(("127.0.0.1", port), backlog=2048) as opened:
            serving = asyncio.create_task(serve_app(app, Listening(opened, ""), lambda: None))
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
            await asyncio.wait({serving})


class _Writer(asyncio.Protocol):
    """The limit: whatever the control connection sends is written to everybody else, the same bytes."""

    everybody: list[asyncio.Transport] = []  # noqa: RUF012 - of this process

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has the methods alone
        self._controls = False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport in self.everybody:
            self.everybody.remove(self._transport)

    def data_received(self, data: bytes) -> None:
        if self._controls:
            for transport in self.everybody:
                transport.write(data)
        elif data.startswith(b"GET /control"):
            self._controls = True
        else:
            self._transport.write(b"HTTP/1.1 200 OK\r\n\r\nretry: 3000\n\n")
            self.everybody.append(self._transport)


async def _write(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Writer, "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
    what, number = sys.argv[1], int(sys.argv[2])
    with _on_core(0), asyncio.Runner(loop_factory=auto_loop_factory()) as runner, rarely_collected():
        runner.run(_write(number) if what == "raw" else _serve(Path(what), number))
