"""How often a client may ask: a limit over all processes, decided from memory alone.

In: a client, at each of its requests. Out: may it, and how much it has left. Each process counts its own requests and
about once a second adds them to the counts of all (`store.rates`), so the limit is exact in one process and may be
exceeded by what the others let in within that second. While Redis is away each process limits by what it knows.

The window slides: what counts is this minute's requests and of the minute before the share that is not a minute ago
yet. What is refused does not count: a client that goes on asking gets through as often as the limit says.
"""

from __future__ import annotations

import heapq
import math
from collections import OrderedDict
from collections.abc import Callable

from msgspec import Struct

from catalog_service.store.rates import Rates as SharedRates
from catalog_service.store.rates import Use
from catalog_service.tasks import forever

WINDOW_S = 60
_EXCHANGE_S = 1.0
_MOST_CLIENTS = 50_000
_MOST_TOLD = 2_000


class Allowance(Struct, frozen=True, gc=False):
    """What a client has left, after the request that it was asked for."""

    is_allowed: bool
    left: int
    reset_s: int
    """Seconds until the window ends."""
    retry_s: int = 0
    """Seconds until one more is allowed, where none is."""


class _Count(Struct, gc=False):
    window: int
    before: int = 0
    """In the window before, in all processes."""
    shared: int = 0
    """In this one, in all processes, as far as it was told."""
    untold: int = 0
    """In this one and process, beyond that."""


class Rates:
    """The counts of this process: of the clients seen last, ``most_clients`` at most; ``limit`` a minute for each."""

    def __init__(
        self, limit: int, shared: SharedRates, clock: Callable[[], float], most_clients: int = _MOST_CLIENTS
    ) -> None:
        self.limit = limit
        self._shared = shared
        self._clock = clock
        self._most_clients = most_clients
        self._counts: OrderedDict[str, _Count] = OrderedDict()
        self._untold: set[str] = set()

    def take(self, client: str) -> Allowance:
        """Count a request of ``client``, where it is allowed."""
        window, into_s = divmod(self._clock(), WINDOW_S)
        count = self._count(client, int(window))
        used = count.before * (1 - into_s / WINDOW_S) + count.shared + count.untold
        reset_s = math.ceil(WINDOW_S - into_s)
        if used + 1 > self.limit:
            return Allowance(False, 0, reset_s, _retry_s(count, self.limit, into_s))  # noqa: FBT003 - the answer
        count.untold += 1
        self._untold.add(client)
        return Allowance(True, int(self.limit - used - 1), reset_s)  # noqa: FBT003

    async def follow(self) -> None:
        """Exchange counts with the other processes for ever."""
        await forever(self.exchange, "requests are counted in this process alone meanwhile", every_s=_EXCHANGE_S)

    async def exchange(self) -> None:
        """Tell what was counted since, of whom asked most first, and learn the counts of all. Raises RedisError."""
        if not self._untold:
            return
        window = int(self._clock() // WINDOW_S)
        uses = self._uses(window)
        told = [self._counts[use.client] for use in uses]
        for use, one, found in zip(uses, told, await self._shared.add(window, WINDOW_S, uses), strict=True):
            count = self._counts.get(use.client)
            if count is None or count.window != window:  # it was forgotten, or the window ended, while Redis answered
                continue
            count.shared, count.before = found.now, max(found.before, count.before)
            if count is one:  # else it was forgotten, and begun anew, while Redis answered
                count.untold -= use.count
                if not count.untold:
                    self._untold.discard(use.client)

    def _uses(self, window: int) -> tuple[Use, ...]:
        self._untold = {client for client in self._untold if self._counts[client].window == window}
        uses = (Use(client, self._counts[client].untold) for client in self._untold)
        if len(self._untold) <= _MOST_TOLD:
            return tuple(uses)
        return tuple(heapq.nlargest(_MOST_TOLD, uses, key=lambda use: use.count))

    def _count(self, client: str, window: int) -> _Count:
        """Return the count of ``client``, in ``window``; the one seen longest ago goes where there are too many."""
        count = self._counts.get(client)
        if count is None:
            count = self._counts[client] = _Count(window)
            if len(self._counts) > self._most_clients:
                forgotten, _ = self._counts.popitem(last=False)
                self._untold.discard(forgotten)
        else:
            self._counts.move_to_end(client)
        if count.window != window:
            count.before = count.shared + count.untold if count.window == window - 1 else 0
            count.window, count.shared, count.untold = window, 0, 0
        return count


def _retry_s(count: _Count, limit: int, into_s: float) -> int:
    """Return after how many seconds, of those that count now, few enough are left for one more."""
    used_now, left_s = count.shared + count.untold, WINDOW_S - into_s
    if used_now < limit:
        waited_s = left_s - (limit - 1 - used_now) * WINDOW_S / count.before
    else:  # those of this window have to leave it first
        waited_s = left_s + WINDOW_S * (1 - (limit - 1) / used_now)
    return max(1, math.ceil(waited_s))
