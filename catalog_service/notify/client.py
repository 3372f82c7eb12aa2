"""The POST to a subscriber: guarded, bounded, and never more than one request.

In: an address, a body, headers. Out: an `Answer`, whatever its status, or DeliveryError. No redirect is followed,
no proxy or cookie used, no answer decompressed or read past 64 kB. Built by the composition root, used by the
notifier and the channels that speak HTTP.
"""

from __future__ import annotations

import os
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache, partial
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from msgspec import Struct
from multidict import CIMultiDict
from yarl import URL

from catalog_service.notify.guard import GuardedConnector, OpenSocket, ThreadResolver, open_socket
from catalog_service.subscriptions.targets import Policy, check_headers, check_url
from schema.errors import DeliveryError, RequestError

_KNOWN_ADDRESSES = 4_096
_MAX_BODY_BYTES = 64 * 1024
_MAX_RETRY_AFTER_S = 24 * 3600.0
_ROUND_UP_FROM_S = 3600.0  # aiohttp rounds deadlines over 5 s up to whole seconds otherwise


class Answer(Struct, frozen=True):
    """What a subscriber said."""

    status: int
    """Redirects too."""
    body: bytes = b""
    """At most the first 64 kB, as they came."""
    retry_after_s: float | None = None
    """Of a 429 or 503: how long it asks to be left alone, at most a day."""


class Client:
    """POSTs to addresses that ``policy`` allows. Use as an async context manager; one instance a process.

    ``resolve`` stands in for the system's resolver and ``opened`` makes the sockets that were allowed: both for
    tests. ``tls`` replaces the system's certificates.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        timeout_s: float = 15.0,
        user_agent: str = "endpoint-catalog",
        resolve: AbstractResolver | None = None,
        opened: OpenSocket = open_socket,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._address = lru_cache(_KNOWN_ADDRESSES)(partial(_address, policy=policy))
        self._timeout_s = timeout_s
        self._user_agent = user_agent
        self._resolve = resolve
        self._opened = opened
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._resolve = self._resolve or ThreadResolver()
        self._session = aiohttp.ClientSession(
            connector=GuardedConnector(self._policy, self._resolve, self._opened, self._tls),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s, ceil_threshold=_ROUND_UP_FROM_S),
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"},
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session and self._resolve:
            await self._session.close()
            await self._resolve.close()

    async def post(self, url: str, body: bytes, headers: tuple[tuple[str, str], ...], now: datetime) -> Answer:
        """Return the answer to one POST. ``now`` is what a date in Retry-After counts from.

        Raises:
            DeliveryError: the address or a header is refused, or no whole answer came within the timeout. Says
                host and port at most: the rest of the address may be a secret.
        """
        if self._session is None:
            raise RuntimeError("Client is an async context manager")
        try:
            address = self._address(url)
            check_headers(headers)
        except RequestError as error:
            raise DeliveryError(str(error)) from None
        try:
            async with self._session.post(
                address, data=body, headers=CIMultiDict(headers), allow_redirects=False
            ) as answer:
                return Answer(answer.status, await _start(answer), _retry_after_s(answer, now))
        except (aiohttp.ClientError, OSError) as error:
            # Not chained: what aiohttp says holds the whole address.
            raise DeliveryError(f"{address.raw_authority}: {self._reason(error)}") from None

    def _reason(self, error: Exception) -> str:
        match error:
            case TimeoutError():
                return f"no whole answer within {self._timeout_s:g} s"
            case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError() as cause):
                return f"its certificate is not valid: {cause.verify_message}"
            case aiohttp.ClientSSLError():
                return "no TLS connection"
            case aiohttp.ClientConnectorDNSError(os_error=cause):  # the guard's refusals too
                return f"no connection: {cause.strerror or 'the name cannot be resolved'}"
            case aiohttp.ClientConnectorError(errno=int() as number):  # not its text, which holds inner addresses
                return f"no connection: {os.strerror(number)}"
            case aiohttp.ClientConnectorError():
                return "no connection: each of its addresses failed in another way"
            case aiohttp.ClientResponseError():
                return "its answer is not HTTP"
            case _:
                return "the connection broke before the whole answer came"


def _address(url: str, policy: Policy) -> URL:
    """Return ``url`` to be sent as it was written: a path or query quoted anew may be another secret."""
    return URL(check_url(url, policy), encoded=True)


async def _start(answer: aiohttp.ClientResponse) -> bytes:
    """Return the first 64 kB of the body. The connection of a longer one is closed, not read to its end."""
    body = bytearray()
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > _MAX_BODY_BYTES:
            answer.close()
            break
    return bytes(body[:_MAX_BODY_BYTES])


def _retry_after_s(answer: aiohttp.ClientResponse, now: datetime) -> float | None:
    """Return Retry-After in seconds, never negative (RFC 9110, section 10.2.3); None where it cannot be read."""
    text = answer.headers.get("Retry-After", "").strip()
    if answer.status not in (429, 503) or not text:
        return None
    if text.isdecimal():
        return min(float(text), _MAX_RETRY_AFTER_S)
    try:
        at = parsedate_to_datetime(text)
        wait_s = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(wait_s, 0.0), _MAX_RETRY_AFTER_S)
