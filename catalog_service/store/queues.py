"""The queues of subscriptions: what each is still to be told, who has it in hand, and what came of it.

Each step is one script of `tell`. The order of a queue is the order of its deliveries; ids of items make equal items
equal deliveries. Called by notify; the desk of subscriptions puts pings and replays in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain

import structlog
from msgspec import Struct
from redis.asyncio import Redis

from catalog_service.store import codec, keys, tell
from catalog_service.store.audit import log_audit, packed
from catalog_service.store.leases import Ask, Script
from schema.errors import BadParameterError, CorruptContentError, UnknownSubscriptionError
from schema.event import EventType, Notice, Place, place_of
from schema.subscription import Delivery, DeliveryState, Health, QueueItem, Sealed, Subscription
from schema.version import AuditEntry

QUEUE_MOST = 10_000
DEAD_KEPT = 1_000
DELIVERIES_KEPT = 50
_MOST_READ = 20_000
_log = structlog.get_logger()


class Addressed(Struct, frozen=True):
    """An item for one subscription's queue, and when to look at it."""

    subscription: str
    item: QueueItem
    due_at: datetime


class Claim(Struct, frozen=True):
    """A subscription in a sender's hand."""

    token: str
    seen: bytes
    """The subscription as it is stored: a settlement that changes it starts from this."""
    subscription: Subscription
    sealed: Sealed | None
    health: Health
    trying: Delivery | None
    head: bytes
    """The head of the queue as stored."""
    item: QueueItem
    """The same, read."""


class Claimed(Struct, frozen=True):
    """What a round of claiming found."""

    claims: tuple[Claim, ...]
    next_at: datetime | None
    """When the next subscription is due; None: none is."""


class Settlement(Struct, frozen=True):
    """What came of the head of a claimed queue."""

    claim: Claim
    now: datetime
    health: Health
    is_done: bool
    """It leaves the queue."""
    delivery: Delivery | None = None
    """To be logged; None: nobody needs to know."""
    due_at: datetime | None = None
    """When to try again, where it is not done."""
    after: Subscription | None = None
    """The subscription, where it is changed with it."""
    notice: Notice | None = None
    """Put into the changeset stream with that change."""


class Queues:
    """Queues in Redis. ``deliveries_kept``: how many deliveries of each subscription are logged."""

    def __init__(self, redis: Redis, deliveries_kept: int) -> None:
        self._ask: Ask = redis.execute_command
        self._kept = deliveries_kept
        self._relay: Script = redis.register_script(tell.RELAY)
        self._claim: Script = redis.register_script(tell.CLAIM)
        self._rest: Script = redis.register_script(tell.REST)
        self._settle: Script = redis.register_script(tell.SETTLE)
        self._put: Script = redis.register_script(tell.ASK)

    async def relayed(self) -> Place:
        """Return the place of the last event that was handed to queues."""
        data = await self._ask("GET", keys.RELAYED)
        return (place_of(data.decode()) if data else None) or Place(0)

    async def relay(self, before: Place, after: Place, items: Sequence[Addressed]) -> bool:
        """Hand ``items`` of the events past ``before`` up to ``after`` out; False: somebody else did already.

        A queue beyond 10,000 items loses its oldest, which is counted (`dropped`).
        """
        names = [keys.RELAYED, keys.DUE, keys.DROPPED, *(keys.queue(one.subscription) for one in items)]
        arguments: list[str | bytes | int] = [str(before), str(after), QUEUE_MOST]
        packed_item, data = None, b""
        for one in items:
            if one.item is not packed_item:  # the event is the same in all queues
                packed_item, data = one.item, codec.pack(one.item)
            arguments += [one.subscription, data, _ms(one.due_at)]
        return bytes(await self._relay(keys=names, args=arguments)) == b"OK"

    async def skip(self, to: Place) -> None:
        """Begin at ``to`` where nothing was ever relayed: whoever subscribes is told what comes from then on."""
        await self._ask("SET", keys.RELAYED, str(to), "NX")

    async def claim(self, token: str, now: datetime, until: datetime, count: int) -> Claimed:
        """Claim up to ``count`` subscriptions that are due and have something waiting, until ``until``."""
        names = [keys.DUE, keys.CLAIMS, keys.SUBSCRIPTIONS, keys.SEALED, keys.HEALTHS, keys.TRYING]
        next_at, *found = await self._claim(keys=names, args=[token, _ms(now), _ms(until), count, keys.queue("")])
        claims = (_claimed(token, *one) for one in found)
        return Claimed(tuple(claim for claim in claims if claim), _moment(next_at))

    async def waiting(self, subscription: str) -> tuple[bytes, ...]:
        """Return the whole queue of ``subscription``, as stored."""
        return tuple(await self._ask("LRANGE", keys.queue(subscription), 0, -1))

    async def rest(
        self,
        claim: Claim,
        now: datetime,
        due_at: datetime | None,
        *,
        removed: Sequence[bytes] = (),
        put: Sequence[QueueItem] = (),
    ) -> None:
        """Give ``claim`` back without an attempt, to be looked at again at ``due_at``; None: when something comes.

        ``put`` comes to the head of the queue, in place of ``removed``.
        """
        id_ = claim.subscription.id
        at = _ms_past(due_at) if due_at and due_at > now else _ms(now) if due_at else ""
        items = [*removed, *map(codec.pack, put)]
        arguments = [id_, claim.token, claim.seen, claim.head, at, _ms(now), len(removed), *items]
        await self._rest(keys=[keys.DUE, keys.CLAIMS, keys.SUBSCRIPTIONS, keys.queue(id_)], args=arguments)

    async def settle(self, settlements: Sequence[Settlement], now: datetime) -> tuple[bool, ...]:
        """Write what came of each; False for one whose claim was over: it is done again, under the same id."""
        names = [keys.DUE, keys.CLAIMS, keys.SUBSCRIPTIONS, keys.HEALTHS, keys.TRYING, keys.EVENTS, keys.HEAD]
        prefixes = (keys.queue(""), keys.deliveries(""), keys.logged(""), keys.dead(""))
        told = b"".join(_framed(chain.from_iterable(map(_settled, settlements))))
        answers = await self._settle(keys=names, args=[told, _ms(now), self._kept, DEAD_KEPT, *prefixes])
        return tuple(map(bool, answers))

    async def put(
        self, subscription: str, items: Sequence[QueueItem], now: datetime, entry: AuditEntry, *, front: bool
    ) -> None:
        """Put ``items`` into the queue of ``subscription``, all or none.

        Raises:
            UnknownSubscriptionError
            BadParameterError: with them its queue would hold over 10,000.
        """
        names = [keys.SUBSCRIPTIONS, keys.queue(subscription), keys.DUE, keys.CLAIMS, keys.AUDIT]
        arguments = [subscription, int(front), _ms(now), QUEUE_MOST, packed(entry), *map(codec.pack, items)]
        outcome = bytes(await self._put(keys=names, args=arguments))
        if outcome == b"GONE":
            raise UnknownSubscriptionError(f"there is no subscription {subscription!r}", parameter="id")
        if outcome == b"FULL":
            raise BadParameterError(f"{subscription} can have {QUEUE_MOST:,} waiting: no more fit", parameter="replay")
        log_audit(entry)

    async def counts(self, subscription: str) -> tuple[int, int]:
        """Return how many items wait for ``subscription``, and how many its full queue lost."""
        waiting = await self._ask("LLEN", keys.queue(subscription))
        return int(waiting), int(await self._ask("HGET", keys.DROPPED, subscription) or 0)

    async def due_at(self, subscription: str) -> datetime | None:
        """Return when ``subscription`` is looked at next, None: when something comes."""
        return _moment(await self._ask("ZSCORE", keys.DUE, subscription) or b"")


def _settled(one: Settlement) -> tuple[str | bytes | int, ...]:
    """Return ``one`` in the order that SETTLE unpacks."""
    delivery, claim = one.delivery, one.claim
    return (
        *(claim.subscription.id, claim.token, claim.head, int(one.is_done)),
        int(claim.trying is not None and (delivery is None or delivery.id == claim.trying.id)),
        *(_ms_past(one.due_at or one.now), codec.pack(one.health)),
        *((delivery.id, codec.pack(delivery)) if delivery else ("", b"")),
        int(delivery is not None and _is_dead(delivery)),
        *((claim.seen, codec.pack(one.after)) if one.after else (b"", b"")),
        packed(one.notice),
    )


def _is_dead(delivery: Delivery) -> bool:
    """Tell whether ``delivery`` waits for a person to replay it; a ping is tested anew instead."""
    return delivery.state is DeliveryState.DEAD and delivery.type is not EventType.PING


def _framed(fields: Iterable[str | bytes | int]) -> Iterator[bytes]:
    for field in fields:
        data = field if isinstance(field, bytes) else str(field).encode()
        yield len(data).to_bytes(4, "big")
        yield data


_read = lru_cache(_MOST_READ)(codec.unpack)
"""What was read before is the same object: the same event waits in a thousand queues."""


def _claimed(
    token: str, id_: bytes, subscription: bytes, sealed: bytes, health: bytes, trying: bytes, head: bytes
) -> Claim | None:
    """Return what was claimed; None where it is damaged: the others go on."""
    try:
        return Claim(
            token,
            subscription,
            _read(subscription, Subscription),
            _read(sealed, Sealed) if sealed else None,
            codec.unpack(health, Health) if health else Health(),
            codec.unpack(trying, Delivery) if trying else None,
            head,
            _read(head, QueueItem),
        )
    except CorruptContentError as error:
        _log.error("a subscription is damaged and told nothing", subscription=id_.decode(), error=str(error))
        return None


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _ms_past(at: datetime) -> int:
    """Return the first millisecond at which ``at`` is over: who looks then need not look again."""
    return math.ceil(at.timestamp() * 1000)


def _moment(ms: bytes) -> datetime | None:
    return datetime.fromtimestamp(float(ms) / 1000, UTC) if ms else None
