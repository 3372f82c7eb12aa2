"""Answers of the newest version straight from memory, before any routing: a raw ASGI layer behind the gate.

In: requests. Out: what the application answered to the very same question before, byte for byte, for as long as the
snapshot it was read from is the current one; every other request goes through. What may be kept is said by the
route (`MAY_KEEP`), and nothing is made here: an answer kept is an answer that the application gave. Called by `app`.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any
from urllib.parse import parse_qsl

from msgspec import Struct
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalog_service.catalog.snapshot import Snapshot
from catalog_service.reader import Reader

MAY_KEEP = "catalog.may_keep"
"""Set in a request's scope where, while one snapshot is the current one, equal requests have equal answers."""
ROUTE = "route"
"""Where Starlette leaves the route that it found in a request's scope, and this layer that of an answer it kept."""
_ASKED = frozenset({b"accept", b"accept-encoding", b"if-none-match"})
_KEPT_STATUSES = (200, 304)
_NEWEST = re.compile(r"latest|\d+", re.ASCII)
_MAX_ENTRIES = 4096
_MAX_BYTES = 64 << 20
_ENTRY_BYTES = 1000
"""What an entry costs besides its body, about."""
_MAX_KEY_BYTES = 4000

Key = tuple[str, str, bytes, tuple[tuple[bytes, bytes], ...]]
"""Method, path, query and the headers that an answer depends on, as they came."""


class _Kept(Struct, frozen=True, gc=False):
    start: dict[str, Any]
    body: dict[str, Any]
    size: int
    route: BaseRoute | None


class Front:
    """The layer, with the answers it keeps; least recently used go first."""

    def __init__(
        self, app: ASGIApp, reader: Reader, *, max_entries: int = _MAX_ENTRIES, max_bytes: int = _MAX_BYTES
    ) -> None:
        self._app = app
        self._reader = reader
        self._limits = (max_entries, max_bytes)
        self._snapshot: Snapshot | None = None
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        current = self._reader.current
        if current is not self._snapshot:
            self._begin_anew(current)
        asked = tuple([header for header in scope["headers"] if header[0] in _ASKED])
        key = (scope["method"], scope["path"], scope["query_string"], asked)
        if kept := self._kept.get(key):
            self._kept.move_to_end(key)
            scope[ROUTE] = kept.route
            await send(kept.start)
            await send(kept.body)
            return
        answer = _Answer(send)
        await self._app(scope, receive, answer.send)
        if current is self._reader.current and current is self._snapshot and scope.get(MAY_KEEP):
            self._keep(key, answer, current, scope.get(ROUTE))

    def _begin_anew(self, current: Snapshot) -> None:
        self._snapshot = current
        self._kept.clear()
        self._bytes = 0

    def _keep(self, key: Key, answer: _Answer, current: Snapshot, route: BaseRoute | None) -> None:
        """Keep an answer of the current snapshot; a 200 to a client that has another one is of use to it alone."""
        _, path, query, asked = key
        size = len(path) + len(query) + sum(len(value) for _, value in asked)
        conditional = any(name == b"if-none-match" for name, _ in asked)
        if size > _MAX_KEY_BYTES or not answer.whole_of(current) or not _of_newest(query):
            return
        if conditional and answer.status != 304:
            return
        kept = answer.kept(route, with_body=key[0] == "GET", key_size=size)
        if before := self._kept.pop(key, None):
            self._bytes -= before.size
        self._kept[key] = kept
        self._bytes += kept.size
        max_entries, max_bytes = self._limits
        while self._kept and (len(self._kept) > max_entries or self._bytes > max_bytes):
            self._bytes -= self._kept.popitem(last=False)[1].size


class _Answer:
    """What the application sends, on its way to the client."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message = {}
        self._body: Message = {}
        self._parts = 0

    async def send(self, message: Message) -> None:
        """Pass a message on, and remember it."""
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            self._body = message
            self._parts += 1
        await self._send(message)

    @property
    def status(self) -> int:
        """The status, 0 without an answer."""
        return int(self._start.get("status", 0))

    def whole_of(self, current: Snapshot) -> bool:
        """Tell whether it may be kept, came in one piece and is of no other snapshot: an older one may be pruned."""
        headers = {name: value for name, value in self._start.get("headers", ()) if name.startswith(b"x-catalog-")}
        number = str(current.version).encode()
        return (
            self.status in _KEPT_STATUSES
            and self._parts == 1
            and not self._body.get("more_body")
            and b"x-catalog-as-of" not in headers
            and headers.get(b"x-catalog-version", number) == number
        )

    def kept(self, route: BaseRoute | None, *, with_body: bool, key_size: int) -> _Kept:
        """Return it as messages for others."""
        data = self._body.get("body", b"") if with_body else b""
        start = {"type": "http.response.start", "status": self.status, "headers": list(self._start["headers"])}
        body = {"type": "http.response.body", "body": data}
        return _Kept(start, body, len(data) + key_size + _ENTRY_BYTES, route)


def _of_newest(query: bytes) -> bool:
    """Tell whether a query asks for the newest version, or by number: a label moves, and a date learns more."""
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return all(_NEWEST.fullmatch(value) for name, value in given if name == "at")
