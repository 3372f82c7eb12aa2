"""Keep background tasks going whatever happens, stop them surely, and end what has to be ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog
from redis.exceptions import RedisError

RETRY_S = 1.0
_CANCEL_S = 0.1
_log = structlog.get_logger()


async def forever(
    step: Callable[[], Awaitable[None]], failing: str, *, every_s: float = 0.0, retry_s: float = RETRY_S
) -> None:
    """Do ``step`` again and again until cancelled: ``every_s`` after it went well, ``retry_s`` after it failed.

    The log says of a failure that it is ``failing``: once, until ``step`` goes well or fails otherwise.
    """
    said = ""
    while True:
        pause_s = every_s
        try:
            await step()
            said = ""
        except Exception as error:  # noqa: BLE001 - who waits for it would wait for ever
            pause_s = retry_s
            if repr(error) != said:
                _tell(error, failing)
            said = repr(error)
        await asyncio.sleep(pause_s)


def _tell(error: Exception, failing: str) -> None:
    if isinstance(error, RedisError | OSError):
        _log.warning(failing, error=str(error))
    else:
        _log.error(failing, exc_info=error)


async def stop(*tasks: asyncio.Task[Any]) -> None:
    """Cancel ``tasks`` until all have ended; how they ended is not told.

    Once is not enough: before Python 3.12 `asyncio.wait_for`, which redis-py uses, loses a cancellation
    that meets a reply on its way in. Being cancelled itself, this first finishes and then says so.
    """
    cancelled = False
    while pending := {task for task in tasks if not task.done()}:
        for task in pending:
            task.cancel()
        try:
            await asyncio.wait(pending, timeout=_CANCEL_S)
        except asyncio.CancelledError:
            cancelled = True
    await asyncio.gather(*tasks, return_exceptions=True)
    if cancelled:
        raise asyncio.CancelledError


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Do ``work`` to its end, however often this is cancelled meanwhile, as `stop` does; then say so. Raises as it."""
    task, cancelled = asyncio.ensure_future(work), False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    if cancelled:
        raise asyncio.CancelledError
