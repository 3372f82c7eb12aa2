"""The log of deliveries, as `Queues.settle` writes it. Called by the desk of subscriptions."""

from __future__ import annotations

from redis.asyncio import Redis

from catalog_service.store import codec, keys
from catalog_service.store.leases import Ask
from schema.errors import UnknownSubscriptionError
from schema.subscription import Delivery


class Deliveries:
    """The log of deliveries in Redis: the newest of each subscription, and those that were given up."""

    def __init__(self, redis: Redis) -> None:
        self._ask: Ask = redis.execute_command

    async def newest(self, subscription: str, count: int = 50) -> tuple[Delivery, ...]:
        """Return up to ``count`` deliveries, newest first, dead ones among them."""
        orders = [
            await self._ask("ZREVRANGE", index(subscription), 0, count - 1, "WITHSCORES")
            for index in (keys.logged, keys.dead)
        ]
        pairs = [(float(order[i + 1]), order[i]) for order in orders for i in range(0, len(order), 2)]
        ids = [id_ for _, id_ in sorted(pairs, reverse=True)[:count]]
        found = await self._ask("HMGET", keys.deliveries(subscription), *ids) if ids else ()
        return tuple(codec.unpack(data, Delivery) for data in found if data)

    async def get(self, subscription: str, id_: str) -> Delivery:
        """Return one delivery. Raises UnknownSubscriptionError: it is not in the log."""
        data = await self._ask("HGET", keys.deliveries(subscription), id_)
        if data is None:
            raise unlogged(subscription, id_)
        return codec.unpack(data, Delivery)

    async def dead_count(self, subscription: str) -> int:
        """Return how many deliveries were given up and not replayed since."""
        return int(await self._ask("ZCARD", keys.dead(subscription)))


def unlogged(subscription: str, id_: str) -> UnknownSubscriptionError:
    """Return what is said of a delivery that is not in a log."""
    message = f"the log of {subscription[:80]!r} has no delivery {id_[:80]!r}"
    return UnknownSubscriptionError(message, parameter="delivery", value=id_[:80])
