"""How a notifier ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from catalog_service.store.connect import open_store
from catalog_service.store.server_process import spawn
from schema.event import Place
from tests.api_client import START, TAGS, TAGS_1, commit
from tests.local_source import Clock
from tests.telling import notifying, receiving, subscribed, subscription


async def test_a_notifier_ends_without_redis(tmp_path: Path) -> None:
    """What was sent cannot be noted down while Redis is away: the end does not wait for it, it is sent again."""
    server = spawn(tmp_path, tmp_path / "s")

    async def last(_: web.Request) -> web.StreamResponse:
        server.kill()
        server.wait()
        return web.Response(status=204)

    clock = Clock()
    async with (
        receiving() as receiver,
        open_store(f"unix://{tmp_path / 's'}", tmp_path, service=False) as store,
        notifying(store, clock, (receiver.port,)) as notifier,
    ):
        receiver.replies["/hook"] = [last]
        await store.queues.skip(Place(0))
        await subscribed(store, subscription("sub_a", receiver.url()))
        await commit(store, TAGS, TAGS_1, START)
        running = asyncio.create_task(notifier.run())
        await asyncio.wait_for(receiver.came.wait(), 10)
        running.cancel()
        ended, _ = await asyncio.wait({running}, timeout=20)
        assert ended
