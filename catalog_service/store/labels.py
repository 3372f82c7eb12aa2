"""Labels: names that people give to versions, such as ``prod``.

Set, moved and deleted in one atomic step with its audit entry, and never on a version that was pruned
meanwhile. Called by the reader, the command line and the API.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import datetime

from redis.asyncio import Redis

from catalog_service.store import codec, keys
from catalog_service.store.audit import log_audit, packed
from catalog_service.store.commit import LABEL
from catalog_service.store.floor import Floor
from catalog_service.store.leases import Ask
from catalog_service.store.versions import Versions
from schema.errors import BadParameterError, StaleHeadError, UnknownVersionError
from schema.version import AuditEntry, Label

# No dot ends a name or follows another: in ``A...B`` nobody could tell whose it is.
_NAME = re.compile(r"(?=.{1,64}$)[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)*")
_ATTEMPTS = 50


def label_name(text: str) -> str | None:
    """Return ``text`` as a label's name, lower case; None where it cannot be one: ``latest``, a number, a date."""
    name = text.strip().lower()
    return name if _NAME.fullmatch(name) and name != "latest" else None


class Labels:
    """Labels in Redis."""

    def __init__(self, redis: Redis, versions: Versions, floor: Floor) -> None:
        self._ask: Ask = redis.execute_command
        self._label: Callable[..., Awaitable[bytes]] = redis.register_script(LABEL)
        self._versions = versions
        self._floor = floor

    async def get(self, name: str) -> Label:
        """Return the label ``name``. Raises BadParameterError for no such name, UnknownVersionError."""
        if label := await self._found(_checked(name)):
            return label[1]
        raise _unknown(name)

    async def all(self) -> tuple[Label, ...]:
        """Return every label, sorted by name."""
        found = await self._ask("HVALS", keys.LABELS)
        return tuple(sorted((codec.unpack(data, Label) for data in found), key=lambda label: label.name))

    async def set(self, name: str, number: int, who: str, at: datetime, token: str = "") -> Label:
        """Give version ``number``, live or imported, the label ``name``; one of that name moves there.

        ``token`` is that of who asks, for the audit.

        Raises:
            BadParameterError: ``name`` cannot be a label's.
            UnknownVersionError: there is no version ``number``.
            GoneError: it was pruned.
        """
        label = Label(_checked(name), number, at, who)
        needed = tuple((await self._versions.numbers(await self._versions.point(number))).values())
        for _ in range(_ATTEMPTS):
            before = await self._found(label.name)
            entry = _entry(label, "label-set", before, str(number), token)
            outcome = await self._written(label.name, before, codec.pack(label), entry, needed)
            if outcome == b"GONE":
                raise await self._floor.gone(number)
            if outcome == b"OK":
                return label
        raise _contested(label.name)

    async def delete(self, name: str, who: str, at: datetime, token: str = "") -> Label:
        """Delete the label ``name`` and return it. Raises BadParameterError for no such name, UnknownVersionError."""
        known = _checked(name)
        for _ in range(_ATTEMPTS):
            before = await self._found(known)
            if before is None:
                raise _unknown(name)
            label = before[1]
            entry = _entry(Label(known, label.version, at, who), "label-delete", before, "", token)
            if await self._written(known, before, b"", entry) == b"OK":
                return label
        raise _contested(known)

    async def _found(self, name: str) -> tuple[bytes, Label] | None:
        """Return the label as stored, and read."""
        data: bytes | None = await self._ask("HGET", keys.LABELS, name)
        return (data, codec.unpack(data, Label)) if data else None

    async def _written(
        self,
        name: str,
        before: tuple[bytes, Label] | None,
        after: bytes,
        entry: AuditEntry,
        needed: tuple[int, ...] = (),
    ) -> bytes:
        arguments = [name, before[0] if before else b"", after, packed(entry), *needed]
        outcome = bytes(await self._label(keys=[keys.LABELS, keys.GONE, keys.AUDIT], args=arguments))
        log_audit(entry if outcome == b"OK" else None)
        return outcome


def _checked(name: str) -> str:
    if known := label_name(name):
        return known
    message = (
        f"{name[:80]!r} cannot be a label: a letter, then up to 63 letters, digits, dashes, underscores and single "
        "dots between them, and not latest"
    )
    raise BadParameterError(message, parameter="name", value=name[:80])


def _entry(label: Label, action: str, before: tuple[bytes, Label] | None, after: str, token: str) -> AuditEntry:
    was = str(before[1].version) if before else ""
    return AuditEntry(label.set_at, label.set_by, action, label.name, was, after, token)


def _unknown(name: str) -> UnknownVersionError:
    return UnknownVersionError(f"there is no label {name!r}", parameter="name", value=name)


def _contested(name: str) -> StaleHeadError:
    return StaleHeadError(f"others set the label {name} faster than this", label=name)
