"""Run as a process: syncs a source in children that are killed before or after their n-th Redis command.

``python -m tests.crash URL`` prints one JSON line a child: where it died, what was then served, and
what the next run came to. tests/test_crash.py judges them.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import Any

from catalog_service.store import keys
from catalog_service.store.client import Client
from catalog_service.store.connect import Store
from catalog_service.store.connection import RedisOptions, opened_redis
from catalog_service.sync.run import run_source
from schema.endpoint_set import content_digest
from tests.local_source import Clock, Shelf, body, local_source

ONE = {f"t{i}": [f"20.{i}.0.0/16"] for i in range(30)}
TWO = {**ONE, "t1": ["20.1.0.0/17"]}


class DyingRedis(Client):
    """A client that kills its process at its n-th command: 2n before it is sent, 2n + 1 after its reply."""

    dies_at = 0
    step = 0

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        self._live_or_die()
        reply = await super().execute_command(*args, **options)
        self._live_or_die()
        return reply

    def _live_or_die(self) -> None:
        DyingRedis.step += 1
        if DyingRedis.step == DyingRedis.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)


async def sync(url: str, records: dict[str, list[str]]) -> str:
    source, shelf = local_source(), Shelf()
    shelf.bodies[source.url] = body(records)
    async with opened_redis(url, RedisOptions()) as redis:
        dying = DyingRedis(redis.connection_pool, redis.primary)
        return (await run_source(source, shelf, Store(dying), Clock())).result


async def start_anew(url: str) -> None:
    async with opened_redis(url, RedisOptions()) as redis:
        await redis.flushall()
    await sync(url, ONE)


async def seen(url: str) -> dict[str, object]:
    """What a reader finds; the dead runner's lease is over."""
    async with opened_redis(url, RedisOptions()) as redis:
        await redis.delete(keys.lease("a-source"))
        content = await Store(redis).contents.content("a-source")
        entries: Any = await redis.xrange(keys.EVENTS)
        head = await Store(redis).versions.head()
    assert content is not None
    assert content_digest(content.endpoint_sets) == content.version.digest
    return {"head": head, "events": [id_.decode() for id_, _ in entries], "t1": content.endpoint_sets[1].prefixes}


def child(url: str, dies_at: int) -> bool:
    """Sync in a child that dies at ``dies_at``; False when it lived to the end."""
    if (pid := os.fork()) == 0:
        DyingRedis.dies_at, DyingRedis.step = dies_at, 0
        asyncio.run(sync(url, TWO))
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def main() -> None:
    url = sys.argv[1]
    for dies_at in range(1, 200):
        asyncio.run(start_anew(url))
        died = child(url, dies_at)
        after = asyncio.run(seen(url))
        again = asyncio.run(sync(url, TWO))
        print(json.dumps({"at": dies_at, "died": died, **after, "again": again, "then": asyncio.run(seen(url))}))
        if not died:
            return


if __name__ == "__main__":
    main()
