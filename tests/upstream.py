"""A real aiohttp server on loopback that plays the upstream for tests: scripted answers, scripted faults.

    async with UpstreamServer() as upstream:
        upstream.script("/page?id=1", Answer(status=503), Answer(b"body", etag='"1"'))

Each address plays its answers in order and then repeats the last one; an address nobody scripted is
a 404, and ClientRequestId is not looked at. A request whose If-None-Match is the answer's etag gets
a 304, as upstreams do.
"""

from __future__ import annotations

import asyncio
import gzip
from enum import Enum, auto
from types import TracebackType
from typing import Self

from aiohttp import web
from msgspec import Struct

from scrapers.client import public_address


class Fault(Enum):
    """What goes wrong on the wire instead of a whole answer."""

    RESET = auto()
    """The connection is torn down before a byte is sent."""
    TRUNCATED = auto()
    """Content-Length promises more than is sent."""
    TRUNCATED_CHUNKS = auto()
    """A chunked body ends without its last chunk."""
    STALL = auto()
    """Nothing is ever sent."""


class Answer(Struct, frozen=True):
    """One scripted answer."""

    body: bytes = b""
    status: int = 200
    media_type: str = "application/octet-stream"
    etag: str | None = None
    last_modified: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    fault: Fault | None = None


class Asked(Struct, frozen=True):
    """One request as the server saw it; header names are in lower case."""

    path: str
    """With the query, still percent-encoded."""
    headers: tuple[tuple[str, str], ...]
    at_s: float
    """When it came, on the event loop's clock."""

    def header(self, name: str) -> str | None:
        """Return the value of a header, or None."""
        return dict(self.headers).get(name.lower())


def redirect(location: str, status: int = 302) -> Answer:
    """Answer with a redirect to ``location``, absolute or relative."""
    return Answer(status=status, headers=(("Location", location),))


def gzip_bomb(size: int) -> Answer:
    """Answer with ``size`` zero bytes in a few gzipped ones."""
    return Answer(gzip.compress(bytes(size)), headers=(("Content-Encoding", "gzip"),))


class UpstreamServer:
    """The server. ``url`` is its base address, ``asked`` what was asked of it, in order."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.url = ""
        self._answers: dict[str, list[Answer]] = {}
        self._runner: web.ServerRunner | None = None

    def script(self, path: str, *answers: Answer) -> str:
        """Let ``path`` (with its query) play ``answers``. Returns its full address."""
        self._answers[path] = list(answers)
        return self.url + path

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths asked so far, with queries."""
        return tuple(asked.path for asked in self.asked)

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.raw_path
        headers = tuple((name.lower(), value) for name, value in request.headers.items())
        self.asked.append(Asked(path, headers, asyncio.get_running_loop().time()))
        scripted = (
            self._answers.get(path) or self._answers.get(public_address(path)) or [Answer(b"not here", status=404)]
        )
        answer = scripted.pop(0) if len(scripted) > 1 else scripted[0]
        if answer.fault:
            return await _break(request, answer)
        if answer.etag and request.headers.get("If-None-Match") == answer.etag:
            return web.Response(status=304, headers={"ETag": answer.etag})
        return web.Response(status=answer.status, body=answer.body, headers=_headers(answer))


def _headers(answer: Answer) -> dict[str, str]:
    headers = {"Content-Type": answer.media_type} | dict(answer.headers)
    if answer.etag:
        headers["ETag"] = answer.etag
    if answer.last_modified:
        headers["Last-Modified"] = answer.last_modified
    return headers


async def _break(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    """Play a fault: send what it sends, then tear the connection down (a stall waits for the client to go)."""
    response = web.StreamResponse(status=answer.status, headers=_headers(answer))
    transport = request.transport
    assert transport is not None
    if answer.fault is Fault.STALL:
        await asyncio.Event().wait()  # cancelled when the server goes
    if answer.fault in (Fault.TRUNCATED, Fault.TRUNCATED_CHUNKS):
        if answer.fault is Fault.TRUNCATED:
            response.content_length = len(answer.body) + 1
        else:
            response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(answer.body)
        transport.close()
    else:
        transport.abort()
    return response
