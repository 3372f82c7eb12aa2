"""Subscriptions and how deliveries to them go.

Each change is one atomic step with its audit entry, made only to what it started from. Called by the desk of
subscriptions and by notify.
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace
from redis.asyncio import Redis

from catalog_service.store import codec, keys, tell
from catalog_service.store.audit import log_audit, packed
from catalog_service.store.leases import Ask, Script
from schema.errors import BadParameterError, UnknownSubscriptionError
from schema.subscription import Delivery, Health, QueueItem, Sealed, Standing, Subscription
from schema.version import AuditEntry

MOST = 10_000
_AS_IT_IS = (b"", b"", b"")


class Subscriptions:
    """Subscriptions in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._ask: Ask = redis.execute_command
        self._subscribe: Script = redis.register_script(tell.SUBSCRIBE)
        self._reseal: Script = redis.register_script(tell.RESEAL)
        self._unsubscribe: Script = redis.register_script(tell.UNSUBSCRIBE)
        self._standings: Script = redis.register_script(tell.STANDINGS)

    async def all(self) -> tuple[Subscription, ...]:
        """Return every subscription, oldest first; a damaged one is left out."""
        found = [codec.readable(data, Subscription) for data in await self._ask("HVALS", keys.SUBSCRIPTIONS)]
        return tuple(sorted((one for one in found if one), key=lambda one: (one.created_at, one.id)))

    async def count(self) -> int:
        """Return how many there are."""
        return int(await self._ask("HLEN", keys.SUBSCRIPTIONS))

    async def get(self, id_: str) -> Subscription:
        """Return the subscription ``id_``. Raises UnknownSubscriptionError."""
        data = await self._ask("HGET", keys.SUBSCRIPTIONS, id_)
        if data is None:
            raise unknown(id_)
        return codec.unpack(data, Subscription)

    async def owner(self, id_: str) -> str:
        """Return whose ``id_`` is; empty: nobody's, or it is gone or damaged."""
        data = await self._ask("HGET", keys.SUBSCRIPTIONS, id_)
        found = codec.readable(data, Subscription) if data else None
        return found.owner if found else ""

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

    async def reseal(
        self, changed: tuple[tuple[str, Sealed, Sealed], ...], signing: tuple[bytes, bytes] | None, entry: AuditEntry
    ) -> bool:
        """Put what was sealed anew in the place of what it was: ids with both, and the sealed signing key's both.

        False, and nothing is written, where any of it is another by now.
        """
        flat = [part for id_, before, after in changed for part in (id_, codec.pack(before), codec.pack(after))]
        names, key = [keys.SEALED, keys.SIGNING_KEY, keys.AUDIT], signing or (b"", b"")
        done = bool(await self._reseal(keys=names, args=[*key, packed(entry), *flat]) == b"OK")
        log_audit(entry if done else None)
        return done

    async def delete(self, before: Subscription, entry: AuditEntry) -> bool:
        """Delete ``before`` and all that is known of it; False where it is not that any more."""
        id_ = before.id
        names = [
            *(keys.SUBSCRIPTIONS, keys.SEALED, keys.HEALTHS, keys.DROPPED, keys.TRYING, keys.DUE, keys.CLAIMS),
            *(keys.queue(id_), keys.deliveries(id_), keys.logged(id_), keys.dead(id_), keys.AUDIT),
        ]
        done = bool(await self._unsubscribe(keys=names, args=[id_, codec.pack(before), packed(entry)]) == b"OK")
        log_audit(entry if done else None)
        return done

    async def health(self, id_: str) -> Health:
        """Return how deliveries to ``id_`` go."""
        data = await self._ask("HGET", keys.HEALTHS, id_)
        return codec.unpack(data, Health) if data else Health()

    async def standings(self) -> tuple[Standing, ...]:
        """Return every subscription and how it is, as of one moment, oldest first; a damaged one is left out."""
        names = [keys.SUBSCRIPTIONS, keys.HEALTHS, keys.DROPPED, keys.DUE]
        found = await self._standings(keys=names, args=[keys.queue(""), keys.dead("")])
        healths, dropped, due = (_by_id(flat) for flat in found[1:4])
        every = []
        for data, waiting_count, dead_count in zip(found[0], *found[4:], strict=True):
            if (one := codec.readable(data, Subscription)) is None:
                continue
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
            outcome = b"OK"  # sent again after a lost reply
        log_audit(entry if outcome == b"OK" else None)
        return outcome

    async def _fresh(self, id_: str) -> tuple[bytes, bytes, bytes]:
        """Return how deliveries to ``id_`` go, without failures; what is retried, and the same without its attempts.

        It is retried all the same: what was tried keeps its id, and becomes part of no round.
        """
        health = replace(await self.health(id_), failing_since=None, error="")
        data: bytes = await self._ask("HGET", keys.TRYING, id_) or b""
        tried = codec.readable(data, Delivery) if data else None
        return codec.pack(health), data, codec.pack(replace(tried, attempts=(), next_at=None)) if tried else b""

    async def _is_there(self, after: Subscription, secrets: bytes) -> bool:
        """Tell whether ``after`` is stored, with ``secrets`` unless they are empty."""
        if await self._ask("HGET", keys.SUBSCRIPTIONS, after.id) != codec.pack(after):
            return False
        return not secrets or bool(await self._ask("HGET", keys.SEALED, after.id) == secrets)


def unknown(id_: str) -> UnknownSubscriptionError:
    """Return what is said of a subscription that there is not."""
    return UnknownSubscriptionError(f"there is no subscription {id_[:80]!r}", parameter="id", value=id_[:80])


def _by_id(flat: list[bytes]) -> dict[str, bytes]:
    """Return the pairs that a script answers one after the other."""
    return {id_.decode(): value for id_, value in zip(flat[::2], flat[1::2], strict=True)}
