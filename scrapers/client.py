"""The live upstream: GET over one aiohttp session, conditional, polite and bounded.

In: an address and validators. Out: a whole 200 answer, None for a 304, or FetchError; nothing in
between. Every hop of a redirect goes to an allowed host, over https unless the operator named the
host for http, and a body is counted after decompression, so that neither a gzip bomb nor a
truncated file gets through (limits-and-faults.md A8, C2, C3). Built by the composition root.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit, urlunsplit

import aiohttp
import stamina
from msgspec import Struct, structs
from yarl import URL

from schema.errors import FetchError
from scrapers.upstream import Response

_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_VALIDATORS = frozenset({"If-None-Match", "If-Modified-Since"})
_HEADER_BYTES = 64 * 1024
_SAID_CHARACTERS = 200
_QUOTED = re.compile(r"\n|\bb['\"]")
"""Where aiohttp's message begins to quote bytes."""


class ClientSettings(Struct, frozen=True, kw_only=True):
    """Limits of the live client. Times are seconds; ``max_bytes`` counts decoded bytes."""

    total_timeout_s: float = 60.0
    """One request and its body; waiting for a turn at a host and between attempts comes on top."""
    idle_timeout_s: float = 15.0
    connect_timeout_s: float = 10.0
    max_bytes: int = 32 * 1024 * 1024
    max_redirects: int = 5
    attempts: int = 4
    backoff_initial_s: float = 0.5
    backoff_max_s: float = 20.0
    retry_after_max_s: float = 60.0
    """A server that asks for a longer pause is left alone until the next run."""
    per_host_concurrency: int = 2
    min_interval_s: float = 0.5
    """Between the starts of two requests to one host."""
    contact: str = ""
    """Who runs this service, for upstream's operators: an address or URL, sent in the User-Agent."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names, or ``*.suffix`` for every name below it. Nothing else is ever asked."""
    http_hosts: tuple[str, ...] = ()
    """Those of them that may be asked without TLS, such as an internal mirror."""

    def opened_to(self, urls: Iterable[str]) -> ClientSettings:
        """Return settings that also allow the hosts of ``urls``, addresses an operator wrote down."""
        parts = [urlsplit(url) for url in urls]
        hosts = {part.hostname for part in parts if part.hostname}
        plain = {part.hostname for part in parts if part.hostname and part.scheme == "http"}
        return structs.replace(
            self,
            allowed_hosts=tuple(sorted(hosts | set(self.allowed_hosts))),
            http_hosts=tuple(sorted(plain | set(self.http_hosts))),
        )


class LiveUpstream:
    """Reads addresses over the network. Use as an async context manager; one instance a process."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._gates: dict[str, _Gate] = {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        limits = self._settings
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(
                total=limits.total_timeout_s, sock_read=limits.idle_timeout_s, sock_connect=limits.connect_timeout_s
            ),
            headers={"User-Agent": user_agent(limits.contact), "Accept-Encoding": "gzip"},
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            max_line_size=_HEADER_BYTES,
            max_field_size=_HEADER_BYTES,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()

    async def get(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, accept: str = "*/*"
    ) -> Response | None:
        """Return the answer, or None when upstream says it is not modified since the validators.

        Raises:
            FetchError: after retries with jitter where a retry can help: a connection that fails or breaks,
                a timeout, 408, 425, 429, 500, 502, 503 and 504. Every other status fails at once.
        """
        validators = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        headers = {"Accept": accept} | {name: value for name, value in validators.items() if value}
        attempts = stamina.retry_context(
            on=_pause,
            attempts=self._settings.attempts,
            timeout=None,
            wait_initial=self._settings.backoff_initial_s,
            wait_max=self._settings.backoff_max_s,
            wait_jitter=self._settings.backoff_initial_s,
        )
        async for attempt in attempts.with_name(public_address(url), (), {}):  # what the log of a retry names
            with attempt:
                return await self._follow(url, headers)
        raise AssertionError("a retry context returns or raises")

    async def _follow(self, asked: str, headers: dict[str, str]) -> Response | None:
        url = allowed_address(asked, self._settings)
        for _ in range(self._settings.max_redirects + 1):
            answer = await self._ask(url, headers)
            if not isinstance(answer, URL):
                return answer
            url = answer
        raise FetchError(f"{public_address(asked)} redirects too often", url=public_address(asked))

    async def _ask(self, url: URL, headers: dict[str, str]) -> Response | URL | None:
        """Return the answer at ``url``, or where it redirects to."""
        if self._session is None:
            raise RuntimeError("LiveUpstream is an async context manager")
        address = public_address(str(url))
        try:
            async with (
                self._gate(url.host or "").turn(),
                self._session.get(url, headers=headers, allow_redirects=False) as answer,
            ):
                return await self._read(answer, address, conditional=not _VALIDATORS.isdisjoint(headers))
        except (aiohttp.ClientError, TimeoutError, ConnectionError, zlib.error) as error:
            raise _TransientError(f"{address} cannot be read: {_reason(error, url, address)}", url=address) from error

    async def _read(self, answer: aiohttp.ClientResponse, address: str, *, conditional: bool) -> Response | URL | None:
        if answer.status in _REDIRECTS and "Location" in answer.headers:
            return redirect_target(answer.url, answer.headers["Location"], self._settings)
        if answer.status == 304 and conditional:
            return None
        if answer.status != 200:
            raise _status_error(answer, address, self._settings.retry_after_max_s)
        return Response(
            url=address,
            body=await _body(answer, address, self._settings.max_bytes),
            media_type=answer.content_type.lower(),
            etag=answer.headers.get("ETag"),
            last_modified=answer.headers.get("Last-Modified"),
        )

    def _gate(self, host: str) -> _Gate:
        return self._gates.setdefault(host, _Gate(self._settings.per_host_concurrency, self._settings.min_interval_s))


def user_agent(contact: str = "") -> str:
    """Return the honest name this client gives itself."""
    try:
        release = version("catalog-service")
    except PackageNotFoundError:  # run from a checkout that was never installed
        release = "0"
    return f"endpoint-catalog/{release} (+{contact})" if contact else f"endpoint-catalog/{release}"


def public_address(url: str) -> str:
    """Return ``url`` without ClientRequestId, which says who asked and not what (sources.md M1)."""
    try:
        parts = urlsplit(url)
    except ValueError:  # no address at all: who asks it is refused elsewhere, and told the text as it is
        return url
    kept = [part for part in parts.query.split("&") if part.partition("=")[0].lower() != "clientrequestid"]
    return urlunsplit(parts._replace(query="&".join(kept), fragment=""))


def allowed_address(address: str, settings: ClientSettings) -> URL:
    """Return ``address`` parsed. Raises FetchError unless it is https (http where allowed) to an allowed host."""
    shown = _cut(public_address(address))
    try:
        url = URL(address)
    except ValueError as error:
        raise FetchError(f"{shown!r} is not an address", url=shown) from error
    host = (url.host or "").lower()
    if not any(_is_host(host, allowed) for allowed in settings.allowed_hosts):
        raise FetchError(f"{shown} is not on an allowed host", url=shown, host=host)
    plain = url.scheme == "http" and any(_is_host(host, allowed) for allowed in settings.http_hosts)
    if (url.scheme != "https" and not plain) or url.user or url.password:
        raise FetchError(f"{shown} may not be asked over {url.scheme or 'nothing'}", url=shown, host=host)
    return url


def redirect_target(url: URL, location: str, settings: ClientSettings) -> URL:
    """Return where a redirect from ``url`` leads. Raises FetchError: a host not allowed, or from https to http."""
    shown = public_address(str(url))
    try:
        address = urljoin(str(url), location)
    except ValueError as error:
        raise FetchError(f"{shown} redirects to {_cut(location)!r}, which is no address", url=shown) from error
    target = allowed_address(address, settings)
    if url.scheme == "https" and target.scheme != "https":
        raise FetchError(f"{shown} redirects from https to {target.scheme}", url=shown)
    return target


def _reason(error: Exception, url: URL, address: str) -> str:
    """Return why a request failed, without what upstream sent: aiohttp quotes it, whole pages of it."""
    said = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    head = _QUOTED.split(said.replace(str(url), address), maxsplit=1)[0]
    return _cut(head.strip(" :")) or type(error).__name__


def _cut(said: str) -> str:
    """Return what upstream says of itself, such as a status line, as part of a sentence: printable and not long."""
    shown = "".join(one if one.isprintable() else " " for one in said[: _SAID_CHARACTERS + 1])
    return shown if len(said) <= _SAID_CHARACTERS else f"{shown[:_SAID_CHARACTERS]}…"


class _TransientError(FetchError):
    """A fault that may be gone in a moment. ``pause_s``: how long upstream asks to be left alone."""

    def __init__(self, message: str, *, pause_s: float | None = None, **facts: object) -> None:
        super().__init__(message, **facts)
        self.pause_s = pause_s


def _pause(error: Exception) -> bool | float:
    """Say whether to try again, and after how many seconds where upstream said so (stamina's backoff hook)."""
    if not isinstance(error, _TransientError):
        return False
    return True if error.pause_s is None else error.pause_s


def _status_error(answer: aiohttp.ClientResponse, address: str, retry_after_max_s: float) -> FetchError:
    message = f"{address} answered {answer.status} {_cut(answer.reason or '')}".rstrip()
    pause_s = _retry_after_s(answer)
    if answer.status not in _TRANSIENT or (pause_s or 0) > retry_after_max_s:
        return FetchError(message, url=address, status=answer.status, retry_after_s=pause_s)
    return _TransientError(message, pause_s=pause_s, url=address, status=answer.status)


def _retry_after_s(answer: aiohttp.ClientResponse) -> float | None:
    """Return Retry-After in seconds; a date counts from the answer's own Date (RFC 9110 section 10.2.3)."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - parsedate_to_datetime(answer.headers["Date"])).total_seconds())
    except (KeyError, TypeError, ValueError):
        return None


async def _body(answer: aiohttp.ClientResponse, address: str, max_bytes: int) -> bytes:
    """Read and decode the body in pieces: a bomb costs at most ``max_bytes`` (limits-and-faults.md A8).

    aiohttp's own decoding is off: it hands out the first part of a gzip stream that ends too early as if
    it were whole, and half a page of an allowlist must never look like one.
    """
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("gzip", "x-gzip", "identity", ""):
        raise FetchError(f"{address} came in encoding {encoding!r}, not asked for", url=address, status=answer.status)
    unpack = zlib.decompressobj(wbits=31) if "gzip" in encoding else None
    body = bytearray()
    async for piece in answer.content.iter_chunked(64 * 1024):
        body += unpack.decompress(piece, max_bytes + 1 - len(body)) if unpack else piece
        if len(body) > max_bytes:
            raise FetchError(f"{address} is larger than {max_bytes} bytes", url=address, status=answer.status)
        if unpack and unpack.unused_data:  # at once: what follows the stream would be kept without a limit
            raise _TransientError(f"{address} goes on after its gzip stream", url=address, status=answer.status)
    if unpack and not unpack.eof:
        raise _TransientError(f"{address} is not one whole gzip stream", url=address, status=answer.status)
    return bytes(body)


def _is_host(host: str, allowed: str) -> bool:
    return host.endswith(allowed[1:].lower()) if allowed.startswith("*.") else host == allowed.lower()


class _Gate:
    """Turns at one host: so many at a time, and a pause between the starts of two."""

    def __init__(self, concurrency: int, min_interval_s: float) -> None:
        self._free = asyncio.Semaphore(concurrency)
        self._start = asyncio.Lock()
        self._min_interval_s = min_interval_s
        self._next_s = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        async with self._free:
            async with self._start:
                clock = asyncio.get_running_loop().time
                if (wait_s := self._next_s - clock()) > 0:
                    await asyncio.sleep(wait_s)
                self._next_s = clock() + self._min_interval_s
            yield
