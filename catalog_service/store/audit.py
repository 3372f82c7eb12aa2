"""What people did: versions published, held versions judged, labels, subscriptions, filters, keys and tokens.

Each entry is written in the same atomic step as what it tells of (the scripts of `commit`, `tell` and `tokens`); the
newest 10,000 are kept, each with a hash over it and the one before. Called by the command line and by the API.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from itertools import pairwise

import structlog
from msgspec import Struct
from msgspec.structs import asdict
from redis.asyncio import Redis

from catalog_service.store import codec, keys
from catalog_service.store.commit import AUDIT
from catalog_service.store.leases import Ask, Script
from schema.errors import BadParameterError, CorruptContentError
from schema.event import Notice
from schema.version import AuditEntry

_log = structlog.get_logger()
_MOST_LETTERS = 80
_READ = 500
_TELL = f"#!lua\nlocal audit = KEYS[1]\n{AUDIT}\ntell(audit, ARGV[1])\nreturn 'OK'\n"


class AuditFilter(Struct, frozen=True):
    """Which entries are asked for; None: whatever it is."""

    action: str | None = None
    who: str | None = None
    subject: str | None = None
    token: str | None = None

    def keeps(self, entry: AuditEntry) -> bool:
        """Tell whether ``entry`` is asked for."""
        return all(getattr(self, name) in {None, getattr(entry, name)} for name in self.__struct_fields__)


_ANY = AuditFilter()


class Audit:
    """The audit stream in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._ask: Ask = redis.execute_command
        self._tell: Script = redis.register_script(_TELL)

    async def newest(self, count: int = 50, skip: int = 0, wanted: AuditFilter = _ANY) -> tuple[AuditEntry, ...]:
        """Return up to ``count`` entries, newest first, after the newest ``skip``. Raises CorruptContentError."""
        found, _ = await self.page(skip + count, "", wanted)
        return found[skip:]

    async def page(self, count: int, before: str, wanted: AuditFilter) -> tuple[tuple[AuditEntry, ...], str | None]:
        """Return up to ``count`` entries, newest first, and the place after which the next ones come, None: none do.

        ``before`` is such a place, empty for the newest. Raises CorruptContentError.
        """
        found: list[tuple[str, AuditEntry]] = []
        async for place, entry in self._entries(f"({before}" if before else "+"):
            if wanted.keeps(entry):
                found.append((place, entry))
            if len(found) > count:
                break
        more = found[count - 1][0] if len(found) > count else None
        return tuple(entry for _, entry in found[:count]), more

    async def tell(self, entry: AuditEntry) -> None:
        """Write down what no other step did: a run that came to nothing, an import that is done."""
        await self._tell(keys=[keys.AUDIT], args=[packed(entry)])
        log_audit(entry)

    async def checked(self) -> tuple[int, str]:
        """Return how many entries the chain holds together, and its newest hash: of use beside one noted elsewhere.

        Entries of releases without a chain do not count. Raises CorruptContentError: one was changed or taken out.
        """
        every = await self._ask("XRANGE", keys.AUDIT, "-", "+")
        for (_, before), (place, fields) in pairwise(every):
            follows = hashlib.sha1(before.get(b"chain", b"") + fields[b"entry"], usedforsecurity=False).hexdigest()
            if b"chain" in before | fields and fields.get(b"chain") != follows.encode():
                message = f"the audit was changed: entry {place.decode()} does not follow from the one before it"
                raise CorruptContentError(message, entry=place.decode())
        chained = [fields[b"chain"] for _, fields in every if b"chain" in fields]
        return len(chained), chained[-1].decode() if chained else ""

    async def _entries(self, end: str) -> AsyncIterator[tuple[str, AuditEntry]]:
        """Yield places and entries up to ``end``, newest first."""
        while found := await self._ask("XREVRANGE", keys.AUDIT, end, "-", "COUNT", _READ):
            for place, fields in found:
                yield place.decode(), codec.unpack(fields[b"entry"], AuditEntry)
            end = f"({found[-1][0].decode()}"


def person(name: str) -> str:
    """Return ``name`` as the audit takes it. Raises BadParameterError for none, and for one that could forge a line."""
    return one_line(name, "by")


def one_line(name: str, parameter: str) -> str:
    """Return a name that stands in the audit, without the spaces around it. Raises BadParameterError as `person`."""
    trimmed = name.strip()
    if not trimmed or len(trimmed) > _MOST_LETTERS or not trimmed.isprintable():
        message = f"{parameter} is a name of up to {_MOST_LETTERS} printable characters"
        raise BadParameterError(message, parameter=parameter)
    return trimmed


def log_audit(entry: AuditEntry | None) -> None:
    """Log the one line of an entry that was just written: logs keep what is older than the newest 10,000."""
    if entry:
        _log.info("audit", **{**asdict(entry), "at": entry.at.isoformat()})


def packed(entry: AuditEntry | Notice | None) -> bytes:
    """Return an entry, or a notice, as the scripts of `commit` take it; nothing for None."""
    return codec.pack(entry) if entry else b""
