"""Streams: subscriptions as server-sent events that a browser's EventSource resumes by itself, and websockets.

Each event has the version it tells of as its id, and the stream begins with the id of the version it begins after: a
browser whose connection breaks before the first event goes on from there, too. Called by `view`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import msgspec
from graphql import GraphQLError
from msgspec import Struct
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http import GraphQLHTTPResponse
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.http.streaming import SSETransport
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import Message

from catalog_service.api.event_stream import FAREWELL
from catalog_service.api.graphql.asked import Door

_REASON_BYTES = 123


class _Payload(Struct):
    query: str = ""
    variables: dict[str, object] | None = None
    operationName: str | None = None  # noqa: N815 - as it is sent


class _Message(Struct):
    type: str
    id: str = ""
    payload: _Payload | None = None


class EventStream(SSETransport):
    """Strawberry's transport, with ids."""

    def encode_next(self, response: GraphQLHTTPResponse, encode_json: Callable[[object], str]) -> str:
        """Return one event."""
        since = (response.get("extensions") or {}).get("since")
        event = super().encode_next(response, encode_json)
        return event if since is None else f"id: {since}\r\n{event}"


class Socket(BaseGraphQLTransportWSHandler[Door, None]):
    """Strawberry's side of a websocket, which trusts its messages to be what their type says."""

    async def handle_message(self, message: Message) -> None:
        """Answer a message; one that is none closes the websocket."""
        try:
            msgspec.convert(message, _Message)
        except msgspec.ValidationError:
            await self.handle_invalid_message("Failed to parse message")
        else:
            await super().handle_message(message)

    async def handle_task_exception(self, error: Exception) -> None:
        """Log what went wrong in an operation; that its client has left in the meantime is nothing wrong."""
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> None:
        """Close the websocket for no document: one that cannot be read ends itself, not what else runs beside it."""


class Wire(ASGIWebSocketAdapter):
    """Strawberry's websocket, which would fail to close for a reason that quotes much of the client's own text."""

    async def close(self, code: int, reason: str) -> None:
        """Close it; a reason has room for 123 bytes (RFC 6455 5.5)."""
        await super().close(code, reason.encode()[:_REASON_BYTES].decode(errors="ignore"))


async def resumable(
    stream: Callable[[], AsyncIterator[str]], begins: asyncio.Future[int], closing: asyncio.Event
) -> AsyncIterator[str]:
    """Yield an event that is an id alone once the stream ``begins``, then what it gives, until all is ``closing``,
    and then why it ends.
    """
    parts = stream()
    following: asyncio.Future[Any] = asyncio.ensure_future(_next(parts))
    closed: asyncio.Future[Any] = asyncio.ensure_future(closing.wait())
    try:
        await asyncio.wait({following, begins, closed}, return_when=asyncio.FIRST_COMPLETED)
        if begins.done():
            yield f"id: {begins.result()}\r\n\r\n"
        while True:
            await asyncio.wait({following, closed}, return_when=asyncio.FIRST_COMPLETED)
            if closed.done():
                yield FAREWELL.decode()
                return
            if following.result() is None:
                return
            yield following.result()
            following = asyncio.ensure_future(_next(parts))
    finally:
        following.cancel()
        closed.cancel()
        await asyncio.wait({following, closed})
        if isinstance(parts, AsyncGenerator):
            await parts.aclose()


async def _next(parts: AsyncIterator[str]) -> str | None:
    return await anext(parts, None)
