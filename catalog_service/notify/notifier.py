"""The notifier: what is due in the queues of subscriptions is sent, many at once, each subscription's in order.

A subscription is claimed, the head of its queue is sent and settled, and the claim given back with what came of it. A
worker that dies at any point leaves a claim that ends: the same delivery is sent again, under the same id. Several
workers may run it. A receiver that is slow leaves the fast lane after a moment, so that it holds up nobody else.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta

import structlog
from redis.exceptions import RedisError

from catalog_service.notify.counted import count_attempt
from catalog_service.notify.lanes import Lanes
from catalog_service.notify.relay import Relay
from catalog_service.notify.rounds import due_at, round_of, waits
from catalog_service.notify.sender import Sender
from catalog_service.notify.settler import Settler
from catalog_service.notify.settling import Tried, nothing_told, settled
from catalog_service.store import codec
from catalog_service.store.connect import Store
from catalog_service.store.queues import Claim
from catalog_service.subscriptions.ids import delivery_id
from catalog_service.tasks import stop, to_the_end
from catalog_service.tracing import client_span
from schema.clock import Clock, Random, RandomBytes
from schema.errors import CatalogError, StoreError
from schema.event import EventType
from schema.subscription import Attempt, QueueItem, Status

CLAIM_FOR = timedelta(seconds=60)
"""Four times what an attempt may take: after that its worker is taken for dead."""
_CLAIMED_AT_ONCE = 100
_CROWDED_FOR = timedelta(seconds=5)
_IDLE_S = 1.0
_GRACE_S = 4.0
_GIVE_BACK_S = 1.0
_log = structlog.get_logger()


class Notifier:
    """One worker."""

    def __init__(
        self,
        store: Store,
        relay: Relay,
        sender: Sender,
        clock: Clock,
        chance: Random,
        random_bytes: RandomBytes,
        claim_for: timedelta = CLAIM_FOR,
        grace_s: float = _GRACE_S,
    ) -> None:
        self._store = store
        self._relay = relay
        self._sender = sender
        self._clock = clock
        self._chance = chance
        self._random_bytes = random_bytes
        self._claim_for = claim_for
        self._grace_s = grace_s
        self._lanes = Lanes()
        self._settler = Settler(store.queues, clock, claim_for, self._lanes.stir)
        self._running: dict[asyncio.Task[None], Claim] = {}

    async def run(self) -> None:
        """Relay and send until cancelled; what is on its way then is finished, for up to ``grace_s``."""
        relaying = asyncio.create_task(self._relay.run(self._lanes.stir))
        settling = asyncio.create_task(self._settler.run())
        sending = asyncio.create_task(self._send())
        try:
            await asyncio.gather(relaying, settling, sending)
        finally:
            await to_the_end(self._end(settling, relaying, sending))

    async def once(self) -> None:
        """Relay and send all that is due now; return when it is settled."""
        while await self._relay.once() or await self._claim_some() <= 0 or self._running:
            if self._running:
                await asyncio.wait(self._running)
            await self._settler.flush()

    async def _end(self, settling: asyncio.Task[None], *others: asyncio.Task[None]) -> None:
        """Begin nothing more; what is not through after ``grace_s`` is given back: another worker need not wait."""
        await stop(*others)
        if self._running:
            await asyncio.wait(self._running, timeout=self._grace_s)
        left = tuple(self._running.values())
        await stop(*self._running)
        await stop(settling)
        with contextlib.suppress(RedisError, OSError):
            async with asyncio.timeout(_GIVE_BACK_S):  # Redis may be going down too
                await self._settler.flush()
                for claim in left:
                    await self._store.queues.rest(claim, now := self._clock(), now)

    async def _send(self) -> None:
        """Claim what is due, and start sending it, for ever."""
        while True:
            await self._lanes.room()
            self._lanes.still()
            try:
                pause_s = await self._claim_some()
            except (RedisError, OSError, CatalogError) as error:
                _log.warning("cannot look for deliveries", error=str(error))
                pause_s = _IDLE_S
            except Exception:  # noqa: BLE001 - whatever it is, subscribers of other things go on being told
                _log.exception("cannot look for deliveries")
                pause_s = _IDLE_S
            if pause_s > 0:
                await self._lanes.stirred(pause_s)

    async def _claim_some(self) -> float:
        """Start what is due; return for how many seconds nothing else is."""
        now, most = self._clock(), min(_CLAIMED_AT_ONCE, self._lanes.free)
        token = self._random_bytes(16).hex()
        found = await self._store.queues.claim(token, now, now + self._claim_for, most)
        for claim in found.claims:
            task = asyncio.create_task(self._in_lane(claim))
            self._running[task] = claim
            task.add_done_callback(self._running.pop)
        if found.next_at is None:
            return _IDLE_S
        return min(_IDLE_S, (found.next_at - self._clock()).total_seconds())

    async def _in_lane(self, claim: Claim) -> None:
        host = claim.subscription.url.partition("://")[2].partition("/")[0]
        with self._lanes.used(host):
            try:
                await self._work(claim, host)
            except (RedisError, OSError, StoreError) as error:
                _log.warning("a delivery cannot go on, its claim ends", error=str(error))
            except Exception as error:  # noqa: BLE001 - one subscription's trouble is not the others'
                _log.exception("a delivery failed", subscription=claim.subscription.id)
                failed = Attempt(self._clock(), 0, error=f"the catalogue itself failed: {type(error).__name__}")
                self._settle(claim, delivery_id(claim.subscription.id, claim.item), Tried(failed))

    async def _work(self, claim: Claim, host: str) -> None:
        """Send the head of the claimed queue and settle it, or give the claim back."""
        now, queues = self._clock(), self._store.queues
        if not _may_be_sent(claim):
            await queues.rest(claim, now, None)
            return
        item = claim.item
        id_ = delivery_id(claim.subscription.id, item)
        tried = claim.trying if claim.trying and claim.trying.id == id_ else None
        if tried and tried.next_at and tried.next_at > now:
            await queues.rest(claim, now, tried.next_at)
        elif waits(claim.subscription, item) and not tried:  # what was tried keeps its id, whatever was edited since
            await self._wait(claim, item, now)
        elif self._lanes.crowded(host):
            await queues.rest(claim, now, now + _CROWDED_FOR)
        else:
            with client_span("delivery", delivery=id_, channel=claim.subscription.channel.value) as traced:
                sent = await self._sender.send(claim, id_)
                traced.set_attribute("catalog.sent", sent is not None and not sent.attempt.error)
            self._settle(claim, id_, sent)

    def _settle(self, claim: Claim, id_: str, tried: Tried | None) -> None:
        now = self._clock()
        told = settled(claim, id_, tried, now, self._chance()) if tried else nothing_told(claim, id_, now)
        self._settler.add(told)
        count_attempt(told, id_, tried)

    async def _wait(self, claim: Claim, item: QueueItem, now: datetime) -> None:
        """Give the claim back until ``item`` is due; then make what waits a round."""
        queues, due = self._store.queues, due_at(claim.subscription, item)
        if due > now:
            await queues.rest(claim, now, due)
            return
        waiting = [
            (data, one)
            for data in await queues.waiting(claim.subscription.id)
            if not (one := codec.unpack(data, QueueItem)).settled  # notices among them too: all in one order
        ]
        put = round_of(claim.subscription, tuple(one for _, one in waiting))
        await queues.rest(claim, now, now, removed=[data for data, _ in waiting], put=put)


def _may_be_sent(claim: Claim) -> bool:
    return claim.subscription.status is Status.ACTIVE or claim.item.type is EventType.PING
