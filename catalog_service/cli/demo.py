"""When ``run`` may show the bundled demo, and how: from a data directory of its own, never from the real one.

The demo goes through the same pipeline as an upstream: each of its dates is a mirror folder, synced in
order. Doing so again changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib

from catalog_service.cli.wiring import demo_dir, opened_upstream, utc_now
from catalog_service.settings import Settings
from catalog_service.store.connect import Store
from catalog_service.sync.run import run_source
from schema.errors import CatalogError, FetchError
from schema.version import SourceState
from scrapers.demo import demo_folders, demo_sources
from scrapers.mirror import FolderMirror
from scrapers.source import Source
from scrapers.sources import SOURCES
from scrapers.upstream import Upstream

_PROBE_S = 20.0


async def nothing_to_show(store: Store, settings: Settings, sources: tuple[Source, ...]) -> bool:
    """Tell whether the catalogue is empty and no upstream gives its document, asked once each."""
    if await store.versions.head():
        return False
    async with opened_upstream(settings, sources, attempts=1) as upstream:
        return not await _any_answers(sources, upstream)


def demo_settings(settings: Settings) -> Settings:
    """Return settings for the demo: the embedded server of ``<data_dir>-demo``, whatever the real store is."""
    return settings.model_copy(update={"data_dir": demo_dir(settings), "redis_url": None, "mirror": None})


async def prepare_demo(store: Store, settings: Settings) -> tuple[Source, ...]:
    """Mark ``store`` as a demo's, sync every date of it, in order, and return its sources."""
    await store.mark_demo()
    sources = demo_sources(SOURCES)
    folders = await asyncio.to_thread(demo_folders, settings.data_dir / "upstream")
    for _, folder in folders:
        upstream = FolderMirror(folder)
        await asyncio.gather(*(run_source(source, upstream, store, utc_now) for source in sources))
    return sources


async def _any_answers(sources: tuple[Source, ...], upstream: Upstream) -> bool:
    asked = [asyncio.create_task(_answers(source, upstream)) for source in sources]
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PROBE_S):
                for answered in asyncio.as_completed(asked):
                    if await answered:
                        return True
        return False
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def _answers(source: Source, upstream: Upstream) -> bool:
    """Tell whether ``source`` can be read; one that answers with a page nobody understands was reached."""
    try:
        await source.read(upstream, SourceState(), utc_now())
    except FetchError:
        return False
    except CatalogError:
        return True
    return True
