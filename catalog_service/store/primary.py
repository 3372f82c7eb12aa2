"""Where the primary is, for a Redis that moves: named by Sentinels, or the node of a Cluster with the catalogue's slot.

All keys share one hash tag, so a Cluster is one primary to us, found by that slot, as one behind Sentinels is found by
its name. In: the nodes to ask. Out: connections that ask where to go whenever they connect. Called by `connection`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from redis.asyncio.connection import Connection, SSLConnection
from redis.crc import key_slot
from redis.exceptions import ConnectionError as NoConnectionError
from redis.exceptions import RedisError

from catalog_service.store import keys
from catalog_service.tasks import stop

_SLOT = key_slot(keys.TAG.encode())
_DOUBTED_S = 0.5


class Node(NamedTuple):
    """A server's address."""

    host: str
    port: int


Asked = Callable[[Node], Awaitable[Node | None]]
"""Asks a node where the primary is; None: it does not know."""


class Primary:
    """Where the primary is. It is looked up once, and again after `forget`."""

    def __init__(self, nodes: tuple[Node, ...], ask: Asked, what: str) -> None:
        self._nodes, self._ask, self._what = nodes, ask, what
        self._known: Node | None = None
        self._left: Node | None = None
        self._lock = asyncio.Lock()

    async def node(self) -> Node:
        """Return its address. Raises redis-py's ConnectionError: nobody knows it."""
        async with self._lock:
            if self._known is None:
                self._known = await self._first()
            return self._known

    def forget(self, now: Node | None = None) -> None:
        """Look it up anew, unless it is known to be ``now``; who names the one that is left is believed last."""
        self._left, self._known = self._known or self._left, now

    async def _first(self) -> Node:
        """Ask all nodes at once, and return the first answer: one that hangs holds nobody up.

        The one that was left is taken where nobody soon names another: a Sentinel that is cut off goes on naming it.
        """
        told, found = list[str](), None
        tasks = [asyncio.create_task(self._asked(node)) for node in self._nodes]
        try:
            async with asyncio.timeout(None) as patience:
                for answer in asyncio.as_completed(tasks):
                    said = await answer
                    if isinstance(said, str):
                        told.append(said)
                        continue
                    found = said
                    if found != self._left:
                        break
                    patience.reschedule(asyncio.get_running_loop().time() + _DOUBTED_S)
        except TimeoutError:
            pass
        finally:
            await stop(*tasks)
        if found:
            return found
        raise NoConnectionError(f"{self._what} is known to none of those asked ({'; '.join(sorted(told))})")

    async def _asked(self, node: Node) -> Node | str:
        try:
            return await self._ask(node) or f"{node.host}:{node.port}: does not know it"
        except (RedisError, OSError) as error:
            return f"{node.host}:{node.port}: {error}"


def named_by_sentinels(nodes: tuple[Node, ...], name: str, arguments: dict[str, Any], *, tls: bool) -> Primary:
    """Return the primary that the Sentinels at ``nodes`` call ``name``; ``arguments`` of connections to them."""

    async def ask(node: Node) -> Node | None:
        found = await _reply(node, arguments, ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name), tls=tls)
        return Node(found[0].decode(), int(found[1])) if found else None

    return Primary(nodes, ask, f"a primary {name!r}")


def having_the_slot(nodes: tuple[Node, ...], arguments: dict[str, Any], *, tls: bool) -> Primary:
    """Return the primary that has the catalogue's slot in the Cluster of ``nodes``; ``arguments`` as above."""

    async def ask(node: Node) -> Node | None:
        for first, last, (host, port, *_), *_ in await _reply(node, arguments, ("CLUSTER", "SLOTS"), tls=tls):
            if first <= _SLOT <= last:
                return Node(host.decode() if host not in (None, b"", b"?") else node.host, int(port))
        return None

    return Primary(nodes, ask, "the Cluster's node of the catalogue's slot")


async def _reply(node: Node, arguments: dict[str, Any], command: tuple[str, ...], *, tls: bool) -> Any:
    """Send one command over a connection of its own, which is gone afterwards even where this is cancelled."""
    kind = SSLConnection if tls else Connection
    connection = kind(host=node.host, port=node.port, **arguments)
    try:
        await connection.connect()  # type: ignore[no-untyped-call]
        await connection.send_command(*command)
        return await connection.read_response()
    finally:
        await connection.disconnect(nowait=True)


class FoundConnection(Connection):
    """A connection to where ``primary`` is by then."""

    def __init__(self, *, primary: Primary, **arguments: Any) -> None:
        self._primary = primary
        super().__init__(**arguments)

    async def _connect(self) -> None:
        self.host, self.port = await self._primary.node()
        await super()._connect()  # type: ignore[no-untyped-call]


class FoundTlsConnection(FoundConnection, SSLConnection):
    """The same over TLS; the certificate has to be for the address found."""
