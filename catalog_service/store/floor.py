"""The floor of what is kept: below it only labelled versions can still be read (docs/adr/0009).

Moved by `retention`. Asked before a point is read; called by `contents`, `labels` and the reader.
"""

from __future__ import annotations

from collections.abc import Iterable

from redis.asyncio import Redis

from catalog_service.store import codec, keys
from catalog_service.store.leases import Ask
from schema.errors import GoneError
from schema.version import Label, Point


class Floor:
    """The oldest live version that is kept for itself."""

    def __init__(self, redis: Redis) -> None:
        self._ask: Ask = redis.execute_command

    async def number(self) -> int:
        """Return the floor's number; 0: nothing was ever pruned."""
        return codec.number(await self._ask("GET", keys.FLOOR))

    async def dropped(self) -> frozenset[int]:
        """Return the numbers of the live versions whose content was pruned."""
        return frozenset(int(number) for number in await self._ask("ZRANGE", keys.GONE, 0, -1))

    async def dropped_count(self) -> int:
        """Return how many live versions' content was pruned."""
        return int(await self._ask("ZCARD", keys.GONE))

    async def check(self, point: Point, numbers: Iterable[int] = ()) -> None:
        """Let a point pass that is kept; ``numbers`` are those of its versions, wanted of an instant alone.

        Raises:
            GoneError: a live version below the floor that no label names; an instant at which one that was
                dropped was valid.
        """
        floor = await self.number()
        if not floor:
            return
        if point.as_of is not None:
            wanted = tuple(numbers)
            scores = await self._ask("ZMSCORE", keys.GONE, *wanted) if wanted else ()
            if gone := [number for number, score in zip(wanted, scores, strict=True) if score is not None]:
                raise await self.gone(max(gone))
        elif 0 < point.version < floor and point.version not in await self._labelled():
            raise await self.gone(point.version)

    async def gone(self, number: int) -> GoneError:
        """Return the error that says that version ``number`` was pruned, and which kept live one is nearest."""
        kept = {*await self._live(await self._labelled()), await self.number()}
        nearest = min(kept, key=lambda one: (abs(one - number), -one))
        message = f"version {number} was pruned; the nearest that is kept is {nearest}"
        return GoneError(message, parameter="at", version=number, nearest=nearest)

    async def _live(self, numbers: set[int]) -> list[int]:
        """Return those of ``numbers`` that are live: an imported one names an instant, near none of them."""
        scores = await self._ask("ZMSCORE", keys.LINE, *numbers) if numbers else ()
        return [number for number, score in zip(numbers, scores, strict=True) if score is not None]

    async def _labelled(self) -> set[int]:
        return {codec.unpack(data, Label).version for data in await self._ask("HVALS", keys.LABELS)}
