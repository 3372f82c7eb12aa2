"""How many deliveries a worker has under way: a fast lane that a slow one leaves, and a bound for all.

Measured (limits-and-faults.md A7): with a tenth of the receivers hanging, the others' p99 is 2 s without a slow lane
and 256 ms with one. Called by `notifier`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Iterator

FAST = 256
ALL = 2000
OF_A_HOST = 512
"""So many at one host, however many subscriptions go there: a host that hangs must not take every place."""
SLOW_AFTER_S = 0.25


class _Place:
    """Of one delivery in the fast lane."""

    __slots__ = ("leaves_s", "taken")

    def __init__(self, leaves_s: float) -> None:
        self.leaves_s = leaves_s
        self.taken = True


class Lanes:
    """Lanes of one worker, and its bell."""

    def __init__(self) -> None:
        self._fast: deque[_Place] = deque()
        """In the order in which they came, so also in that in which they leave."""
        self._fast_count = 0
        self._all_count = 0
        self._hosts: Counter[str] = Counter()
        self._bell = asyncio.Event()

    @property
    def free(self) -> int:
        """How many more may begin."""
        now_s = asyncio.get_running_loop().time()
        while self._fast and (not self._fast[0].taken or self._fast[0].leaves_s <= now_s):
            self._leave(self._fast.popleft())
        return min(FAST - self._fast_count, ALL - self._all_count)

    @contextlib.contextmanager
    def used(self, host: str) -> Iterator[None]:
        """Use a lane to ``host`` for a block: the fast one for its first moment."""
        place = _Place(asyncio.get_running_loop().time() + SLOW_AFTER_S)
        self._fast.append(place)
        self._fast_count += 1
        self._all_count += 1
        self._hosts[host] += 1
        try:
            yield
        finally:
            self._leave(place)
            self._all_count -= 1
            self._hosts[host] -= 1
            if not self._hosts[host]:
                del self._hosts[host]
            self.stir()

    def crowded(self, host: str) -> bool:
        """Tell whether more lead to ``host``, this one among them, than may."""
        return self._hosts[host] > OF_A_HOST

    async def room(self) -> None:
        """Return once there is a free place."""
        while self.free < 1:
            self.still()
            await self.stirred(SLOW_AFTER_S)

    def stir(self) -> None:
        """Ring: there may be something to do."""
        self._bell.set()

    def still(self) -> None:
        """Stop ringing: what comes from now on is news."""
        self._bell.clear()

    async def stirred(self, timeout_s: float) -> None:
        """Return when it rings, or after ``timeout_s``."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._bell.wait(), timeout_s)

    def _leave(self, place: _Place) -> None:
        self._fast_count -= place.taken
        place.taken = False
