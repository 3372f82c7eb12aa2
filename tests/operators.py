"""What may be done beyond reading, as the composition root hands it in, and a client that shows a token."""

from __future__ import annotations

import base64
import contextlib
import os
from collections.abc import AsyncIterator

import httpx

from catalog_service.access.doorkeeper import Doorkeeper
from catalog_service.access.issuing import NewToken, TokenDesk
from catalog_service.api.actions import Actions, Ran
from catalog_service.store.connect import Store
from catalog_service.subscriptions.desk import Desk
from catalog_service.sync.asked import sync_asked
from catalog_service.sync.held import accept, reject
from catalog_service.sync.rollback import rollback
from schema.access import Scope
from scrapers.upstream import Response
from tests.api_client import catalog_client
from tests.desks import desk_of
from tests.local_source import Clock, local_source

TOKEN = "a-token-of-32-characters-or-more"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


class Unmodified:
    """An upstream that has nothing new."""

    async def get(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, accept: str = "*/*"
    ) -> Response | None:
        return None


def operator_actions(
    store: Store,
    desk: Desk | None = None,
    *,
    token: str = TOKEN,
    clock: Clock | None = None,
    anonymous_read: bool = True,
    reloaded_after_s: float = 3.0,
) -> Actions:
    """Return them; a sync reads nothing new."""
    clock = clock or Clock()

    async def sync(source: str, by: str, shown: str) -> Ran:
        found = await sync_asked(local_source(name=source), Unmodified(), store, clock, by, shown)
        return Ran(found.source, found.result, code=found.code, message=found.message)

    return Actions(
        Doorkeeper(store, token, anonymous_read=anonymous_read, clock=clock, reloaded_after_s=reloaded_after_s),
        sync,
        lambda id_, by, shown: accept(store, id_, by, clock, shown),
        lambda id_, by, shown: reject(store, id_, by, clock, shown),
        lambda name, number, by, shown: store.labels.set(name, number, by, clock(), shown),
        lambda name, by, shown: store.labels.delete(name, by, clock(), shown),
        lambda source, number, by, shown: rollback(store, source, number, by, clock, shown),
        desk or desk_of(store),
        TokenDesk(store, clock, os.urandom),
    )


@contextlib.asynccontextmanager
async def operator_client(store: Store, desk: Desk | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the catalogue with its three versions, that shows the token."""
    async with catalog_client(store, actions=operator_actions(store, desk)) as opened:
        opened.headers.update(SHOWN)
        yield opened


async def token_with(store: Store, *scopes: Scope, name: str = "a program", clock: Clock | None = None) -> str:
    """Return the secret of a new token."""
    desk = TokenDesk(store, clock or Clock(), os.urandom)
    return (await desk.create(NewToken(name, scopes), "ann", "cli")).secret


def basic(password: str, name: str = "ann") -> str:
    """Return what a browser shows of who logs in."""
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def shows(secret: str) -> dict[str, str]:
    """Return the header of who has a token."""
    return {"Authorization": f"Bearer {secret}"}
