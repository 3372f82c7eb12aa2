"""Composition: settings -> sources -> upstream -> store -> reader, each built here and handed on.

Nothing else in the program decides which store, which upstream or which addresses are used.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from catalog_service.cli.output import say
from catalog_service.reader import Reader
from catalog_service.settings import Settings
from catalog_service.store.connect import Store, open_store
from catalog_service.store.connection import RedisOptions
from schema.errors import BadParameterError, StoreError
from schema.source import SourceInfo
from scrapers.client import ClientSettings, LiveUpstream
from scrapers.mirror import FolderMirror, HttpMirror
from scrapers.source import Source
from scrapers.sources import allowed_hosts, configured
from scrapers.upstream import Upstream

DEMO_NOTICE = "DEMO DATA: a small bundled sample, not what Microsoft publishes; build no firewall rule from it"


def utc_now() -> datetime:
    """Return the time: the one clock of the program."""
    return datetime.now(UTC)


def chosen_sources(settings: Settings) -> tuple[Source, ...]:
    """Return every source, as the operator set it. Raises UnknownSourceError, BadParameterError."""
    return configured(tuple(settings.addresses.items()), tuple(settings.fresh_s.items()))


def known_sources(settings: Settings) -> tuple[SourceInfo, ...]:
    """Return what readers are told of the sources. Raises as `chosen_sources`."""
    return tuple(source.info for source in chosen_sources(settings))


def any_store(settings: Settings, *, service: bool = False) -> contextlib.AbstractAsyncContextManager[Store]:
    """Give the store of ``settings`` for a block, whatever it holds. Raises as `open_store`."""
    return open_store(
        settings.redis_url,
        settings.data_dir,
        service=service,
        documents_kept=settings.documents_kept,
        deliveries_kept=settings.deliveries_kept,
        options=_redis_options(settings),
    )


@contextlib.asynccontextmanager
async def opened_store(settings: Settings, *, service: bool = False) -> AsyncIterator[Store]:
    """Give the store for a block, to write to. Raises as `open_store`, and StoreError for a store of demo data."""
    async with any_store(settings, service=service) as store:
        if await store.is_demo():
            where = "this Redis" if settings.redis_url else settings.data_dir
            raise StoreError(f"{where} holds the demo's data: nothing real goes in there")
        yield store


@contextlib.asynccontextmanager
async def opened_reader(settings: Settings) -> AsyncIterator[Reader]:
    """Give a refreshed reader for a block; demo data is announced on stderr. Raises as `open_store`."""
    async with any_store(settings) as store:
        reader = Reader(store)
        await reader.refresh()
        if await store.is_demo():
            say(DEMO_NOTICE)
        elif not reader.current.version and (demo_dir(settings) / "server.json").exists():
            say(f"the demo runs beside this: --data-dir {demo_dir(settings)} reads it")
        yield reader


def demo_dir(settings: Settings) -> Path:
    """Return the data directory of the demo, beside the real one."""
    return settings.data_dir.with_name(f"{settings.data_dir.name}-demo")


@contextlib.asynccontextmanager
async def opened_upstream(
    settings: Settings, sources: tuple[Source, ...], *, attempts: int | None = None
) -> AsyncIterator[Upstream]:
    """Give what ``sources`` are read from for a block: the live upstreams, or the mirror.

    Raises:
        BadParameterError: the mirror's folder is not there.
    """
    mirror = settings.mirror
    if mirror and "://" not in mirror:
        yield _folder(Path(mirror))
        return
    limits = _limits(settings, attempts or settings.fetch_attempts)
    if mirror:
        async with LiveUpstream(replace(limits, min_interval_s=0.0).opened_to([mirror])) as client:
            yield HttpMirror(client, mirror)
        return
    # Hosts of addresses the operator wrote down may be asked without TLS; our own may not.
    hosts = replace(limits, allowed_hosts=allowed_hosts(sources))
    async with LiveUpstream(hosts.opened_to(settings.addresses.values())) as client:
        yield client


def _folder(root: Path) -> FolderMirror:
    if not root.is_dir():
        raise BadParameterError(f"the mirror {root} is not a folder", parameter="mirror")
    return FolderMirror(root)


def _limits(settings: Settings, attempts: int) -> ClientSettings:
    return ClientSettings(
        total_timeout_s=settings.fetch_timeout_s,
        idle_timeout_s=settings.fetch_idle_timeout_s,
        max_bytes=settings.fetch_max_bytes,
        attempts=attempts,
        contact=settings.contact,
    )


def _redis_options(settings: Settings) -> RedisOptions:
    return RedisOptions(
        username=settings.redis_username,
        password=settings.redis_password,
        sentinel_username=settings.redis_sentinel_username,
        sentinel_password=settings.redis_sentinel_password,
        tls_ca=settings.redis_tls_ca,
        tls_cert=settings.redis_tls_cert,
        tls_key=settings.redis_tls_key,
        timeout_s=settings.redis_timeout_s,
        connections=settings.redis_connections,
    )
