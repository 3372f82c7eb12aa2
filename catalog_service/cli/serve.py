"""Commands that serve: run (store, scheduler, notifier and API in one process) and serve (the API alone)."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
from collections.abc import Callable, Coroutine
from typing import Any

import click
import msgspec

from catalog_service.api.gate.rules import GateRules
from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.demo import demo_settings, nothing_to_show, prepare_demo
from catalog_service.cli.listen import Listening, bound, serve_app
from catalog_service.cli.logs import tell
from catalog_service.cli.operate import operator_actions
from catalog_service.cli.side import side_port
from catalog_service.cli.telling import check_secrets, opened_notifier, origin_of
from catalog_service.cli.wiring import any_store, chosen_sources, opened_store, opened_upstream, utc_now
from catalog_service.memory import rarely_collected, set_aside
from catalog_service.reader import Reader
from catalog_service.settings import Settings
from catalog_service.store.connect import Store, open_store
from catalog_service.sync.scheduler import keep_synced
from catalog_service.tasks import stop
from scrapers.source import Source, synced

_BESIDE_STREAMS = 5000
"""Connections that there may be besides those of streams."""


def _serving_flags(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a serving command the flags of where it serves and what it logs."""
    for option in (
        click.option("--log-format", type=click.Choice(("auto", "console", "json")), help="How it is logged."),
        click.option("--log-level", type=click.Choice(("debug", "info", "warning", "error")), help="What is logged."),
        click.option("--port", type=int, help="Port to serve on; 0 takes a free one. [env: CATALOG_PORT]"),
        click.option("--host", help="Address to serve on. [env: CATALOG_HOST]"),
    ):
        function = option(function)
    return function


@command("run", serving=True)
@_serving_flags
@click.option(
    "--demo-if-unreachable",
    is_flag=True,
    help="Where no upstream answers and the catalogue is empty, serve a marked demo from a data directory of its own.",
)
async def run(call: Call, *, demo_if_unreachable: bool) -> int:
    """Keep every source synced, tell subscribers and serve the catalogue, in one process."""
    settings, sources = call.settings, chosen_sources(call.settings)
    async with contextlib.AsyncExitStack() as claimed:
        store = await claimed.enter_async_context(opened_store(settings, service=True))
        with bound(settings) as listening:
            if not (demo_if_unreachable and await nothing_to_show(store, settings, synced(sources))):
                return await _run_live(store, settings, sources, listening)
            await claimed.aclose()
            return await _run_demo(demo_settings(settings), listening)


@command("serve", serving=True)
@_serving_flags
async def serve(call: Call) -> int:
    """Serve the catalogue; others, on the same --redis-url, keep it synced and tell subscribers."""
    settings = call.settings
    sources = chosen_sources(settings)
    async with any_store(settings, service=True) as store:
        with bound(settings) as listening:
            if not (is_demo := await store.is_demo()):
                await check_secrets(store, settings)
            await _serve(Reader(store, warm=True), settings, sources, listening, demo=is_demo)
    return exits.FINE


async def _run_live(store: Store, settings: Settings, sources: tuple[Source, ...], listening: Listening) -> int:
    await check_secrets(store, settings)
    reader = Reader(store, warm=True)
    origin = origin_of(settings, tuple(source.info for source in sources), listening.url)
    async with (
        opened_upstream(settings, sources) as upstream,
        opened_notifier(reader, settings, origin) as notifier,
    ):
        scheduler = keep_synced(
            synced(sources), upstream, store, utc_now, random.random, settings.versions_kept, settings.grace_s
        )
        await _serve(reader, settings, sources, listening, scheduler, notifier.run())
    return exits.FINE


async def _run_demo(settings: Settings, listening: Listening) -> int:
    tell("no upstream answers and the catalogue is empty: this is a DEMO, its addresses are examples", demo=True)
    async with open_store(None, settings.data_dir, service=True) as store:
        sources = await prepare_demo(store, settings)
        await _serve(Reader(store, warm=True), settings, sources, listening, demo=True)
    return exits.FINE


async def _serve(
    reader: Reader,
    settings: Settings,
    sources: tuple[Source, ...],
    listening: Listening,
    *beside: Coroutine[Any, Any, None],
    demo: bool = False,
) -> None:
    """Serve until asked to stop, with ``beside`` running for as long."""
    from catalog_service.api.app import create_app  # noqa: PLC0415 - half a second that no other command waits for

    known = tuple(source.info for source in sources)
    actions = None if demo else operator_actions(reader.store, settings, sources, reader)
    app = create_app(
        reader,
        known,
        demo=demo,
        actions=actions,
        base_url=origin_of(settings, known, listening.url).base_url,
        rules=gate_rules(settings),
    )
    started = functools.partial(_started, settings, listening.url, demo=demo)
    serving = asyncio.create_task(
        serve_app(app, listening, started, settings.grace_s, settings.streams_most + _BESIDE_STREAMS)
    )
    others = [asyncio.create_task(one) for one in (*beside, set_aside(reader))]
    try:
        async with side_port(settings, app.state.life):
            with rarely_collected():
                ended, _ = await asyncio.wait((serving, *others), return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            await task  # one that failed ends the service
    finally:
        serving.cancel()  # once: it finishes the requests under way
        await asyncio.gather(asyncio.wait({serving}), stop(*others))


def gate_rules(settings: Settings) -> GateRules:
    """Return what the gate goes by: the settings of the same names."""
    return msgspec.convert(settings, GateRules, from_attributes=True)


def _started(settings: Settings, url: str, *, demo: bool) -> None:
    data = "Redis" if settings.redis_url else str(settings.data_dir)
    what = "serving the DEMO" if demo else "serving"
    facts = {"graphiql": f"{url}/graphql"} if settings.graphiql else {}
    page = f", GraphiQL on {url}/graphql" if settings.graphiql else ""
    tell(f"{what} on {url}{page}, data in {data}", url=url, data=data, demo=demo, **facts)
