"""Work that several clients wait for, done once: the first one starts it, and whoever comes meanwhile waits along.

Called by `api.answers`, so that a new version is rendered and compressed once, and by `events`, so that it is judged
once, however many ask at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Flights(Generic[Result]):
    """Work under way, by name."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Future[Result]] = {}

    async def once(self, name: Hashable, work: Callable[[], Awaitable[Result]]) -> Result:
        """Return what ``work`` called ``name`` gives; a client that goes away does not stop it. Raises as ``work``."""
        task = self._tasks.get(name)
        if task is None:
            task = self._tasks[name] = asyncio.ensure_future(_run(work))
            task.add_done_callback(lambda _: self._tasks.pop(name, None))
        return await asyncio.shield(task)


async def _run(work: Callable[[], Awaitable[Result]]) -> Result:
    return await work()
