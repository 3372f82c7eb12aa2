"""Stop background tasks surely, and end what has to be ended."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

_CANCEL_S = 0.1


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
