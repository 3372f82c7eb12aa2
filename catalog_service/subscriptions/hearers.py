"""Who may hear of an event: of what is published everybody, of how a subscription fares who manages it.

In: an event of the stream. Out: owners of subscriptions, as they stand now. Called by notify and by replays, before
anything is queued.
"""

from __future__ import annotations

from collections.abc import Callable

from catalog_service.access.identity import included
from catalog_service.store.connect import Store
from schema.access import Scope
from schema.event import Event, EventType
from schema.subscription import Subscription


async def hearers(store: Store, event: Event) -> Callable[[Subscription], bool]:
    """Return what tells whether a subscription may be told of ``event``.

    That one was disabled is for its owner's others, for those of tokens that may operate, and for those that no token
    made.
    """
    if event.type is not EventType.DISABLED or event.notice is None:
        return lambda _: True
    tokens = (await store.tokens.by_digest()).values()
    operators = {token.name for token in tokens if Scope.OPERATE in included(token.scopes)}
    owners = {"", await store.subscriptions.owner(event.notice.subject), *operators}
    return lambda one: one.owner in owners
