"""Exit codes: what a script can rely on. The one table from errors to codes."""

from __future__ import annotations

from redis.exceptions import RedisError

from schema.errors import (
    BadParameterError,
    CatalogError,
    DataDirInUseError,
    NotReadyError,
    OverLimitError,
    RefusedTargetError,
    RequestError,
    SealedError,
    UnsafeChangesetError,
)

FINE = 0
UNEXPECTED = 1
USAGE = 2
FAILED = 3
HELD = 4
NOT_FOUND = 5
IN_USE = 6
INTERRUPTED = 130
BROKEN_PIPE = 141

HELP = """\b
Exit codes:
  0    fine
  1    unexpected: a fault of this program
  2    usage: a flag, an argument or a setting is wrong
  3    something failed: fetching, parsing, the store, a list over its limit
  4    a version is held for a person to accept or reject
  5    not found: no such version, source, id or match
  6    another service has the data directory
  130  interrupted, 143 terminated (run, serve, notify and sync --every, asked to stop, end with 0)"""

_CODES: tuple[tuple[type[Exception], int], ...] = (
    (BadParameterError, USAGE),
    (RefusedTargetError, USAGE),
    (SealedError, USAGE),
    (OverLimitError, FAILED),
    (RequestError, NOT_FOUND),
    (NotReadyError, NOT_FOUND),
    (UnsafeChangesetError, HELD),
    (DataDirInUseError, IN_USE),
    (CatalogError, FAILED),
    (RedisError, FAILED),
)


def exit_code(error: Exception) -> int:
    """Return the exit code of ``error``; the first row that fits."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), UNEXPECTED)
