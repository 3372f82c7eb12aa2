"""Connections that are slow on purpose, or without end: each has so long, and so much memory, and no more.

uvicorn waits for ever for the rest of a request's head, and keeps what it has of it in memory. Here heads, bodies and
answers that nobody reads have a time and heads and bodies a size. Nothing is timed one by one: the server looks at all
of its connections once a second (`sweep`), which costs a request nothing but to note where it is. Called by `listen`.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sys
from enum import Enum, auto
from typing import Any

from httptools import HttpParserUpgrade, HttpRequestParser
from msgspec import Struct
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

MOST_HEAD_BYTES = 96_000
"""More than `api.bounds` takes, whose answers are the better ones."""
MOST_BODY_BYTES = 4 << 20
"""What is read and thrown away once a handler has refused a body; none takes a quarter of it."""
_PART_BYTES = 50
"""What each part of a websocket's message costs in memory, besides its bytes."""
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_NO_WEBSOCKET = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Patience(Struct, frozen=True):
    """How long a client may take, and what all of them may hold."""

    head_s: float = 10.0
    """For a request's head, from when it connects, or its first byte."""
    body_s: float = 30.0
    """For its body, from the end of the head."""
    unread_s: float = 120.0
    """For reading all that was sent so far."""
    refused_s: float = 2.0
    """For reading why it is cut off, while what it still sends is thrown away."""
    unfinished_bytes: int = 256 << 20
    """Of messages that are not whole yet, of all websockets together: nobody says how long one may take."""


class _Stage(Enum):
    """What a connection waits for."""

    IDLE = auto()
    """The next request: uvicorn's own timer runs."""
    HEAD = auto()
    BODY = auto()
    REFUSED = auto()
    """Its client to go."""


class Connection(HttpToolsProtocol):
    """uvicorn's side of a connection, that knows since when it waits for what."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; beyond the most connections there may be, end at once."""
        super().connection_made(transport)  # type: ignore[arg-type]  # uvicorn narrows it as well
        self._wait_for(_Stage.HEAD)
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read on, within the bounds."""
        if self._stage is _Stage.REFUSED:
            return
        if self._stage is _Stage.IDLE:
            self._wait_for(_Stage.HEAD)
        self._unread, self._has_ended = data, False
        while self._unread:
            self._fed, self._unread = self._unread, b""
            super().data_received(self._fed)
        self._fed = b""
        if self._stage is not _Stage.IDLE:
            self._received += 0 if self._has_ended else len(data)  # how much of it is the next request's, nobody says
            if self._stage is _Stage.HEAD and self._received > MOST_HEAD_BYTES:
                self._refuse(_TOO_LARGE)
            elif self._received > MOST_BODY_BYTES:
                self.transport.abort()

    def on_message_begin(self) -> None:
        """A request begins, perhaps right behind another one."""
        super().on_message_begin()
        if self._stage is not _Stage.HEAD:
            self._wait_for(_Stage.HEAD)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; trailers, which come after the body, nobody reads (RFC 9110 6.5.1)."""
        if self._stage is _Stage.HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._wait_for(_Stage.BODY)
        if not self._is_read_again:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of the request is there."""
        if not self._is_read_again:
            super().on_message_complete()
            self._stage, self._has_ended = _Stage.IDLE, True

    def handle_websocket_upgrade(self) -> None:
        """Become a websocket, but not in the middle of another answer.

        A handshake that cannot be read (one with a body, or 129 headers) would be left open without an end.
        """
        if self.cycle is not None and not self.cycle.response_complete:
            self._refuse(_NO_WEBSOCKET)
            return
        super().handle_websocket_upgrade()
        if not getattr(self.transport.get_protocol(), "handshake_initiated", True):
            self.transport.write(_NO_WEBSOCKET)
            self.transport.close()

    @property
    def _is_read_again(self) -> bool:
        """Tell whether the request asks for an upgrade to what is not spoken here, as to h2c; CONNECT is none."""
        parser = self.parser
        return bool(parser.should_upgrade()) and parser.get_method() != b"CONNECT" and not self._should_upgrade()

    def _unsupported_upgrade_warning(self) -> None:
        """Read the request again as one that asks for no upgrade (RFC 9110 7.8): the parser leaves out its body, and
        what comes behind it. Java's clients ask for h2c with each request. Called by uvicorn.
        """
        upgrade = sys.exception()
        if not isinstance(upgrade, HttpParserUpgrade) or not self._is_read_again:
            return
        version = self.parser.get_http_version().encode()
        parts = [self.parser.get_method(), b" ", self.url, b" HTTP/", version, b"\r\n"]
        for name, value in self.headers:
            parts += () if name == b"upgrade" else (name, b": ", value, b"\r\n")
        self.parser = HttpRequestParser(self)
        self._unread = b"".join((*parts, b"\r\n", self._fed[upgrade.args[0] :]))

    def check(self, now: float, patience: Patience) -> None:
        """End the connection where its client is too slow, ``now`` by the loop's clock."""
        waits = {_Stage.HEAD: patience.head_s, _Stage.BODY: patience.body_s, _Stage.REFUSED: patience.refused_s}
        if self._stage is _Stage.IDLE or self.pipeline or now - self._since < waits[self._stage]:
            return
        if self._stage is _Stage.REFUSED or (self._stage is _Stage.HEAD and not self._received):
            self.transport.close()
        else:
            self._refuse(_TOO_SLOW)

    def _wait_for(self, stage: _Stage) -> None:
        self._stage, self._since, self._received = stage, self.loop.time(), 0

    def _refuse(self, answer: bytes) -> None:
        """Say why, and stop listening; where the answer is there, or under way, there is nothing more to say."""
        if self.transport.is_closing():
            return
        if self._is_answered():
            self.transport.abort()
            return
        self._wait_for(_Stage.REFUSED)
        self.transport.write(answer)
        self.transport.write_eof()  # closed at once, what is unread here would take the answer back
        self.flow.resume_reading()
        if self.cycle is not None and not self.cycle.response_complete:  # its handler waits for a body
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _is_answered(self) -> bool:
        """Tell whether what would be said now would stand in, or behind, the answer to this request."""
        if self.pipeline:  # one before it is under way
            return True
        if self.cycle is None or not self.cycle.response_started:
            return False
        return self._stage is _Stage.BODY or not self.cycle.response_complete


class Websocket(WebSocketsSansIOProtocol):
    """uvicorn's side of a websocket. One refused with an answer is done: uvicorn calls it an error of the program."""

    async def send(self, message: ASGISendEvent) -> None:
        """Send for the application."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True


class Sweep:
    """Looks at connections, and remembers who does not read."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._unread_since: dict[asyncio.Protocol, float] = {}

    def over(self, connections: set[Any], now: float) -> None:
        """End those of ``connections``, websockets among them, that have taken too long by ``now``."""
        unread: dict[asyncio.Protocol, float] = {}
        for connection in tuple(connections):
            if connection.transport.get_write_buffer_size():
                unread[connection] = since = self._unread_since.get(connection, now)
                if now - since >= self._patience.unread_s:
                    connection.transport.abort()
            if isinstance(connection, Connection):
                connection.check(now, self._patience)
        self._unread_since = unread
        self._shed([one for one in connections if isinstance(one, WebSocketsSansIOProtocol)])

    def _shed(self, sockets: list[WebSocketsSansIOProtocol]) -> None:
        """End those that hold the most where all of them hold too much."""
        held = {socket: _unfinished_bytes(socket) for socket in sockets}
        too_much = sum(held.values()) - self._patience.unfinished_bytes
        for socket in sorted(held, key=held.__getitem__, reverse=True) if too_much > 0 else ():
            if too_much > 0:
                too_much -= held[socket]
                socket.transport.abort()


def _unfinished_bytes(socket: WebSocketsSansIOProtocol) -> int:
    return len(socket.conn.reader.buffer) + (socket.conn.current_size or 0) + _PART_BYTES * len(socket.frames)


def raise_descriptors() -> int:
    """Let this process open as many files as it may, and return how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS has none and refuses it
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return soft if soft != resource.RLIM_INFINITY else 1 << 20
