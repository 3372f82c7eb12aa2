"""How large a request may be, whatever server is before the application: its head for `app`, its body for handlers.

A query of 5,000 values is none that a person or a tool of ours makes; the server itself has no such bound.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Scope

from catalog_service.api.problems import Told

MAX_TARGET_BYTES = 16_000
MAX_HEADER_BYTES = 64_000
_SMALL_BYTES = 64_000
"""A body up to this always has room: ordinary queries are answered while somebody floods."""


class Arriving:
    """The bodies that are coming in; large ones have ``most_bytes`` together, however slowly each of them comes."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0


_ARRIVING = Arriving(256 << 20)
"""Of this process, whose memory it is."""


def refusal(scope: Scope) -> Told | None:
    """Return why a request is refused by its head, None where it is not."""
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_TARGET_BYTES:
        return Told(414, "URI_TOO_LONG", f"the address is longer than {MAX_TARGET_BYTES} bytes")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
        return Told(431, "HEADERS_TOO_LARGE", f"the headers are larger than {MAX_HEADER_BYTES} bytes")
    return None


async def bounded_body(request: Request, max_bytes: int, arriving: Arriving = _ARRIVING) -> bytes:
    """Return the body of ``request``, one of those ``arriving``.

    Raises:
        HTTPException: 413 as soon as it is over ``max_bytes``; 503 where large bodies have no room left.
    """
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            arriving.bytes += len(chunk)
            if len(body) > max_bytes:
                raise HTTPException(413, f"a request has at most {max_bytes} bytes")
            if len(body) > _SMALL_BYTES and arriving.bytes > arriving.most_bytes:
                raise HTTPException(503, "too many large requests are coming in: come back later")
        return bytes(body)
    finally:
        arriving.bytes -= len(body)
