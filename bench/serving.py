"""What serving costs, against nginx with the same bytes as files and against asking Redis: rows of the benchmark.

uvicorn with the application, then nginx, on core 0; wrk on core 1 with 16 connections. Rounds alternate, and the
ratio is the median of the rounds' ratios. Rows that need a program which is not installed say so instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.loops.auto import auto_loop_factory

from bench.measure import Row
from catalog_service.api.app import create_app
from catalog_service.api.context import encode
from catalog_service.api.gate.rules import GateRules
from catalog_service.catalog.snapshot import Snapshot, SourceContent
from catalog_service.cli.listen import bound, serve_app
from catalog_service.reader import Reader
from catalog_service.settings import load_settings
from catalog_service.store import codec
from catalog_service.store.connect import Store, open_store
from catalog_service.sync.run import run_source
from catalog_service.views.records import record_view
from schema.document import Document, Provenance
from schema.endpoint_set import EndpointSet
from schema.version import SourceState
from scrapers.mirror import FolderMirror
from scrapers.source import Source
from scrapers.sources import SOURCES, source_named
from scrapers.upstream import Upstream

_ROUNDS = 5
_SECONDS = 1
_CONNECTIONS = 16
_SOURCE = source_named(SOURCES, "azure-service-tags-public")
_RECORD = f"{_SOURCE.name}:ActionGroup"
_KEY = "bench:records"
_NGINX = """daemon off; worker_processes 1; pid {root}/pid; error_log stderr crit; events {{}}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 10000000; types {{}} default_type text/plain;
client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3; uwsgi_temp_path {root}/t4;
scgi_temp_path {root}/t5; server {{ listen 127.0.0.1:{port}; root {root}/files; gzip_static on; }} }}
"""


class Case(Struct, frozen=True):
    """The same question to two servers."""

    what: str
    ours: str
    against: str
    peer: str
    headers: tuple[str, ...] = ()
    conditional: bool = False


_CASES = (
    Case("the full allowlist, identity", "/v1/allowlist", "/list", "nginx"),
    Case("the full allowlist, gzip", "/v1/allowlist", "/list", "nginx", ("Accept-Encoding: gzip",)),
    Case(
        "the full allowlist, not modified",
        "/v1/allowlist",
        "/list",
        "nginx",
        ("Accept-Encoding: gzip",),
        conditional=True,
    ),
    Case("one record as JSON", f"/v1/endpoints/{_RECORD}", "/bench/redis", "read from Redis and encoded each time"),
)


def serving(file: bytes) -> Iterator[Row]:
    """Serve ``file``, a weekly Public file, and measure."""
    wrk, nginx = shutil.which("wrk"), shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not wrk:
        yield Row("requests a second", "not measured: wrk is not installed")
        return
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        root = Path(directory)
        asyncio.run(_filled(root / "data", file))
        ours = _started(stack, [sys.executable, "-m", "bench.serving", str(root / "data")])
        peers = {"nginx": _nginx(stack, root, nginx, ours)} if nginx else {}
        for case in _CASES:
            against = ours if case.peer != "nginx" else peers.get("nginx")
            yield _row(wrk, case, ours, against) if against else Row(case.what, "not measured: nginx is not installed")


def _row(wrk: str, case: Case, ours: int, against: int) -> Row:
    rounds = [(_rate(wrk, ours, case.ours, case), _rate(wrk, against, case.against, case)) for _ in range(_ROUNDS)]
    mine, theirs = (statistics.median(side) for side in zip(*rounds, strict=True))
    ratio = statistics.median(one / other for one, other in rounds)
    return Row(case.what, f"{mine:,.0f}/s", f"{case.peer} {theirs:,.0f}/s", f"{ratio:.2f}x")


def _rate(wrk: str, port: int, path: str, case: Case) -> float:
    """Return the answers a second, all of them whole."""
    status, headers, _ = _got(port, path, case.headers)
    given = [*case.headers, *((f"If-None-Match: {headers['ETag']}",) if case.conditional else ())]
    assert (status, _got(port, path, tuple(given))[0]) == (200, 304 if case.conditional else 200)
    flags = [part for one in given for part in ("-H", one)]
    command = [wrk, "-t1", f"-c{_CONNECTIONS}", f"-d{_SECONDS}s", *flags, f"http://127.0.0.1:{port}{path}"]
    told = subprocess.run(_pinned(1, command), capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in told, told
    assert "Socket errors" not in told, told
    found = re.search(r"Requests/sec:\s+([\d.]+)", told)
    assert found, told
    return float(found[1])


def _got(port: int, path: str, headers: tuple[str, ...]) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=dict(one.split(": ", 1) for one in headers))
        response = connection.getresponse()
        return response.status, response.headers, response.read()


def _nginx(stack: contextlib.ExitStack, root: Path, nginx: str, ours: int) -> int:
    """Serve what ours answers with as files."""
    files = root / "files"
    files.mkdir()
    (files / "list").write_bytes(_got(ours, "/v1/allowlist", ())[2])
    (files / "list.gz").write_bytes(_got(ours, "/v1/allowlist", ("Accept-Encoding: gzip",))[2])
    root.chmod(0o755)  # its worker may be another user
    port = free_port()
    (root / "nginx.conf").write_text(_NGINX.format(root=root, port=port))
    return _started(stack, [nginx, "-c", str(root / "nginx.conf"), "-p", str(root)], port)


def _started(stack: contextlib.ExitStack, command: list[str], port: int | None = None) -> int:
    """Start a server on core 0 for as long as ``stack`` is open, and return its port once it listens."""
    number = port or free_port()
    process = subprocess.Popen(_pinned(0, [*command, *(() if port else (str(number),))]), stderr=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", number), timeout=1):
            return number
        time.sleep(0.1)
    raise TimeoutError(command[0])


def _pinned(core: int, command: list[str]) -> list[str]:
    taskset = shutil.which("taskset")
    return [taskset, "-c", str(core), *command] if taskset and (os.cpu_count() or 1) > 1 else command


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


async def _filled(directory: Path, file: bytes) -> None:
    """Sync ``file`` into a store of its own, and put its records beside it, one by one, for the peer."""

    async def fetch(source: Source, upstream: Upstream, state: SourceState, now: datetime) -> Document:
        return Document(file, Provenance(source.url, now, "sha256:0"))

    async with open_store(None, directory, service=True) as store:
        await run_source(replace(_SOURCE, fetch=fetch), FolderMirror(Path()), store, lambda: datetime.now(UTC))
        content = await store.contents.content(_SOURCE.name)
        assert content
        await store.redis.hset(_KEY, mapping={one.id: codec.pack(one) for one in content.endpoint_sets})


async def _serve(directory: Path, port: int) -> None:
    """Serve a store as the product does, and one record of it the obvious way."""
    async with open_store(None, directory, service=True) as store:
        app = create_app(Reader(store, warm=True), (_SOURCE.info,), rules=GateRules(rate_limit=10_000_000))
        app.router.routes.append(Route("/bench/redis", _obvious(store)))
        with bound(load_settings({"port": port})) as listening:
            await serve_app(app, listening, lambda: None)


def _obvious(store: Store) -> Callable[[Request], Awaitable[Response]]:
    """Return a handler that keeps nothing: the newest version, the record and its source's version come from Redis."""

    async def answer(request: Request) -> Response:
        head = await store.versions.head()
        found, version = await asyncio.gather(store.redis.hget(_KEY, _RECORD), store.versions.version(head))
        assert isinstance(found, bytes)
        record = codec.unpack(found, EndpointSet)
        body = encode(record_view(Snapshot(head, (SourceContent(version, (record,)),)), record))
        headers = {"Cache-Control": "no-cache", "X-Catalog-Version": str(head), "ETag": f'"{head}"'}
        return Response(body, headers=headers, media_type="application/json")

    return answer


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
