"""The desk of tokens: makes, lists and revokes them, each with its audit entry.

In: what a person wants, who that is and through which token. Out: tokens as they are known, and a new one's secret,
once. REST, GraphQL and the command line call nothing else.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from msgspec import Struct

from catalog_service.access.minting import RANDOM_BYTES, digest_of, token_of
from catalog_service.store.audit import one_line, person
from catalog_service.store.connect import Store
from schema.access import ANONYMOUS, COMMAND_LINE, OPERATOR, ApiToken, Scope
from schema.clock import Clock, RandomBytes
from schema.errors import BadParameterError
from schema.version import AuditEntry

_ID_BYTES, _ID_LENGTH = 8, 12
_RESERVED = (ANONYMOUS, OPERATOR, COMMAND_LINE)


class NewToken(Struct, frozen=True, forbid_unknown_fields=True):
    """What a token is to be."""

    name: str
    """What a person calls it, up to 80 characters; no other one has that name."""
    scopes: tuple[Scope, ...]
    """What it lets its bearer do: one or more."""
    expires_at: datetime | None = None
    """From when on it is refused, with a zone; none: never."""


class IssuedToken(Struct, frozen=True):
    """A new token."""

    token: ApiToken
    secret: str
    """What its bearer shows: here, and never again."""


class TokenDesk:
    """Takes orders about tokens."""

    def __init__(self, store: Store, clock: Clock, random_bytes: RandomBytes) -> None:
        self._store = store
        self._clock = clock
        self._random = random_bytes

    async def create(self, wanted: NewToken, by: str, through: str) -> IssuedToken:
        """Make a token, in the name of ``by``, who showed ``through``.

        Raises:
            BadParameterError: it cannot be made so; another has its name; there are 1,000.
        """
        now = self._clock()
        scopes = tuple(scope for scope in Scope if scope in wanted.scopes)
        if not scopes:
            raise BadParameterError(f"a token has one or more of {', '.join(Scope)}", parameter="scopes")
        id_ = "tok_" + base64.b32encode(self._random(_ID_BYTES)).decode().lower()[:_ID_LENGTH]
        token = ApiToken(id_, _name(wanted.name), scopes, now, person(by), _expiry(wanted.expires_at, now))
        secret = token_of(self._random(RANDOM_BYTES))
        entry = AuditEntry(now, token.created_by, "token-create", id_, "", _in_short(token), through)
        await self._store.tokens.create(digest_of(secret), token, entry)
        return IssuedToken(token, secret)

    async def all(self) -> tuple[ApiToken, ...]:
        """Return every token and when it was used last, oldest first."""
        return await self._store.tokens.all()

    async def revoke(self, id_: str, by: str, through: str) -> ApiToken:
        """Revoke a token for good, and return what it was. Raises UnknownTokenError."""
        digest, token = await self._store.tokens.named(id_)
        entry = AuditEntry(self._clock(), person(by), "token-revoke", id_, _in_short(token), "", through)
        await self._store.tokens.revoke(digest, token, entry)
        return token


def _name(given: str) -> str:
    name = one_line(given, "name")
    if name.lower() in _RESERVED:
        message = f"no token is called {', '.join(_RESERVED)}: these stand for others in the audit"
        raise BadParameterError(message, parameter="name", value=name)
    return name


def _expiry(at: datetime | None, now: datetime) -> datetime | None:
    if at is None:
        return None
    if at.tzinfo is None:
        raise BadParameterError("expires_at needs a zone: 2027-11-23T08:00:00Z", parameter="expires_at")
    if at <= now:
        raise BadParameterError("expires_at is past: a token that nobody can use is not made", parameter="expires_at")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise BadParameterError("expires_at is beyond the year 9999 in UTC", parameter="expires_at") from None


def _in_short(token: ApiToken) -> str:
    until = f", until {token.expires_at.isoformat()}" if token.expires_at else ""
    return f"{token.name}: {', '.join(token.scopes)}{until}"
