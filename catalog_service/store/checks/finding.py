"""A finding: what is wrong in the store, what that means, and how it is mended where it can be.

A repair is made of what is stored elsewhere, never of guesses. It is one atomic step, taken only while all that it
was worked out from is as it was seen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable

from msgspec import Struct

from catalog_service.store import keys
from catalog_service.store.connect import Store

RESTORE = "restore it from a backup"
Command = tuple[str | bytes | int, ...]
"""A command of Redis, by its words."""
Told = Callable[[str], None]
"""Hears how far a check is."""


class Seen(Struct, frozen=True):
    """A command and what it answered: text, a number as text, or empty for nothing."""

    command: Command
    reply: bytes


class Repair(Struct, frozen=True):
    """What mends a finding."""

    seen: tuple[Seen, ...]
    steps: tuple[Command, ...]


class Finding(Struct, frozen=True):
    """Something that should not be."""

    code: str
    """What kind of thing it is, stable: ``version``, ``index``, ``content`` ..."""
    subject: str
    """What it is about: a key without the tag, a version, a source, a subscription."""
    problem: str
    """What is wrong, and what that means."""
    way_out: str
    """What mends it: what ``--repair`` does, or else what a person can do."""
    repair: Repair | None = None


Check = Callable[[Store, Told], AsyncIterator[Finding]]


def short(key: str) -> str:
    """Return ``key`` as findings name it."""
    return key.removeprefix(f"{keys.TAG}:")


def text(name: bytes) -> str:
    """Return ``name`` as findings show it, whatever bytes it is."""
    return name.decode(errors="replace")


def listed(several: Iterable[object], most: int = 5) -> str:
    """Return the first of ``several`` as text, and how many more there are."""
    every = [str(one) for one in several]
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more


def as_seen(value: object) -> bytes:
    """Return a reply of Redis as `Seen` has it."""
    if value is None:
        return b""
    return value if isinstance(value, bytes) else str(value).encode()


def dropped(key: str, field: str | bytes, value: bytes | None) -> Repair:
    """Return the repair that takes ``field`` out of the hash ``key``, as long as it holds ``value``."""
    return Repair((Seen(("HGET", key, field), as_seen(value)),), (("HDEL", key, field),))
