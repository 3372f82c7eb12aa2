"""How often each client asked, over all processes that serve: counted up in Redis about once a second by each.

In: what a process counted since it last told. Out: the counts of all. Two keys at a time, one a window, which expire:
a Redis that is lost costs a minute of counts, and what is sent again after a lost reply counts twice in it. Called by
the API's gate.
"""

from __future__ import annotations

from msgspec import Struct
from redis.asyncio import Redis

from catalog_service.store import keys

_WINDOWS_KEPT = 3

# KEYS: the counts of this window, of the one before. ARGV: seconds to keep, then client and how often, in turns.
_ADD = """#!lua
local found = {}
for at = 2, #ARGV, 2 do
  found[at - 1] = redis.call('HINCRBY', KEYS[1], ARGV[at], ARGV[at + 1])
  found[at] = tonumber(redis.call('HGET', KEYS[2], ARGV[at]) or '0')
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return found
"""


class Use(Struct, frozen=True, gc=False):
    """How often a client asked one process."""

    client: str
    count: int


class Shared(Struct, frozen=True, gc=False):
    """How often a client asked all of them, in this window and in the one before."""

    now: int
    before: int


class Rates:
    """The counts in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._add = redis.register_script(_ADD)

    async def add(self, window: int, window_s: int, uses: tuple[Use, ...]) -> tuple[Shared, ...]:
        """Add ``uses`` to the counts of ``window``, and return what it makes of each, in their order."""
        told = [part for use in uses for part in (use.client, use.count)]
        found = await self._add(keys=[keys.rate(window), keys.rate(window - 1)], args=[window_s * _WINDOWS_KEPT, *told])
        return tuple(Shared(int(now), int(before)) for now, before in zip(found[::2], found[1::2], strict=True))
