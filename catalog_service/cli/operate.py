"""What an operator may have done through the API, made of sync and the store: `create_app` is handed it.

Built by the commands that serve real data; the demo's data nobody changes.
"""

from __future__ import annotations

from catalog_service.api.actions import Actions, Ran
from catalog_service.cli.telling import desk_of
from catalog_service.cli.wiring import opened_upstream, utc_now
from catalog_service.reader import Reader
from catalog_service.settings import Settings
from catalog_service.store.connect import Store
from catalog_service.sync.held import accept, reject
from catalog_service.sync.rollback import rollback
from catalog_service.sync.run import run_source
from schema.errors import BadParameterError
from schema.version import HeldVersion, Label, Version
from scrapers.source import Source
from scrapers.sources import source_named


def operator_actions(
    store: Store, settings: Settings, sources: tuple[Source, ...], reader: Reader | None = None
) -> Actions:
    """Return what may be done to ``store``, by who shows the token of ``settings``."""

    async def sync(name: str) -> Ran:
        source = source_named(sources, name)
        if source.archive:
            raise BadParameterError(f"{name} is an archive: upstream is closed", parameter="source", value=name)
        async with opened_upstream(settings, (source,)) as upstream:
            outcome = await run_source(source, upstream, store, utc_now)
        return Ran(
            outcome.source,
            outcome.result,
            outcome.version,
            outcome.held,
            outcome.code,
            outcome.message,
            outcome.reasons,
        )

    async def accepted(id_: str, who: str) -> Version | None:
        return await accept(store, id_, who, utc_now)

    async def rejected(id_: str, who: str) -> HeldVersion:
        return await reject(store, id_, who, utc_now)

    async def labelled(name: str, number: int, who: str) -> Label:
        return await store.labels.set(name, number, who, utc_now())

    async def unlabelled(name: str, who: str) -> Label:
        return await store.labels.delete(name, who, utc_now())

    async def rolled_back(source: str, number: int, who: str) -> Version | None:
        return await rollback(store, source, number, who, utc_now)

    desk = desk_of(store, settings, tuple(source.info for source in sources), reader)
    return Actions(settings.operator_token, sync, accepted, rejected, labelled, unlabelled, rolled_back, desk)
