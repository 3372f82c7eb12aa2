"""API tokens: what is known of them, by their digests, and never one itself.

Made and revoked in one atomic step with its audit entry. Called by `access.issuing`, which makes them, and by
`access.doorkeeper`, which knows them.
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace
from redis.asyncio import Redis

from catalog_service.store import codec, keys
from catalog_service.store.audit import log_audit, packed
from catalog_service.store.commit import AUDIT
from catalog_service.store.leases import Ask, Script
from schema.access import ApiToken
from schema.errors import BadParameterError, UnknownTokenError
from schema.version import AuditEntry

MOST = 1_000

_CREATE = f"""#!lua
local tokens, names, audit = unpack(KEYS)
local digest, name, token, entry, most = unpack(ARGV)
{AUDIT}
local taken = redis.call('HGET', names, name)
if taken == digest then return 'OK' end  -- sent again after a lost reply
if taken then return 'TAKEN' end
if redis.call('HLEN', tokens) >= tonumber(most) then return 'FULL' end
redis.call('HSET', tokens, digest, token)
redis.call('HSET', names, name, digest)
tell(audit, entry)
return 'OK'
"""

# What is gone is gone: who revokes it a second time has what was wanted, and leaves no second line.
_REVOKE = f"""#!lua flags=allow-oom
local tokens, names, used, audit = unpack(KEYS)
local digest, name, entry = unpack(ARGV)
{AUDIT}
if redis.call('HDEL', tokens, digest) == 0 then return 'OK' end
redis.call('HDEL', names, name)
redis.call('HDEL', used, digest)
tell(audit, entry)
return 'OK'
"""

_USED = """#!lua
local tokens, used = unpack(KEYS)
if redis.call('HEXISTS', tokens, ARGV[1]) == 1 then redis.call('HSET', used, ARGV[1], ARGV[2]) end
return 'OK'
"""


class Tokens:
    """Tokens in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._ask: Ask = redis.execute_command
        self._create: Script = redis.register_script(_CREATE)
        self._revoke: Script = redis.register_script(_REVOKE)
        self._used: Script = redis.register_script(_USED)

    async def by_digest(self) -> dict[str, ApiToken]:
        """Return every token by its digest; a damaged one is left out, and opens nothing."""
        flat = await self._ask("HGETALL", keys.TOKENS)
        read = {digest.decode(): codec.readable(data, ApiToken) for digest, data in flat.items()}
        return {digest: token for digest, token in read.items() if token}

    async def get(self, digest: str) -> ApiToken | None:
        """Return the token with this digest, None where there is none (any more)."""
        data = await self._ask("HGET", keys.TOKENS, digest)
        return codec.readable(data, ApiToken) if data else None

    async def all(self) -> tuple[ApiToken, ...]:
        """Return every token and when it was used last, oldest first."""
        used = await self._ask("HGETALL", keys.TOKENS_USED)
        found = (_with_use(token, used.get(digest.encode())) for digest, token in (await self.by_digest()).items())
        return tuple(sorted(found, key=lambda token: (token.created_at, token.id)))

    async def create(self, digest: str, token: ApiToken, entry: AuditEntry) -> None:
        """Add ``token``. Raises BadParameterError: another has its name, or there are 1,000."""
        arguments = [digest, token.name, codec.pack(token), packed(entry), MOST]
        outcome = await self._create(keys=[keys.TOKENS, keys.TOKEN_NAMES, keys.AUDIT], args=arguments)
        if outcome == b"TAKEN":
            message = f"there is a token {token.name!r} already: revoke it first, or take another name"
            raise BadParameterError(message, parameter="name", value=token.name)
        if outcome == b"FULL":
            raise BadParameterError(f"there are {MOST:,} tokens: no more are made", parameter="name")
        log_audit(entry)

    async def named(self, id_: str) -> tuple[str, ApiToken]:
        """Return the digest of the token with the id ``id_``, and it. Raises UnknownTokenError."""
        for digest, token in (await self.by_digest()).items():
            if token.id == id_:
                return digest, token
        raise UnknownTokenError(f"there is no token {id_[:80]!r}", parameter="id", value=id_[:80])

    async def revoke(self, digest: str, token: ApiToken, entry: AuditEntry) -> None:
        """Delete ``token``: it opens nothing from now on."""
        names = [keys.TOKENS, keys.TOKEN_NAMES, keys.TOKENS_USED, keys.AUDIT]
        await self._revoke(keys=names, args=[digest, token.name, packed(entry)])
        log_audit(entry)

    async def used(self, digest: str, at: datetime) -> None:
        """Remember that a token was used at ``at``; nothing where it was revoked."""
        await self._used(keys=[keys.TOKENS, keys.TOKENS_USED], args=[digest, int(at.timestamp())])


def _with_use(token: ApiToken, used: bytes | None) -> ApiToken:
    return replace(token, last_used_at=datetime.fromtimestamp(int(used), UTC)) if used else token
