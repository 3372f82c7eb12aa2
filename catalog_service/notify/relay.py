"""Relay: each event of the changeset stream goes into the queues of the subscriptions it matches.

Exactly once, however many workers relay: queues and the place reached move in one atomic step, and whoever comes
second starts over from there. Runs for as long as the service lives; called by `notifier`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from msgspec import Struct
from redis.exceptions import RedisError

from catalog_service.events.bodies import Bodies
from catalog_service.notify.rounds import due_at
from catalog_service.store.connect import Store
from catalog_service.store.queues import Addressed
from catalog_service.subscriptions.filters import filter_of, filters_by_name
from catalog_service.subscriptions.hearers import hearers
from catalog_service.subscriptions.ids import parcel_told
from schema.errors import CatalogError, StoreError
from schema.event import Event, Notice, Place
from schema.subscription import EventFilter, QueueItem, Status, Subscription

_READ = 50
_BLOCK_MS = 4000
_RETRY_S = 1.0
_log = structlog.get_logger()


class Relay(Struct, frozen=True):
    """What relaying needs."""

    store: Store
    bodies: Bodies

    async def run(self, relayed: Callable[[], None]) -> None:
        """Relay until cancelled, calling ``relayed`` after each event; what goes wrong is logged and tried again."""
        while True:
            try:
                await self.store.queues.skip(await self.store.events.newest())
                while True:
                    if not await self.once(relayed):
                        await self.store.events.wait(await self.store.queues.relayed(), _BLOCK_MS)
            except (RedisError, OSError, CatalogError) as error:
                _log.warning("events cannot be handed on, they wait", error=str(error))
                await asyncio.sleep(_RETRY_S)
            except Exception:  # noqa: BLE001 - deliveries go on meanwhile
                _log.exception("events cannot be handed on, they wait")
                await asyncio.sleep(_RETRY_S)

    async def once(self, relayed: Callable[[], None] = lambda: None) -> int:
        """Relay what is there now; how many events that were."""
        place, count = await self.store.queues.relayed(), 0
        for event in await self.store.events.after(place, _READ):
            if not await self._hand_out(place, event):
                return count + 1  # by somebody else: start over from where it is now
            place, count = event.place, count + 1
            relayed()
        return count

    async def _hand_out(self, before: Place, event: Event) -> bool:
        item = QueueItem(await parcel_told(self.store, event), event.type, event.at)
        saved = await filters_by_name(self.store)
        every, may_hear = await self.store.subscriptions.all(), await hearers(self.store, event)
        wanting = [one for one in every if one.status is not Status.UNVERIFIED and may_hear(one)]
        asked = [await self._addressed(one, item, event.notice, filter_of(one, saved)) for one in wanting]
        return await self.store.queues.relay(before, event.place, [one for one in asked if one])

    async def _addressed(
        self, subscription: Subscription, item: QueueItem, notice: Notice | None, wanted: EventFilter
    ) -> Addressed | None:
        """Return ``item`` for the queue of ``subscription``, None where ``wanted`` keeps nothing of it.

        One that cannot be asked holds up nobody: it gets the item, and its deliveries say what is wrong.
        """
        try:
            if not await self.bodies.body(item.parcel, notice, wanted, subscription.payload):
                return None
            return Addressed(subscription.id, item, due_at(subscription, item))
        except (RedisError, OSError, StoreError):
            raise  # not its fault: all wait
        except Exception:  # noqa: BLE001 - one subscription's trouble is not the others'
            _log.exception("an event cannot be matched", subscription=subscription.id, place=str(item.parcel.first))
            return Addressed(subscription.id, item, item.at)
