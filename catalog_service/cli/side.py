"""The side port: life, readiness and metrics of any role, where nothing else is served and nobody has to say who asks.

In: the settings and the role's `Life`. Out: a small server for as long as a block lasts, where `metrics_port` is set.
Called by the commands that go on until stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from redis.exceptions import RedisError
from starlette.applications import Starlette

from catalog_service.api.health import READY, Life, Readiness, not_ready
from catalog_service.cli.listen import bound, serve_app
from catalog_service.cli.logs import tell
from catalog_service.cli.wiring import utc_now
from catalog_service.reader import Reader
from catalog_service.scrape import Scrape
from catalog_service.settings import Settings
from catalog_service.store.connect import Store
from schema.errors import CatalogError
from schema.source import SourceInfo

_ANSWERS_WITHIN_S = 1.0
_GRACE_S = 1.0


@contextlib.asynccontextmanager
async def side_port(settings: Settings, life: Life) -> AsyncIterator[str]:
    """Serve ``life`` for a block, on the host of the settings; gives the address, empty where no port is set.

    Raises:
        CatalogError: the port is taken.
    """
    if settings.metrics_port is None:
        yield ""
        return
    app = Starlette(routes=life.routes())
    app.state.close = lambda: None
    with bound(settings.model_copy(update={"port": settings.metrics_port})) as listening:
        started = asyncio.Event()
        serving = asyncio.create_task(serve_app(app, listening, started.set, _GRACE_S))
        serving.add_done_callback(lambda _: started.set())
        try:
            await started.wait()
            if serving.done():  # another process was bound to the port too, and listened first
                await serving
            tell(f"metrics on {listening.url}/metrics", url=listening.url)
            yield listening.url
        finally:
            serving.cancel()  # once: it finishes what is being answered
            await asyncio.wait({serving})


def worker_life(store: Store, sources: tuple[SourceInfo, ...], reader: Reader | None = None) -> Life:
    """Return the life of a process that syncs or notifies: it is of use as long as Redis answers.

    Not when it last did something: with nothing due for hours, a new release could not be rolled out.
    """

    async def ready() -> Readiness:
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN_S):
                return Readiness(READY.status, version=await store.versions.head())
        except (RedisError, OSError, CatalogError, TimeoutError):
            return not_ready("Redis does not answer")

    return Life(ready, Scrape(store, sources, utc_now, reader))
