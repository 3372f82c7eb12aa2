"""The SSRF guard, at the socket: whatever a name resolves to, only addresses that may be told are connected to.

In: a policy. Out: the connector that `client.py` gives to aiohttp. It looks at every address a host resolves to,
literals included (aiohttp's resolver is not asked about those: limits-and-faults.md A8), and once more at the
very address a socket is about to be made for. No cache: a name is resolved again for each new connection.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import aiohttp
from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.tracing import Trace

from catalog_service.subscriptions.targets import Policy, refusal

_PER_HOST = 256
_DNS_THREADS = 64

OpenSocket = Callable[[AddrInfoType], socket.socket]


def open_socket(address: AddrInfoType) -> socket.socket:
    """Return a new socket of the family, type and protocol of ``address``, not connected."""
    return socket.socket(*address[:3])


class GuardedConnector(aiohttp.TCPConnector):
    """Connects to what ``policy`` allows. A refusal is a PermissionError, raised before any socket exists."""

    def __init__(
        self, policy: Policy, resolver: AbstractResolver, opened: OpenSocket, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(
            resolver=resolver,
            use_dns_cache=False,
            limit=0,  # the notifier decides how many it sends at once
            limit_per_host=_PER_HOST,
            ssl=tls or True,
            socket_factory=lambda address: _checked_socket(address, policy, opened),
        )
        self._policy = policy

    async def _resolve_host(self, host: str, port: int, traces: Sequence[Trace] | None = None) -> list[ResolveResult]:
        """Return every address of ``host``. Raises PermissionError if only one of them may not be told."""
        found = await super()._resolve_host(host, port, traces)
        if not found:
            raise OSError(errno.EADDRNOTAVAIL, "the name has no address")
        for result in found:
            _check(result["host"], result["port"], self._policy)
        return found


class ThreadResolver(AbstractResolver):
    """The system's resolver in threads of its own: names that hang do not hold up the loop's few common threads."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_DNS_THREADS, thread_name_prefix="dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of ``host``. Raises OSError where it has none."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        )
        return [
            ResolveResult(hostname=host, host=str(address[0]), port=port, family=kind, proto=proto, flags=0)
            for kind, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """Start no further lookup; one that hangs is left to end by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _checked_socket(address: AddrInfoType, policy: Policy, opened: OpenSocket) -> socket.socket:
    host, port, *_ = address[4]
    _check(str(host), int(port), policy)
    return opened(address)


def _check(host: str, port: int, policy: Policy) -> None:
    if why := refusal(host, policy):
        # Without the address itself: what internal names resolve to is not for a subscriber to learn.
        raise PermissionError(errno.EACCES, f"refused, it leads to {why}")
    if port not in policy.allowed_ports:
        raise PermissionError(errno.EACCES, f"refused, port {port} may not be told")
