"""The command that tells subscribers, for as long as it runs; several may, on the same Redis."""

from __future__ import annotations

import asyncio

import click

from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.logs import tell
from catalog_service.cli.side import side_port, worker_life
from catalog_service.cli.telling import check_secrets, opened_notifier, origin_of
from catalog_service.cli.wiring import known_sources, opened_reader
from catalog_service.memory import rarely_collected, set_aside
from catalog_service.tasks import stop


@command("notify", serving=True)
@click.option("--once", is_flag=True, help="Tell what is due now, and end.")
async def notify(call: Call, *, once: bool) -> int:
    """Tell subscribers what happened, until stopped; others, on the same --redis-url, sync and serve."""
    settings = call.settings
    async with opened_reader(settings) as reader:
        await check_secrets(reader.store, settings)
        origin = origin_of(settings, known_sources(settings))
        async with opened_notifier(reader, settings, origin) as notifier:
            if once:
                await notifier.once()
                return exits.FINE
            tell(f"telling {await reader.store.subscriptions.count()} subscriptions")
            beside = [asyncio.create_task(one) for one in (reader.follow(), set_aside(reader))]
            try:
                life = worker_life(reader.store, known_sources(settings), reader)
                async with side_port(settings, life):
                    with rarely_collected():
                        await notifier.run()
            finally:
                await stop(*beside)
    return exits.FINE
