"""Work that several clients wait for, done once: the first one starts it, and whoever comes meanwhile waits along.

Whoever comes later finds what it came to, where that is kept.

Called by `api.answers`, so that a new version is rendered and compressed once, and by `events`, so that it is judged
once, however many ask at once.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar, cast

Result = TypeVar("Result")
_NOTHING = object()


class Flights(Generic[Result]):
    """Work under way, by name, and what it came to: the last ``kept``, least recently used go first."""

    def __init__(self, kept: int = 0) -> None:
        self._kept_count = kept
        self._kept: OrderedDict[Hashable, Result] = OrderedDict()
        self._tasks: dict[Hashable, asyncio.Future[Result]] = {}

    async def once(self, name: Hashable, work: Callable[[], Awaitable[Result]]) -> Result:
        """Return what ``work`` called ``name`` gives; a client that goes away does not stop it. Raises as ``work``."""
        if (kept := self._kept.get(name, _NOTHING)) is not _NOTHING:
            self._kept.move_to_end(name)
            return cast("Result", kept)
        task = self._tasks.get(name)
        if task is None:
            task = self._tasks[name] = asyncio.ensure_future(self._done(name, work))
            task.add_done_callback(lambda _: self._tasks.pop(name, None))
        return await asyncio.shield(task)

    async def _done(self, name: Hashable, work: Callable[[], Awaitable[Result]]) -> Result:
        result = await work()
        if self._kept_count:
            self._kept[name] = result
            if len(self._kept) > self._kept_count:
                self._kept.popitem(last=False)
        return result
