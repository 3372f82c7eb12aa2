"""From settings to a `Store`: a Redis by URL, or the embedded server of a data directory.

Called by the composition root once a process.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, MovedError, NoPermissionError, RedisError

from catalog_service.store import codec, commit, keys
from catalog_service.store.audit import Audit
from catalog_service.store.commits import Commits
from catalog_service.store.connection import RedisOptions, opened_redis
from catalog_service.store.contents import Contents
from catalog_service.store.deliveries import Deliveries
from catalog_service.store.documents import KEPT, Documents
from catalog_service.store.embedded import embedded_server
from catalog_service.store.events import Events
from catalog_service.store.floor import Floor
from catalog_service.store.labels import Labels
from catalog_service.store.leases import Leases
from catalog_service.store.migrate import FORMAT, migrate
from catalog_service.store.numbers import NumbersRead
from catalog_service.store.queues import DELIVERIES_KEPT, Queues
from catalog_service.store.rates import Rates
from catalog_service.store.retention import Retention
from catalog_service.store.saved_filters import SavedFilters
from catalog_service.store.signing_keys import SigningKeys
from catalog_service.store.sources import SourceRecords
from catalog_service.store.subscriptions import Subscriptions
from catalog_service.store.tokens import Tokens
from catalog_service.store.versions import Versions
from schema.errors import StoreError

_DEFAULT = RedisOptions()


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
        self.numbers = NumbersRead(redis)
        self.signing_keys = SigningKeys(redis)
        self.rates = Rates(redis)
        self.tokens = Tokens(redis)

    async def is_demo(self) -> bool:
        """Tell whether what is stored is the bundled demo: examples, in no allowlist."""
        return bool(await self.redis.exists(keys.DEMO))

    async def mark_demo(self) -> None:
        """Mark this store as one of demo data, for good."""
        await self.redis.set(keys.DEMO, 1)

    async def ping(self) -> None:
        """Raise StoreError unless the server answers, lets us and its data is in this program's form."""
        try:
            await self.redis.register_script(commit.PROBE)(keys=[keys.FORMAT])
            if not await self.redis.exists(keys.FORMAT):  # one that is full, or a replica, can still be read
                await self.redis.set(keys.FORMAT, FORMAT, nx=True)
            stored = codec.number(await self.redis.get(keys.FORMAT))
            if 0 < stored < FORMAT:
                await migrate(self.redis, stored)
                stored = FORMAT
        except MovedError as error:
            raise StoreError("this Redis is a Cluster: its address begins with redis+cluster:// or rediss+") from error
        except (AuthenticationError, NoPermissionError) as error:
            raise StoreError(f"Redis refuses this user, whose rights docs/redis.md lists: {error}") from error
        except (RedisError, OSError) as error:
            raise StoreError(f"Redis does not answer: {error}") from error
        if stored != FORMAT:
            message = (
                f"the data has form {stored}, and this release reads form {FORMAT}: a newer release wrote it; run that "
                "one, or restore a backup of this one"
            )
            raise StoreError(message, form=stored)


@contextlib.asynccontextmanager
async def open_store(
    redis_url: str | None,
    data_dir: Path,
    *,
    service: bool,
    documents_kept: int = KEPT,
    deliveries_kept: int = DELIVERIES_KEPT,
    options: RedisOptions = _DEFAULT,
) -> AsyncIterator[Store]:
    """Give the store for a block; it keeps as much as `Store` says.

    With ``redis_url`` that server is used, as ``options`` say. Without, the embedded server of ``data_dir``: one that
    runs is joined, else one is started for as long as the block lasts. ``service`` says that this process is
    the data directory's one service.

    Raises:
        StoreError: no server can be found, started or reached.
        DataDirInUseError: ``service``, and another one has the data directory.
    """
    async with contextlib.AsyncExitStack() as stack:
        if not redis_url:
            redis_url = f"unix://{await stack.enter_async_context(embedded_server(data_dir, service=service))}"
            options = RedisOptions(timeout_s=options.timeout_s, connections=options.connections)
        redis = await stack.enter_async_context(opened_redis(redis_url, options))
        store = Store(redis, documents_kept, deliveries_kept)
        await store.ping()
        yield store
