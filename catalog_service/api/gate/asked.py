"""The head of a request as the gate reads it: once, and the few headers that it goes by.

In: an ASGI scope. Out: `Asked`. A header that comes twice is joined by a comma (RFC 9110 5.3): where only one may
come, as of Host or Authorization, what is joined fits nothing.
"""

from __future__ import annotations

import itertools
import re
import secrets

from msgspec import Struct
from starlette.types import Scope

_READ = frozenset(
    {
        *(b"host", b"origin", b"authorization", b"accept", b"x-request-id", b"x-forwarded-for", b"x-forwarded-proto"),
        *(b"access-control-request-method",),
    }
)
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
_ENCODING = "latin-1"
_PROCESS = secrets.token_hex(6)
_numbers = itertools.count(1)


class Asked(Struct, frozen=True, gc=False):
    """What was asked; texts are empty where nothing was sent."""

    id: str
    """The client's own, where it is sane, else one that no other request has."""
    path: str
    """Below where the application is mounted."""
    host: str
    origin: str
    """Lower case."""
    authorization: str
    accept: str
    forwarded_for: str
    forwarded_proto: str
    preflight_for: str
    """The method that a CORS preflight asks for."""


def asked_of(scope: Scope) -> Asked:
    """Return the head of a request."""
    given: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _READ:
            given[name] = given[name] + b"," + value if name in given else value

    get = given.get
    return Asked(
        _id(get(b"x-request-id", b"")),
        scope["path"].removeprefix(scope.get("root_path", "")),
        get(b"host", b"").decode(_ENCODING),
        get(b"origin", b"").decode(_ENCODING).lower(),
        get(b"authorization", b"").decode(_ENCODING),
        get(b"accept", b"").decode(_ENCODING),
        get(b"x-forwarded-for", b"").decode(_ENCODING),
        get(b"x-forwarded-proto", b"").decode(_ENCODING),
        get(b"access-control-request-method", b"").decode(_ENCODING),
    )


def _id(given: bytes) -> str:
    return given.decode() if _REQUEST_ID.fullmatch(given) else f"{_PROCESS}-{next(_numbers):x}"
