"""Subscriptions, how deliveries to them go, the filters they share and the key that signs.

Each change is one atomic step with its audit entry, made only to what it started from. Called by the desk of
subscriptions, by notify and by the API.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog
from msgspec import Struct
from msgspec.structs import replace
from redis.asyncio import Redis

from catalog_service.store import codec, keys, tell
from catalog_service.store.audit import packed
from catalog_service.store.leases import Ask
from schema.errors import BadParameterError, CorruptContentError, StaleHeadError, UnknownSubscriptionError
from schema.subscription import Delivery, Health, QueueItem, SavedFilter, Sealed, Subscription
from schema.version import AuditEntry

MOST = 10_000
_MOST_FILTERS = 1_000
_Script = Callable[..., Awaitable[Any]]
_Kept = TypeVar("_Kept", Subscription, SavedFilter, Delivery)
_AS_IT_IS = (b"", b"", b"")
_log = structlog.get_logger()


class Standing(Struct, frozen=True):
    """A subscription and how it is."""

    subscription: Subscription
    health: Health
    waiting_count: int
    dropped_count: int
    """Items that its full queue lost."""
    dead_count: int
    """Deliveries that were given up and not replayed since."""
    due_at: datetime | None
    """When its queue is looked at next, None: when something comes."""


class Subscriptions:
    """Subscriptions in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._ask: Ask = redis.execute_command
        self._subscribe: _Script = redis.register_script(tell.SUBSCRIBE)
        self._unsubscribe: _Script = redis.register_script(tell.UNSUBSCRIBE)
        self._standings: _Script = redis.register_script(tell.STANDINGS)

    async def all(self) -> tuple[Subscription, ...]:
        """Return every subscription, oldest first; a damaged one is left out."""
        found = [_readable(data, Subscription) for data in await self._ask("HVALS", keys.SUBSCRIPTIONS)]
        return tuple(sorted((one for one in found if one), key=lambda one: (one.created_at, one.id)))

    async def count(self) -> int:
        """Return how many there are."""
        return int(await self._ask("HLEN", keys.SUBSCRIPTIONS))

    async def get(self, id_: str) -> Subscription:
        """Return the subscription ``id_``. Raises UnknownSubscriptionError."""
        data = await self._ask("HGET", keys.SUBSCRIPTIONS, id_)
        if data is None:
            raise UnknownSubscriptionError(f"there is no subscription {id_[:80]!r}", parameter="id", value=id_[:80])
        return codec.unpack(data, Subscription)

    async def sealed(self, id_: str) -> Sealed | None:
        """Return the sealed secrets of ``id_``, None where it has none."""
        data = await self._ask("HGET", keys.SEALED, id_)
        return codec.unpack(data, Sealed) if data else None

    async def any_sealed(self) -> tuple[str, Sealed] | None:
        """Return one of the subscriptions that have secrets, with them: to see whether they can be opened."""
        _, found = await self._ask("HSCAN", keys.SEALED, 0, "COUNT", 1)
        return next(((id_.decode(), codec.unpack(data, Sealed)) for id_, data in found.items()), None)

    async def every_sealed(self) -> tuple[tuple[str, Sealed], ...]:
        """Return all that have secrets, with them."""
        found = await self._ask("HGETALL", keys.SEALED)
        return tuple((id_.decode(), codec.unpack(data, Sealed)) for id_, data in found.items())

    async def add(self, made: Subscription, sealed: Sealed | None, asked: QueueItem | None, entry: AuditEntry) -> None:
        """Add ``made``, with what it is to be asked first. Raises BadParameterError: there are 10,000."""
        outcome = await self._written(b"", made, None, sealed, asked, entry, made.created_at)
        if outcome == b"FULL":
            raise BadParameterError(f"there are {MOST} subscriptions: no more are taken", parameter="subscriptions")

    async def replace(
        self,
        before: Subscription,
        after: Subscription,
        entry: AuditEntry,
        *,
        read: Sealed | None = None,
        sealed: Sealed | None = None,
        asked: QueueItem | None = None,
        anew: bool = False,
    ) -> bool:
        """Put ``after`` in the place of ``before``; ``anew``: its failures are forgotten, and what waits is tried.

        ``sealed`` takes the place of what is sealed of it; ``read`` is what this was when ``after`` was decided on,
        None: nobody looked. False where it is not ``before`` or ``read`` any more: read both again.
        """
        fresh = await self._fresh(after.id) if anew else _AS_IT_IS
        return await self._written(codec.pack(before), after, read, sealed, asked, entry, entry.at, fresh) == b"OK"

    async def delete(self, before: Subscription, entry: AuditEntry) -> bool:
        """Delete ``before`` and all that is known of it; False where it is not that any more."""
        id_ = before.id
        names = [
            *(keys.SUBSCRIPTIONS, keys.SEALED, keys.HEALTHS, keys.DROPPED, keys.TRYING, keys.DUE, keys.CLAIMS),
            *(keys.queue(id_), keys.deliveries(id_), keys.logged(id_), keys.dead(id_), keys.AUDIT),
        ]
        outcome: bytes = await self._unsubscribe(keys=names, args=[id_, codec.pack(before), packed(entry)])
        return outcome == b"OK"

    async def health(self, id_: str) -> Health:
        """Return how deliveries to ``id_`` go."""
        data = await self._ask("HGET", keys.HEALTHS, id_)
        return codec.unpack(data, Health) if data else Health()

    async def standings(self) -> tuple[Standing, ...]:
        """Return every subscription and how it is, as of one moment, oldest first."""
        names = [keys.SUBSCRIPTIONS, keys.HEALTHS, keys.DROPPED, keys.DUE]
        found = await self._standings(keys=names, args=[keys.queue(""), keys.dead("")])
        healths, dropped, due = (_by_id(flat) for flat in found[1:4])
        every = []
        for data, waiting_count, dead_count in zip(found[0], *found[4:], strict=True):
            one = codec.unpack(data, Subscription)
            health = codec.unpack(healths[one.id], Health) if one.id in healths else Health()
            due_at = datetime.fromtimestamp(float(due[one.id]) / 1000, UTC) if one.id in due else None
            every.append(Standing(one, health, waiting_count, int(dropped.get(one.id, 0)), dead_count, due_at))
        return tuple(sorted(every, key=lambda standing: (standing.subscription.created_at, standing.subscription.id)))

    async def _written(
        self,
        before: bytes,
        after: Subscription,
        read: Sealed | None,
        sealed: Sealed | None,
        asked: QueueItem | None,
        entry: AuditEntry,
        now: datetime,
        fresh: tuple[bytes, bytes, bytes] = _AS_IT_IS,
    ) -> bytes:
        id_ = after.id
        names = [keys.SUBSCRIPTIONS, keys.SEALED, keys.HEALTHS, keys.TRYING, keys.queue(id_), keys.DUE, keys.CLAIMS]
        seen, secrets, item = (codec.pack(one) if one else b"" for one in (read, sealed, asked))
        at = int(now.timestamp() * 1000)
        arguments = [id_, before, codec.pack(after), seen, secrets, item, *fresh, at, packed(entry), MOST]
        outcome: bytes = await self._subscribe(keys=[*names, keys.AUDIT], args=arguments)
        if outcome == b"MOVED" and await self._is_there(after, secrets or seen):
            return b"OK"  # sent again after a lost reply
        return outcome

    async def _fresh(self, id_: str) -> tuple[bytes, bytes, bytes]:
        """Return how deliveries to ``id_`` go, without failures; what is retried, and the same without its attempts.

        It is retried all the same: what was tried keeps its id, and becomes part of no round.
        """
        health = replace(await self.health(id_), failing_since=None, error="")
        data: bytes = await self._ask("HGET", keys.TRYING, id_) or b""
        tried = _readable(data, Delivery) if data else None
        return codec.pack(health), data, codec.pack(replace(tried, attempts=(), next_at=None)) if tried else b""

    async def _is_there(self, after: Subscription, secrets: bytes) -> bool:
        """Tell whether ``after`` is stored, with ``secrets`` unless they are empty."""
        if await self._ask("HGET", keys.SUBSCRIPTIONS, after.id) != codec.pack(after):
            return False
        return not secrets or bool(await self._ask("HGET", keys.SEALED, after.id) == secrets)


def _readable(data: bytes, type_: type[_Kept]) -> _Kept | None:
    try:
        return codec.unpack(data, type_)
    except CorruptContentError as error:  # one that is damaged is no reason to tell nobody anything
        _log.error("what is stored is damaged", error=str(error))
        return None


def _by_id(flat: list[bytes]) -> dict[str, bytes]:
    """Return the pairs that a script answers one after the other."""
    return {id_.decode(): value for id_, value in zip(flat[::2], flat[1::2], strict=True)}


class Deliveries:
    """The log of deliveries in Redis: the newest of each subscription, and those that were given up."""

    def __init__(self, redis: Redis) -> None:
        self._ask: Ask = redis.execute_command

    async def newest(self, subscription: str, count: int = 50, skip: int = 0) -> tuple[Delivery, ...]:
        """Return up to ``count`` deliveries after the newest ``skip``, newest first, dead ones among them."""
        orders = [
            await self._ask("ZREVRANGE", index(subscription), 0, skip + count - 1, "WITHSCORES")
            for index in (keys.logged, keys.dead)
        ]
        pairs = [(float(order[i + 1]), order[i]) for order in orders for i in range(0, len(order), 2)]
        ids = [id_ for _, id_ in sorted(pairs, reverse=True)[skip : skip + count]]
        return await self._read(subscription, ids)

    async def dead(self, subscription: str, count: int = 50) -> tuple[Delivery, ...]:
        """Return up to ``count`` deliveries that were given up, newest first."""
        return await self._read(subscription, await self._ask("ZREVRANGE", keys.dead(subscription), 0, count - 1))

    async def get(self, subscription: str, id_: str) -> Delivery:
        """Return one delivery. Raises UnknownSubscriptionError: it is not in the log."""
        data = await self._ask("HGET", keys.deliveries(subscription), id_)
        if data is None:
            message = f"the log of {subscription[:80]!r} has no delivery {id_[:80]!r}"
            raise UnknownSubscriptionError(message, parameter="delivery", value=id_[:80])
        return codec.unpack(data, Delivery)

    async def dead_count(self, subscription: str) -> int:
        """Return how many deliveries were given up and not replayed since."""
        return int(await self._ask("ZCARD", keys.dead(subscription)))

    async def _read(self, subscription: str, ids: list[bytes]) -> tuple[Delivery, ...]:
        found = await self._ask("HMGET", keys.deliveries(subscription), *ids) if ids else ()
        return tuple(codec.unpack(data, Delivery) for data in found if data)


class SavedFilters:
    """Filters with names, in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._ask: Ask = redis.execute_command
        self._filter: _Script = redis.register_script(tell.FILTER)

    async def all(self) -> tuple[SavedFilter, ...]:
        """Return every saved filter, sorted by name; a damaged one is left out."""
        found = [_readable(data, SavedFilter) for data in await self._ask("HVALS", keys.FILTERS)]
        return tuple(sorted((one for one in found if one), key=lambda one: one.name))

    async def get(self, name: str) -> SavedFilter:
        """Return the filter ``name``. Raises UnknownSubscriptionError."""
        if (data := await self._ask("HGET", keys.FILTERS, name)) is None:
            raise UnknownSubscriptionError(f"there is no filter {name[:80]!r}", parameter="filter", value=name[:80])
        return codec.unpack(data, SavedFilter)

    async def set(self, saved: SavedFilter, entry: AuditEntry) -> None:
        """Save a filter, in place of one with its name. Raises BadParameterError, StaleHeadError."""
        await self._written(saved.name, codec.pack(saved), entry)

    async def delete(self, name: str, entry: AuditEntry) -> SavedFilter:
        """Delete the filter ``name`` and return it. Raises UnknownSubscriptionError, StaleHeadError."""
        saved = await self.get(name)
        await self._written(name, b"", entry)
        return saved

    async def _written(self, name: str, after: bytes, entry: AuditEntry) -> None:
        before = await self._ask("HGET", keys.FILTERS, name) or b""
        if before == after:
            return
        arguments = [name, before, after, packed(entry), _MOST_FILTERS]
        outcome = await self._filter(keys=[keys.FILTERS, keys.AUDIT], args=arguments)
        if outcome == b"FULL":
            raise BadParameterError(f"there are {_MOST_FILTERS} filters: no more are taken", parameter="name")
        if outcome == b"MOVED" and (await self._ask("HGET", keys.FILTERS, name) or b"") != after:
            raise StaleHeadError(f"others changed the filter {name} meanwhile", filter=name)


class SigningKeys:
    """The catalogue's own signing key, sealed, in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._ask: Ask = redis.execute_command

    async def get(self) -> bytes | None:
        """Return the sealed key, None before the first use."""
        found: bytes | None = await self._ask("GET", keys.SIGNING_KEY)
        return found

    async def set_first(self, sealed: bytes) -> bytes:
        """Keep ``sealed`` unless there is a key already; return the one that is there."""
        await self._ask("SET", keys.SIGNING_KEY, sealed, "NX")
        return await self.get() or sealed
