"""The store in numbers, as of one moment, for whoever watches the service. One script, however many subscribe.

Called by `catalog_service.scrape`.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from catalog_service.store import codec, keys
from catalog_service.store.leases import Ask, Script
from schema.event import place_of
from schema.subscription import Status
from schema.version import HeldVersion, SourceState

# Subscriptions are packed with the names of their fields, and the first status is left out: what is looked for below
# cannot be part of another text, where it would be no UTF-8.
_NUMBERS = """#!lua flags=no-writes
local head, line, held, relayed, due, subscriptions, states = unpack(KEYS)
local queue, counts, count, depth = ARGV[1], {}, 0, 0
for place = 2, #ARGV do counts[place - 1] = 0 end
local found = redis.call('HGETALL', subscriptions)
for at = 1, #found, 2 do
  count, depth = count + 1, depth + redis.call('LLEN', queue .. found[at])
  for place = 2, #ARGV do
    if string.find(found[at + 1], ARGV[place], 1, true) then counts[place - 1] = counts[place - 1] + 1 end
  end
end
return {
  redis.call('GET', head) or '0', redis.call('ZCARD', line), redis.call('HVALS', held),
  redis.call('GET', relayed) or '', redis.call('ZRANGE', due, 0, 0, 'WITHSCORES'), count, counts, depth,
  redis.call('HGETALL', states)
}
"""
_FIRST, *_LATER = Status


class Numbers(Struct, frozen=True):
    """The store as of one moment."""

    head: int
    version_count: int
    held: tuple[HeldVersion, ...]
    """Those that were turned down among them."""
    relayed: int | None
    """The version up to which events are in queues; None: none ever was."""
    due_at: datetime | None
    """When the first delivery is due; None: none is."""
    subscriptions: tuple[tuple[Status, int], ...]
    """How many there are, for each status."""
    waiting_count: int
    states: dict[str, SourceState]


class Memory(Struct, frozen=True):
    """Bytes that Redis uses, and may use; 0: as many as there are."""

    used_memory: int
    maxmemory: int = 0


class NumbersRead:
    """Reads them from Redis."""

    def __init__(self, redis: Redis) -> None:
        self._ask: Ask = redis.execute_command
        self._numbers: Script = redis.register_script(_NUMBERS)

    async def read(self) -> Numbers:
        """Return the numbers. Raises CorruptContentError."""
        names = [keys.HEAD, keys.LINE, keys.HELD, keys.RELAYED, keys.DUE, keys.SUBSCRIPTIONS, keys.STATES]
        marks = [msgspec.msgpack.encode("status") + msgspec.msgpack.encode(status) for status in _LATER]
        head, versions, held, relayed, due, count, later, waiting, states = await self._numbers(
            keys=names, args=[keys.queue(""), *marks]
        )
        place = place_of(bytes(relayed).decode()) if relayed else None
        statuses = ((_FIRST, count - sum(later)), *zip(_LATER, later, strict=True))
        return Numbers(
            head=codec.number(head),
            version_count=versions,
            held=tuple(one for data in held if (one := codec.readable(data, HeldVersion))),
            relayed=place.version if place else None,
            due_at=datetime.fromtimestamp(float(due[1]) / 1000, UTC) if due else None,
            subscriptions=statuses,
            waiting_count=waiting,
            states=_states(states),
        )

    async def memory(self) -> Memory | None:
        """Return how much Redis uses, None where it may not be asked."""
        try:
            told = await self._ask("INFO", "memory")
        except ResponseError:  # NOPERM, as a rule
            return None
        try:
            return msgspec.convert(told, Memory)
        except msgspec.ValidationError:  # several nodes
            return None


def _states(flat: list[bytes]) -> dict[str, SourceState]:
    """Return the pairs that a script answers one after the other; a damaged one is left out."""
    pairs = (
        (name.decode(), codec.readable(data, SourceState)) for name, data in zip(flat[::2], flat[1::2], strict=True)
    )
    return {name: state for name, state in pairs if state}
