"""What resolvers work with: who asks, of which reader, and the version that was current when the operation came in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct
from strawberry.types import Info

from catalog_service.api.actions import Actions
from catalog_service.api.hub import Hub
from catalog_service.api.reads.asked import Sources
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.reader import Reader


class Asked(Struct):
    """One operation's."""

    door: Door
    snapshot: Snapshot
    """The current one when the operation came in."""
    since: int | None = None
    """Of a subscription: the version of the event that is told now."""

    @property
    def reader(self) -> Reader:
        """What there is to read from."""
        return self.door.reader

    @property
    def sources(self) -> Sources:
        """Every source configured."""
        return self.door.sources

    @property
    def authorization(self) -> str:
        """What the client shows for itself; empty: nothing."""
        return self.door.headers.get("authorization", "")


class Door(Struct, frozen=True):
    """One request's, or one websocket's, through which operations come."""

    reader: Reader
    sources: Sources
    hub: Hub
    actions: Actions | None = None
    headers: Mapping[str, str] = MappingProxyType({})
    """Of the request, names in lower case."""
    streams: bool = False
    """Whether more than one answer can be given."""
    begins: asyncio.Future[int] | None = None
    """Of a subscription over SSE: the version after which it begins, once that is known."""

    def asked(self) -> Asked:
        """Return what one operation works with."""
        return Asked(self, self.reader.current)


Context = Info[Asked, None]
