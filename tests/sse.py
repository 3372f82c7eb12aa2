"""A client of server-sent events, as a browser reads them: for the tests of streams."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
from msgspec import Struct


class Heard(Struct, frozen=True):
    """One event that has data."""

    id: str
    name: str
    message: dict[str, Any]


class Stream:
    """One connection; what a browser remembers of it."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._lines = response.content
        self.last_id = ""
        self.retry_ms = 0
        self.comments = 0

    async def block(self) -> dict[str, str] | None:
        """Return the fields of the next block, which ends with an empty line; None at the end."""
        fields: dict[str, str] = {}
        while line := (await asyncio.wait_for(self._lines.readline(), 10)).decode():
            if line == "\n":
                self.last_id = fields.get("id", self.last_id)
                self.retry_ms = int(fields.get("retry", self.retry_ms))
                return fields
            name, _, value = line.rstrip("\n").partition(":")
            assert name not in fields
            fields[name] = value.removeprefix(" ")
            self.comments += not name
        return None

    async def event(self) -> Heard | None:
        """Return the next event that has data, None at the end."""
        while (fields := await self.block()) is not None:
            if "data" in fields:
                return Heard(fields["id"], fields["event"], msgspec.json.decode(fields["data"]))
        return None

    async def events(self, count: int) -> list[Heard]:
        """Return the next events."""
        found = [await self.event() for _ in range(count)]
        return [one for one in found if one]

    async def ids(self, count: int) -> list[str]:
        """Return the ids of the next events."""
        return [one.id for one in await self.events(count)]


@contextlib.asynccontextmanager
async def listening(url: str, last_id: str = "", **asked: str) -> AsyncIterator[Stream]:
    """Give a stream that has begun."""
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
    async with aiohttp.ClientSession() as http, http.get(url, params=asked, headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        assert "Content-Encoding" not in response.headers
        stream = Stream(response)
        assert set(await stream.block() or ()) == {"retry", "id"}
        yield stream
