"""Who shows which token: the API's one answer to an ``Authorization`` header.

All tokens are kept in memory, as digests, and read anew every few seconds: a read costs no call to Redis, goes on
while Redis is away, and a revoked token is out within 5 s. What changes something has its token looked up in the
store. When it was used is written beside, never on the way of a request. Called by the gate, once a request, and by
`permitted`'s callers.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import structlog
from redis.exceptions import RedisError

from catalog_service.access.identity import Identity, included
from catalog_service.access.minting import digest_of, is_token
from catalog_service.store.connect import Store
from schema.access import ANONYMOUS, OPERATOR, ApiToken, Scope
from schema.clock import Clock
from schema.errors import StoreError, UnauthenticatedError

RELOADED_AFTER_S = 3.0
_SPACING_S = 0.2
"""Tokens are read five times a second at most, however many wrong ones are shown."""
_PATIENCE_S = 1.0
"""So long the first request waits for a Redis that does not answer; those after it do not."""
_USE_WRITTEN_EVERY = timedelta(minutes=1)
_BEARER, _BASIC = "bearer", "basic"
_AWAY = (RedisError, OSError, StoreError)
_log = structlog.get_logger()


class Doorkeeper:
    """Knows tokens. Without a ``store`` and an operator's token (a demo) nobody has one, and none is looked at."""

    def __init__(
        self,
        store: Store | None,
        operator_token: str,
        *,
        anonymous_read: bool,
        clock: Clock,
        reloaded_after_s: float = RELOADED_AFTER_S,
    ) -> None:
        self._tokens = store.tokens if store else None
        self._operator = digest_of(operator_token) if operator_token else ""
        self._anonymous = Identity(ANONYMOUS, frozenset({Scope.READ} if anonymous_read else ()))
        self._clock = clock
        self._reloaded_after_s = reloaded_after_s
        self._known: Mapping[str, Identity] = MappingProxyType({})
        self._begun_at = self._read_at = float("-inf")
        self._is_away = False
        self._reading: asyncio.Task[None] | None = None
        self._used: dict[str, datetime] = {}
        self._writing: set[asyncio.Task[None]] = set()

    async def identify(self, authorization: str, *, fresh: bool = False) -> Identity:
        """Return who shows ``authorization``, a header's value; empty: the anonymous identity.

        ``fresh`` is for whatever changes something: the store is asked, and Basic credentials, which browsers send by
        themselves whoever makes them ask (RFC 7617), are not taken. For reads any name goes with a token as password.

        Raises:
            UnauthenticatedError: the token is wrong, revoked or expired, or the header none.
            StoreError, RedisError: ``fresh``, or a token that is not known here, and the store does not answer.
        """
        if not authorization or (self._tokens is None and not self._operator):
            return self._anonymous
        shown = _shown(authorization, bearer_alone=fresh)
        digest = digest_of(shown)
        if self._operator and hmac.compare_digest(digest, self._operator):
            return Identity(OPERATOR, frozenset(Scope))
        if self._tokens is None or not is_token(shown):
            raise UnauthenticatedError("this is no token of this service: was it copied whole?")
        found = await self._found(digest)
        if found and fresh:
            token = await self._tokens.get(digest)
            found = _identity(token) if token else None
        if found is None:
            raise UnauthenticatedError("this token was revoked, or never made: ask for another one")
        now = self._clock()
        if found.expires_at and found.expires_at <= now:
            raise UnauthenticatedError("this token has expired: ask for another one")
        self._note_use(digest, now)
        return found

    async def _found(self, digest: str) -> Identity | None:
        """Return who shows the token with this digest; one that is unknown may have been made a moment ago."""
        now = asyncio.get_running_loop().time()
        await self._know_since(now - self._reloaded_after_s)
        if digest not in self._known:
            await self._know_since(now)
            if digest not in self._known and self._read_at < now:
                raise StoreError("the store does not answer: nobody can tell whether this token is good")
        return self._known.get(digest)

    async def _know_since(self, moment: float) -> None:
        """Read all tokens anew unless that began after ``moment``; while the store is away, what was known stays."""
        for _ in range(2):  # a reading under way may have begun before
            if self._read_at >= moment:
                return
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read())
            _, late = await asyncio.wait({self._reading}, timeout=0 if self._is_away else _PATIENCE_S)
            self._is_away = self._is_away or bool(late)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._begun_at + _SPACING_S - loop.time())
        self._begun_at = begun = loop.time()
        try:
            found = await self._tokens.by_digest() if self._tokens else {}
        except _AWAY as error:
            self._is_away = True
            _log.warning("tokens cannot be read anew", error=str(error))
            return
        self._known = {digest: _identity(token) for digest, token in found.items()}
        self._used = {digest: at for digest, at in self._used.items() if digest in found}
        self._read_at, self._is_away = begun, False

    def _note_use(self, digest: str, now: datetime) -> None:
        """Have it written that a token was used, at most once a minute and beside the request."""
        last = self._used.get(digest)
        if last is None or now - last >= _USE_WRITTEN_EVERY:
            self._used[digest] = now
            writing = asyncio.create_task(self._write_use(digest, now))
            self._writing.add(writing)
            writing.add_done_callback(self._writing.discard)

    async def _write_use(self, digest: str, now: datetime) -> None:
        if self._tokens:
            with contextlib.suppress(*_AWAY):
                await self._tokens.used(digest, now)


def _identity(token: ApiToken) -> Identity:
    return Identity(token.name, included(token.scopes), token.id, token.expires_at)


def _shown(authorization: str, *, bearer_alone: bool) -> str:
    """Return the token of a header: after Bearer, or as the password of Basic. Raises UnauthenticatedError."""
    scheme, _, given = authorization.strip().partition(" ")
    if scheme.lower() == _BEARER:
        return given.strip()
    if scheme.lower() == _BASIC and not bearer_alone:
        return _password(given)
    raise UnauthenticatedError("this needs a token in the header `Authorization: Bearer TOKEN`")


def _password(given: str) -> str:
    """Return the password of Basic credentials, empty where there is none to be read."""
    try:
        return base64.b64decode(given.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""
