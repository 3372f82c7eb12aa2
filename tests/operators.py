"""What an operator may have done, as the composition root hands it in, and a client that shows the token."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import httpx

from catalog_service.api.actions import Actions, Ran
from catalog_service.store.connect import Store
from catalog_service.subscriptions.desk import Desk
from catalog_service.sync.held import accept, reject
from catalog_service.sync.rollback import rollback
from tests.api_client import catalog_client
from tests.desks import desk_of
from tests.local_source import Clock

TOKEN = "a-token-of-32-characters-or-more"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


def operator_actions(
    store: Store, desk: Desk | None = None, *, token: str = TOKEN, clock: Clock | None = None
) -> Actions:
    """Return them; a sync only says that it ran."""
    clock = clock or Clock()

    async def sync(source: str) -> Ran:
        return Ran(source, "unchanged")

    return Actions(
        token,
        sync,
        lambda id_, by: accept(store, id_, by, clock),
        lambda id_, by: reject(store, id_, by, clock),
        lambda name, number, by: store.labels.set(name, number, by, clock()),
        lambda name, by: store.labels.delete(name, by, clock()),
        lambda source, number, by: rollback(store, source, number, by, clock),
        desk or desk_of(store),
    )


@contextlib.asynccontextmanager
async def operator_client(store: Store, desk: Desk | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the catalogue with its three versions, that shows the token."""
    async with catalog_client(store, actions=operator_actions(store, desk)) as opened:
        opened.headers.update(SHOWN)
        yield opened
