"""What may be done through the API beyond reading, made of sync and the store: `create_app` is handed it.

Built by the commands that serve real data; the demo's data nobody changes.
"""

from __future__ import annotations

import os

import msgspec

from catalog_service.access.doorkeeper import Doorkeeper
from catalog_service.access.issuing import TokenDesk
from catalog_service.api.actions import Actions, Ran
from catalog_service.cli.telling import desk_of
from catalog_service.cli.wiring import opened_upstream, utc_now
from catalog_service.reader import Reader
from catalog_service.settings import Settings
from catalog_service.store.connect import Store
from catalog_service.sync.asked import sync_asked
from catalog_service.sync.held import accept, reject
from catalog_service.sync.rollback import rollback
from schema.errors import BadParameterError
from schema.version import HeldVersion, Label, Version
from scrapers.source import Source
from scrapers.sources import source_named


def operator_actions(
    store: Store, settings: Settings, sources: tuple[Source, ...], reader: Reader | None = None
) -> Actions:
    """Return what may be done to ``store``, by who shows a token of it, or the one of ``settings``."""

    async def sync(name: str, who: str, token: str) -> Ran:
        source = source_named(sources, name)
        if source.archive:
            raise BadParameterError(f"{name} is an archive: upstream is closed", parameter="source", value=name)
        async with opened_upstream(settings, (source,)) as upstream:
            outcome = await sync_asked(source, upstream, store, utc_now, who, token)
        return msgspec.convert(outcome, Ran, from_attributes=True)

    async def accepted(id_: str, who: str, token: str) -> Version | None:
        return await accept(store, id_, who, utc_now, token)

    async def rejected(id_: str, who: str, token: str) -> HeldVersion:
        return await reject(store, id_, who, utc_now, token)

    async def labelled(name: str, number: int, who: str, token: str) -> Label:
        return await store.labels.set(name, number, who, utc_now(), token)

    async def unlabelled(name: str, who: str, token: str) -> Label:
        return await store.labels.delete(name, who, utc_now(), token)

    async def rolled_back(source: str, number: int, who: str, token: str) -> Version | None:
        return await rollback(store, source, number, who, utc_now, token)

    return Actions(
        Doorkeeper(store, settings.operator_token, anonymous_read=settings.anonymous_read, clock=utc_now),
        sync,
        accepted,
        rejected,
        labelled,
        unlabelled,
        rolled_back,
        desk_of(store, settings, tuple(source.info for source in sources), reader),
        TokenDesk(store, utc_now, os.urandom),
    )
