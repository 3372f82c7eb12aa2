"""Server-sent events: what a hub tells of, to one client, for as long as it stays.

In: a hub, after which place to begin, and what of an event is told. Out: a response. One task a client, which is the
request's own, and nothing is queued for it: it reads at its own pace, and its place is the id of what it read last.
An event that is not told moves its place, too: the next heartbeat says so, so that coming back costs nothing.
Called by `rest.events`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from redis.exceptions import RedisError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from catalog_service.api.hub import Hub
from schema.errors import CatalogError
from schema.event import Event, Place

MEDIA_TYPE = "text/event-stream"
HEARTBEAT_S = 15.0
PATIENCE_S = 30.0
RETRY_S = 3.0
_COMMENT = b":\n\n"
_RETRY = b"retry: %d\n" % (RETRY_S * 1000)
FAREWELL = b": the service is stopping: come back\n%b\n" % _RETRY
"""The last thing that a stream says."""
_log = structlog.get_logger()

Tell = Callable[[Event], Awaitable[bytes | None]]
"""Return the data of an event as one line, None where the client does not want it."""
Stays = Callable[[], Awaitable[bool]]
"""Tell whether the client may still be told anything: a stream outlives many a token."""


class EventStream(Response):
    """The response. ``patience_s`` is how long a client may leave what it is sent unread, in whole heartbeats."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        hub: Hub,
        since: Place,
        tell: Tell,
        stays: Stays,
        /,
        *,
        heartbeat_s: float = HEARTBEAT_S,
        patience_s: float = PATIENCE_S,
        retry_s: float = RETRY_S,
    ) -> None:
        # Whoever stands between must neither keep this nor wait for more of it.
        super().__init__(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._hub = hub
        self._tell = tell
        self._stays = stays
        self._heartbeat_s = heartbeat_s
        self._patience_s = patience_s
        self._retry_s = retry_s
        self._place = self._said = since
        """How far it was gone through, and the last id that the client was sent."""
        self._sending = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream until the client leaves, may stay no more, or all is to stop; of a HEAD, its headers."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] == "HEAD" or await self._stream(receive, send):
            farewell = FAREWELL if self._hub.closing and scope["method"] != "HEAD" else b""
            await send({"type": "http.response.body", "body": farewell, "more_body": False})
        else:  # it has the id of the last event it read, and comes back for the next
            _log.info("a client of the event stream reads too slowly, its stream ends", patience_s=self._patience_s)

    async def _stream(self, receive: Receive, send: Send) -> bool:
        """Tell what happens, with a heartbeat now and then; False once the client does not read."""
        part, stuck_s = _RETRY + _id(self._place), 0.0
        while stuck_s < self._patience_s:
            self._sending = False
            try:
                # One timer a heartbeat, none an event. Between an event being sent and its place being kept nothing
                # is waited for: an event that this breaks off was not sent.
                async with asyncio.timeout(self._heartbeat_s) as interval:
                    await self._send(send, part)
                    self._said = self._place
                    await self._follow(send, interval)
            except TimeoutError:
                stuck_s = stuck_s + self._heartbeat_s if self._sending else 0.0
            if await _has_left(receive) or not await self._stays():
                return True
            if self._hub.closing:
                return not self._sending
            part = _COMMENT if self._said == self._place else _id(self._place)
        return False

    async def _follow(self, send: Send, interval: asyncio.Timeout) -> None:
        """Tell one event after the other, until the service is asked to stop; for an interval at most.

        Its end is looked at, too: before Python 3.12 redis-py can lose the cancellation it comes as (`tasks.stop`).
        """
        hub = self._hub
        while not (hub.closing or interval.expired()):
            moved = hub.moved
            for event in await hub.after(self._place):
                try:
                    data = await self._tell(event)
                except (RedisError, OSError, CatalogError) as error:  # nothing is left out: it is tried again
                    _log.warning(
                        "an event cannot be told, its listeners wait", place=str(event.place), error=str(error)
                    )
                    await asyncio.sleep(self._retry_s)
                    break
                if hub.closing or not await self._stays():
                    return
                if data is not None:
                    await self._send(send, b"event: %b\ndata: %b\n%b" % (event.type.encode(), data, _id(event.place)))
                    self._said = event.place
                self._place = event.place
            if self._place >= hub.newest:
                await moved.wait()

    async def _send(self, send: Send, part: bytes) -> None:
        """Send ``part`` once there is room for it."""
        self._sending = True
        await send({"type": "http.response.body", "body": part, "more_body": True})
        self._sending = False


def _id(place: Place) -> bytes:
    """Return the end of an event, or by itself one that is an id alone."""
    return b"id: %b\n\n" % str(place).encode()


async def _has_left(receive: Receive) -> bool:
    """Tell whether the client is gone, without waiting: nothing but its leaving comes after the request."""
    try:
        async with asyncio.timeout(0):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True
