"""Headers that say how old an answer's content may be: a raw ASGI layer around `Front`, so that none is ever kept.

    X-Catalog-Stale: azure-service-tags-public    what is served of it was not confirmed within its objective
    X-Catalog-Age: 42                             seconds since the store confirmed that nothing newer is there

Only on what is read from the newest version: of an older one, or one asked for by number, nothing is due. An answer
that was asked for sources (``source=``) is told of those alone. While all is well this costs two comparisons.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalog_service.freshness import Freshness
from catalog_service.reader import Reader

_UNNUMBERED = frozenset({"/", "/graphql", "/history", "/versions", "/v1/history", "/v1/regions", "/v1/sources"})
"""What is read from the newest version, and has no number of it in its headers."""
_STATUSES = (200, 206, 304)


class Staleness:
    """The layer."""

    def __init__(self, app: ASGIApp, reader: Reader, freshness: Freshness) -> None:
        self._app = app
        self._reader = reader
        self._freshness = freshness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stale, age_s = self._freshness.stale, self._freshness.age_s
        if scope["type"] != "http" or not (stale or age_s):
            await self._app(scope, receive, send)
            return
        concerned = _concerned(scope["query_string"], stale)
        told = [(b"x-catalog-stale", ", ".join(concerned).encode())] if concerned else []
        told += [(b"x-catalog-age", str(age_s).encode())] if age_s else []

        async def with_age(message: Message) -> None:
            if message["type"] == "http.response.start" and self._is_of_now(scope["path"], message):
                message = {**message, "headers": [*message["headers"], *told]}  # the message itself may be a kept one
            await send(message)

        await self._app(scope, receive, with_age)

    def _is_of_now(self, path: str, start: Message) -> bool:
        """Tell whether an answer was read from the newest version, whatever number that has."""
        headers, newest = dict(start["headers"]), str(self._reader.current.version).encode()
        is_newest = headers.get(b"x-catalog-version") == newest or path in _UNNUMBERED
        lasts = b"immutable" in headers.get(b"cache-control", b"")
        return start["status"] in _STATUSES and is_newest and not lasts


def _concerned(query: bytes, stale: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of ``stale`` that a query's ``source=`` names, all where it names none."""
    given = parse_qsl(query.decode("latin-1"))
    named = {one.strip().casefold() for name, value in given if name == "source" for one in value.split(",")}
    return tuple(name for name in stale if not named or name.casefold() in named)
