"""Messages and their bytes for many subscriptions, made once for all that share a filter.

In: a `Parcel`, and what a subscription asks for. Out: a `Rendered`, or None. Called by notify's senders.
"""

from __future__ import annotations

import asyncio
from functools import partial

from msgspec import Struct

from catalog_service.events.committed import committed
from catalog_service.events.judgements import Judgements
from catalog_service.events.links import Origin
from catalog_service.events.messages import encoded, noticed
from catalog_service.flights import Flights
from catalog_service.views.events import Message
from schema.event import Notice
from schema.subscription import EventFilter, Parcel, Payload

_KEPT = 1024
_IN_PLACE = 300
"""So many changes are asked about in 1 ms or less; a thread of its own costs 0.1 ms."""


class Rendered(Struct, frozen=True):
    """A message, and the body of a webhook by Standard Webhooks."""

    message: Message
    body: bytes


_Name = tuple[Parcel, EventFilter, Payload]


class Bodies:
    """Messages of one process; the last ones are kept, at most 20 kB each."""

    def __init__(self, judgements: Judgements, origin: Origin) -> None:
        self._judgements = judgements
        self._origin = origin
        self._flights: Flights[Rendered | None] = Flights(_KEPT)

    async def body(
        self, parcel: Parcel, notice: Notice | None, wanted: EventFilter, payload: Payload
    ) -> Rendered | None:
        """Return what ``wanted`` keeps of ``parcel``, which is about ``notice`` or else about versions; None: nothing.

        Raises:
            UnknownVersionError: none of its source's versions is in it.
        """
        name = (parcel, wanted, payload)
        return await self._flights.once(name, partial(self._made, name, notice))

    async def _made(self, name: _Name, notice: Notice | None) -> Rendered | None:
        parcel, wanted, payload = name
        message = noticed(notice, wanted, self._origin) if notice else await self._committed(parcel, wanted, payload)
        return Rendered(message, encoded(message)) if message else None

    async def _committed(self, parcel: Parcel, wanted: EventFilter, payload: Payload) -> Message | None:
        told = await self._judgements.told(parcel)
        work = partial(committed, told, wanted, payload, self._origin)
        return work() if told.judged is None or len(told.judged.pairs) <= _IN_PLACE else await asyncio.to_thread(work)
