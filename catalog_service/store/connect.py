"""From settings to a `Store`: a Redis by URL, or the embedded server of a data directory.

Called by the composition root once a process.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError

from catalog_service.store import keys
from catalog_service.store.audit import Audit
from catalog_service.store.commits import Commits
from catalog_service.store.contents import Contents
from catalog_service.store.deliveries import Deliveries
from catalog_service.store.documents import KEPT, Documents
from catalog_service.store.embedded import embedded_server
from catalog_service.store.events import Events
from catalog_service.store.floor import Floor
from catalog_service.store.labels import Labels
from catalog_service.store.leases import Leases
from catalog_service.store.migrate import FORMAT, migrate
from catalog_service.store.queues import DELIVERIES_KEPT, Queues
from catalog_service.store.retention import Retention
from catalog_service.store.saved_filters import SavedFilters
from catalog_service.store.signing_keys import SigningKeys
from catalog_service.store.sources import SourceRecords
from catalog_service.store.subscriptions import Subscriptions
from catalog_service.store.versions import Versions
from schema.errors import StoreError

_TIMEOUT_S = 5.0
_RETRIES = 5
_POOL = 32


class Store:
    """All that is remembered; ``documents_kept`` of each source, ``deliveries_kept`` of each subscription."""

    def __init__(self, redis: Redis, documents_kept: int = KEPT, deliveries_kept: int = DELIVERIES_KEPT) -> None:
        self.redis = redis
        self.versions = Versions(redis)
        self.floor = Floor(redis)
        self.labels = Labels(redis, self.versions, self.floor)
        self.audit = Audit(redis)
        self.contents = Contents(redis, self.versions, self.floor)
        self.retention = Retention(redis, self.versions, self.contents, self.floor)
        self.commits = Commits(redis, self.versions, self.contents, documents_kept)
        self.documents = Documents(redis, documents_kept)
        self.events = Events(redis)
        self.sources = SourceRecords(redis, documents_kept)
        self.leases = Leases(redis)
        self.subscriptions = Subscriptions(redis)
        self.queues = Queues(redis, deliveries_kept)
        self.deliveries = Deliveries(redis)
        self.saved_filters = SavedFilters(redis)
        self.signing_keys = SigningKeys(redis)

    async def is_demo(self) -> bool:
        """Tell whether what is stored is the bundled demo: examples, in no allowlist."""
        return bool(await self.redis.exists(keys.DEMO))

    async def mark_demo(self) -> None:
        """Mark this store as one of demo data, for good."""
        await self.redis.set(keys.DEMO, 1)

    async def ping(self) -> None:
        """Raise StoreError unless the server answers and its data is in this program's form."""
        try:
            await self.redis.set(keys.FORMAT, FORMAT, nx=True)
            stored = int(await self.redis.get(keys.FORMAT) or 0)
            if 0 < stored < FORMAT:
                await migrate(self.redis, stored)
                stored = FORMAT
        except (RedisError, OSError) as error:
            raise StoreError(f"Redis does not answer: {error}") from error
        if stored != FORMAT:
            raise StoreError(f"the data has form {stored}, this release reads form {FORMAT}", form=stored)


@contextlib.asynccontextmanager
async def open_store(
    redis_url: str | None,
    data_dir: Path,
    *,
    service: bool,
    documents_kept: int = KEPT,
    deliveries_kept: int = DELIVERIES_KEPT,
) -> AsyncIterator[Store]:
    """Give the store for a block; it keeps as much as `Store` says.

    With ``redis_url`` that server is used. Without, the embedded server of ``data_dir``: one that runs
    is joined, else one is started for as long as the block lasts. ``service`` says that this process is
    the data directory's one service.

    Raises:
        StoreError: no server can be found, started or reached.
        DataDirInUseError: ``service``, and another one has the data directory.
    """
    if redis_url:
        async with _client(redis_url, documents_kept, deliveries_kept) as store:
            yield store
        return
    async with (
        embedded_server(data_dir, service=service) as socket,
        _client(f"unix://{socket}", documents_kept, deliveries_kept) as store,
    ):
        yield store


@contextlib.asynccontextmanager
async def _client(url: str, documents_kept: int, deliveries_kept: int) -> AsyncIterator[Store]:
    # redis-py's default pool raises at once when it is exhausted; this one waits (limits-and-faults.md A6).
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            protocol=2,
            max_connections=_POOL,
            timeout=_TIMEOUT_S,
            socket_timeout=_TIMEOUT_S,
            retry=Retry(ExponentialWithJitterBackoff(cap=1.0, base=0.05), _RETRIES),
            retry_on_error=[ConnectionError],
        )
    except ValueError as error:
        raise StoreError(f"{urlsplit(url).scheme or url!r} is no Redis address: {error}") from error
    redis = Redis(connection_pool=pool)
    try:
        store = Store(redis, documents_kept, deliveries_kept)
        await store.ping()
        yield store
    finally:
        await redis.aclose()
        await pool.disconnect()
