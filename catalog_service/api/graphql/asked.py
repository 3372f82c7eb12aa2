"""What resolvers work with: who asks, of which reader, and the version that was current when the operation came in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct
from strawberry.types import Info

from catalog_service.access.identity import Identity, check_scope
from catalog_service.api.actions import Actions
from catalog_service.api.hub import Hub
from catalog_service.api.reads.asked import Sources
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.reader import Reader
from schema.access import ANONYMOUS, Scope


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


class Door(Struct):
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
    connection_params: dict[str, object] = {}
    """Of a websocket: the payload of its ``connection_init``, where clients in browsers show a token."""

    @property
    def authorization(self) -> str:
        """What the client shows for itself; empty: nothing."""
        first = self.connection_params.get("authorization", self.connection_params.get("Authorization"))
        return first if isinstance(first, str) and first else self.headers.get("authorization", "")

    async def let_in(self) -> None:
        """Refuse who may not read, or no more: a websocket outlives many a token. Raises UnauthenticatedError."""
        check_scope(await self.identity(), Scope.READ)

    async def identity(self) -> Identity:
        """Return who asks; of a demo nobody has a token. Raises UnauthenticatedError, StoreError."""
        if self.actions is None:
            return Identity(ANONYMOUS, frozenset({Scope.READ}))
        return await self.actions.doorkeeper.identify(self.authorization)

    def asked(self) -> Asked:
        """Return what one operation works with."""
        return Asked(self, self.reader.current)


Context = Info[Asked, None]
