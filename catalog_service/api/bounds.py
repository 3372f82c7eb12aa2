"""How large a request's head may be, whatever server is before the application. Called by `app`.

A query of 5,000 values is none that a person or a tool of ours makes; the server itself has no such bound.
"""

from __future__ import annotations

from starlette.types import Scope

from catalog_service.api.problems import Told

MAX_TARGET_BYTES = 16_000
MAX_HEADER_BYTES = 64_000


def refusal(scope: Scope) -> Told | None:
    """Return why a request is refused by its head, None where it is not."""
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_TARGET_BYTES:
        return Told(414, "URI_TOO_LONG", f"the address is longer than {MAX_TARGET_BYTES} bytes")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
        return Told(431, "HEADERS_TOO_LARGE", f"the headers are larger than {MAX_HEADER_BYTES} bytes")
    return None
