"""From an address and options to a client of Redis, whatever its shape.

    redis://host:6379/0, rediss:// (TLS), unix:///path       one server
    redis+sentinel://h1:26379,h2:26379/NAME?db=0             the primary that Sentinels call NAME
    redis+cluster://h1:6379,h2:6379                          the node that has the catalogue's slot

``rediss+...``: the same over TLS, Sentinels too. Called by `connect` once a process.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from msgspec import Struct
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from catalog_service.store.client import Client
from catalog_service.store.primary import (
    FoundConnection,
    FoundTlsConnection,
    Node,
    Primary,
    having_the_slot,
    named_by_sentinels,
)
from catalog_service.tasks import to_the_end
from schema.errors import StoreError

_SENTINEL, _CLUSTER = "+sentinel", "+cluster"
_SENTINEL_PORT, _PORT = 26379, 6379
_TAKEN = (
    *("db", "username", "password", "client_name", "timeout", "max_connections", "health_check_interval"),
    *("socket_timeout", "socket_connect_timeout", "socket_keepalive"),
)
_REFUSED = ("protocol", "decode_responses", "encoding", "encoding_errors", "legacy_responses")
"""With these replies would come as the store does not read them."""


class RedisOptions(Struct, frozen=True):
    """How Redis is spoken to; what the address says goes before it."""

    username: str = ""
    password: str = ""
    sentinel_username: str = ""
    sentinel_password: str = ""
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    timeout_s: float = 5.0
    """To connect, for a reply, and for a connection to be free."""
    connections: int = 32

    def __repr__(self) -> str:
        """Say nothing: there are secrets in it."""
        return "RedisOptions(...)"


@contextlib.asynccontextmanager
async def opened_redis(url: str, options: RedisOptions) -> AsyncIterator[Client]:
    """Give a client for a block; it connects when it is used.

    Raises:
        StoreError: ``url`` is no address, or ``options`` do not go with it.
    """
    client = _client(url, options)
    try:
        yield client
    finally:  # cancelled once more meanwhile, redis-py would leave connections open
        await to_the_end(client.connection_pool.disconnect())


def _client(url: str, options: RedisOptions) -> Client:
    try:
        parts = urlsplit(url)
        arguments, primary = _found(parts, options) if "+" in parts.scheme else (_one(url, options), None)
        most = {"max_connections": options.connections, "timeout": options.timeout_s}
        pool = BlockingConnectionPool(**{**most, **_patience(options), **arguments})
        pool.make_connection()  # type: ignore[no-untyped-call]  # whether it can be made; it is not connected
    except (ValueError, TypeError):  # what it says may be a part of a password
        raise StoreError("the address of Redis is none: see docs/redis.md for what it may be") from None
    return Client(pool, primary)


def _one(url: str, options: RedisOptions) -> dict[str, Any]:
    """Return the arguments of connections to the one server at ``url``. Raises StoreError, ValueError."""
    for name in parse_qs(urlsplit(url).query, keep_blank_values=True):
        if name in _REFUSED:
            raise StoreError(f"the address of Redis may not set {name}: how replies are read is not to be chosen")
        if name not in _TAKEN and not name.startswith("ssl_"):
            raise ValueError(name)
    arguments: dict[str, Any] = dict(parse_url(url))
    is_tls = arguments.get("connection_class") is SSLConnection
    return {**_known_as(options.username, options.password), **_tls(options, is_tls=is_tls), **arguments}


def _found(parts: SplitResult, options: RedisOptions) -> tuple[dict[str, Any], Primary]:
    """Return the arguments of connections to a primary that moves, and where it is. Raises ValueError."""
    is_tls = parts.scheme.startswith("rediss")
    scheme, tls = parts.scheme.removeprefix("rediss").removeprefix("redis"), _tls(options, is_tls=is_tls)
    login, _, hosts = parts.netloc.rpartition("@")
    username, _, password = login.partition(":")
    to: dict[str, Any] = _known_as(unquote(username) or options.username, unquote(password) or options.password)
    asked = {**_patience(options), **tls}
    if scheme == _SENTINEL:
        to["db"] = int(parse_qs(parts.query).get("db", ["0"])[0])
        asked |= _known_as(options.sentinel_username, options.sentinel_password)
        name = unquote(parts.path).strip("/")
        primary = named_by_sentinels(_nodes(hosts, _SENTINEL_PORT), name, asked, tls=is_tls)
    elif scheme == _CLUSTER:
        primary = having_the_slot(_nodes(hosts, _PORT), asked | to, tls=is_tls)
    else:
        raise ValueError(parts.scheme)
    kind = FoundTlsConnection if is_tls else FoundConnection
    return {"connection_class": kind, "primary": primary, **to, **tls}, primary


def _nodes(hosts: str, port: int) -> tuple[Node, ...]:
    parts = [urlsplit(f"//{host}") for host in hosts.split(",") if host]
    return tuple(Node(part.hostname or "", part.port or port) for part in parts)


def _patience(options: RedisOptions) -> dict[str, Any]:
    """Return how long a connection waits. It tries once: `client` tries again."""
    return {
        "protocol": 2,
        "driver_info": None,
        "socket_timeout": options.timeout_s,
        "socket_connect_timeout": options.timeout_s,
        "retry": Retry(NoBackoff(), 0),
    }


def _known_as(username: str, password: str) -> dict[str, str]:
    return {"username": username or "default", "password": password} if username or password else {}


def _tls(options: RedisOptions, *, is_tls: bool) -> dict[str, str]:
    """Return the files of TLS. Raises StoreError: there are some, and the address is of none."""
    files = {"ssl_ca_certs": options.tls_ca, "ssl_certfile": options.tls_cert, "ssl_keyfile": options.tls_key}
    given = {name: str(path) for name, path in files.items() if path}
    if given and not is_tls:
        raise StoreError("redis_tls_ca, redis_tls_cert and redis_tls_key need an address with TLS: rediss://...")
    return given
