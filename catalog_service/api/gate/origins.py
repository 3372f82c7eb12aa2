"""Hosts and origins: whom requests may be for, and pages of which other origins may read the answers (CORS).

In: the Host and Origin of a request. Out: yes or no, and the headers that a browser goes by (Fetch standard, CORS
protocol). Starlette's own layer is not used: it leaves out ``Vary: Origin`` where no Origin was sent, so that a cache
would give an answer without the headers to a page that needs them. Called by `gate`.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

Headers = tuple[tuple[bytes, bytes], ...]

_ANY = "*"
_MOST_CHARACTERS = 300
_EXPOSED = (
    b"ETag, Link, Content-Disposition, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, X-Catalog-Age, "
    b"X-Catalog-As-Of, X-Catalog-Clouds, X-Catalog-Demo, X-Catalog-Document, X-Catalog-Document-Url, "
    b"X-Catalog-Dropped, X-Catalog-Entries, X-Catalog-Fetched-At, X-Catalog-Missing-Sources, X-Catalog-Notes, "
    b"X-Catalog-Part, X-Catalog-Source, X-Catalog-Stale, X-Catalog-Truncated, X-Catalog-Unpublished, "
    b"X-Catalog-Unresolved, X-Catalog-Version"
)
_EXPOSES = (b"access-control-expose-headers", _EXPOSED)
PREFLIGHT: Headers = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (
        b"access-control-allow-headers",
        b"Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID, X-Request-Id",
    ),
    (b"access-control-max-age", b"7200"),
)
"""What a preflight is answered with, besides `Origins.headers`. Credentials are never allowed."""


class Hosts:
    """The names that requests may be for."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self._names = frozenset(one for one in allowed if not one.startswith("*"))
        self._suffixes = tuple(one[1:] for one in allowed if one.startswith("*"))
        self._takes = lru_cache(1024)(self._fits)

    def take(self, host: str) -> bool:
        """Tell whether ``host``, as it was sent, is one of ours; with any port."""
        return not (self._names or self._suffixes) or (len(host) <= _MOST_CHARACTERS and self._takes(host))

    def _fits(self, host: str) -> bool:
        name = host.lower()
        name = name.partition("]")[0] + "]" if name.startswith("[") else name.partition(":")[0].removesuffix(".")
        return name in self._names or (bool(self._suffixes) and name.endswith(self._suffixes))


class Origins:
    """The origins that may read, besides our own: that of the Host header, or of ``base_url``."""

    def __init__(self, allowed: tuple[str, ...], base_url: str) -> None:
        self._listed = frozenset(allowed) - {_ANY}
        self._any = _ANY in allowed
        own = urlsplit(base_url)
        self._own = f"{own.scheme}://{own.netloc}".lower()

    @property
    def are_configured(self) -> bool:
        """Tell whether any other origin may read."""
        return self._any or bool(self._listed)

    def may_open(self, origin: str, host: str) -> bool:
        """Tell whether a page of ``origin`` may open a websocket, which no preflight stands before (RFC 6455 10.2)."""
        return self.is_own(origin, host) or self.may_read(origin)

    def is_own(self, origin: str, host: str) -> bool:
        """Tell whether ``origin`` is ours; what terminates TLS may hide the scheme, so the host alone is compared."""
        return origin == self._own or origin.partition("://")[2] == host.lower() != ""

    def may_read(self, origin: str) -> bool:
        """Tell whether pages of ``origin`` may read answers."""
        return self._any or origin in self._listed

    def headers(self, origin: str) -> Headers:
        """Return what an answer tells a browser; equal requests of other origins have other answers (Vary)."""
        if self._any:
            return ((b"access-control-allow-origin", b"*"), _EXPOSES)
        vary = ((b"vary", b"Origin"),)
        if origin not in self._listed:
            return vary
        return (*vary, (b"access-control-allow-origin", origin.encode("latin-1")), _EXPOSES)
