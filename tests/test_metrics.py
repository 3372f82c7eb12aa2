"""Metrics: they move as things happen, stay few whatever is asked, and answer while Redis is away."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from prometheus_client import generate_latest
from prometheus_client.openmetrics import parser as openmetrics
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from catalog_service import metrics
from catalog_service.notify.notifier import Notifier
from catalog_service.reader import Reader
from catalog_service.scrape import Scrape
from catalog_service.store import codec, keys
from catalog_service.store.connect import Store
from catalog_service.sync.run import run_source
from schema.guard import GuardLimits
from schema.subscription import Digest, Every, Status
from tests.api_client import PAGE, PAGE_HELD, SOURCES, START, TAGS, away, catalog_client, hold, published
from tests.local_source import NOW, Clock, Shelf, body, local_source
from tests.scrapes import Series, names, samples_of, series_of, value
from tests.telling import Receiver, subscribed, subscription


async def scraped(client: httpx.AsyncClient) -> Series:
    return series_of((await client.get("/metrics")).text)


def counted() -> Series:
    """Return what this process counted so far."""
    return series_of(generate_latest(metrics.REGISTRY).decode())


async def read(scrape: Scrape) -> Series:
    return series_of((await scrape.exposition(""))[0].decode())


async def test_requests_by_route_and_status(store: Store) -> None:
    """A request counts under the template of its route, again when its answer was kept, and is timed."""
    async with catalog_client(store) as client:
        before = await scraped(client)
        for _ in range(3):
            await client.get("/v1/allowlist")
        await client.get(f"/v1/endpoints/{TAGS}:AzureConnectors")
        await client.get("/v1/endpoints/none")
        after = await scraped(client)

    def moved(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert moved("catalog_http_requests_total", route="/v1/allowlist", method="GET", status="200") == 3
    assert moved("catalog_http_request_seconds_count", route="/v1/allowlist") == 3
    assert moved("catalog_http_requests_total", route="/v1/endpoints/{id}", method="GET", status="200") == 1
    assert moved("catalog_http_requests_total", route="/v1/endpoints/{id}", method="GET", status="404") == 1
    assert value(after, "catalog_http_requests_in_flight") == 1  # the scrape itself


async def test_hostile_paths_make_no_series(store: Store) -> None:
    """However many paths, ids and methods somebody makes up, the series are those of the routes there are."""
    async with catalog_client(store) as client:

        async def attack(turn: int) -> None:
            for number in range(50):
                await client.get(f"/nowhere/{turn}-{number}?x={number}")
                await client.get(f"/v1/endpoints/{turn}-{number}")
                await client.request(f"METHOD{turn}{number}", "/v1/allowlist")

        await attack(1)
        before = await scraped(client)
        await attack(2)
        after = await scraped(client)
    assert len(after) == len(before)
    assert value(after, "catalog_http_requests_total", route="other", method="GET", status="404") >= 100


async def test_openmetrics_by_accept(store: Store) -> None:
    """A scraper that prefers OpenMetrics gets it, whole; any other gets Prometheus's text. No cache keeps either."""
    async with catalog_client(store) as client:
        open_ = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
        plain = await client.get("/metrics")
    assert open_.headers["content-type"].startswith("application/openmetrics-text")
    assert plain.headers["content-type"].startswith("text/plain")
    assert (plain.headers["cache-control"], plain.headers["vary"]) == ("no-store", "Accept")
    told = samples_of(openmetrics.text_string_to_metric_families(open_.text))  # type: ignore[no-untyped-call]
    assert value(told, "catalog_head_version") == 3
    assert names(series_of(plain.text)) - names(told) == set()


def test_every_metric_says_what_it_is() -> None:
    """Names have our prefix and their unit, helps are one sentence, none is told twice."""
    families = {family.name: family for one in metrics.COUNTED for family in one.describe()}
    told = {**{name: one.documentation for name, one in families.items()}, **{s.name: s.help for s in metrics.STANDING}}
    assert len(told) == len(metrics.COUNTED) + len(metrics.STANDING)
    assert all(name.startswith("catalog_") and text.endswith(".") and "\n" not in text for name, text in told.items())
    assert all(name.endswith("_seconds") for name, text in told.items() if text.startswith("Seconds"))


async def test_the_store_and_the_sources(store: Store) -> None:
    """What stands in the store is told at the scrape: versions, what is held, and how each source is."""
    await published(store)
    await hold(store, PAGE, PAGE_HELD, START)
    reader = Reader(store)
    await reader.refresh()
    clock = Clock(START + timedelta(days=2, seconds=90))
    told = await read(Scrape(store, SOURCES, clock, reader))
    assert value(told, "catalog_store_up") == 1
    assert value(told, "catalog_head_version") == value(told, "catalog_versions") == 3
    assert value(told, "catalog_served_version") == 3
    assert value(told, "catalog_held_versions") == 1
    assert value(told, "catalog_store_memory_bytes") > 100_000
    assert value(told, "catalog_source_age_seconds", source=TAGS) == 90
    assert value(told, "catalog_source_fresh", source=TAGS) == 1
    assert value(told, "catalog_source_fresh_within_seconds", source=TAGS) == 3 * 3600
    assert value(told, "catalog_source_last_success_timestamp_seconds", source=TAGS) == clock().timestamp() - 90
    assert value(told, "catalog_source_prefixes", source=TAGS) == 4
    assert value(told, "catalog_source_held", source=PAGE) == value(told, "catalog_source_degraded", source=PAGE) == 1
    assert value(told, "catalog_source_fqdns", source=PAGE) == 2
    assert ("catalog_source_fresh", frozenset({("source", "never-read")})) not in told, "nobody syncs it here"
    assert ("catalog_source_age_seconds", frozenset({("source", "never-read")})) not in told


async def test_queues_and_subscriptions(store: Store, receiver: Receiver, notifier: Notifier, clock: Clock) -> None:
    """Subscriptions count by status, what waits counts, and how late it is; what was told does not wait any more."""
    receiver.replies["/broken"] = [500]
    await subscribed(store, subscription("sub_a", receiver.url()))
    await subscribed(store, subscription("sub_b", receiver.url("/broken"), description="\u00a6status\u00a6paused"))
    await subscribed(store, subscription("sub_c", receiver.url(), status=Status.PAUSED))
    await subscribed(store, subscription("sub_d", receiver.url(), status=Status.UNVERIFIED))
    await published(store)
    assert await relayed(store, notifier) == 3
    clock.forward(hours=1)
    told = await read(Scrape(store, SOURCES, clock))
    for status, count in (("active", 2), ("paused", 1), ("unverified", 1), ("disabled", 0)):
        assert value(told, "catalog_subscriptions", status=status) == count
    assert value(told, "catalog_queue_depth") == 3 + 3  # sub_b is at its first; sub_c is paused; sub_d is told nothing
    assert 0 < value(told, "catalog_queue_overdue_seconds") <= 3600
    assert value(told, "catalog_relayed_version") == 3


async def relayed(store: Store, notifier: Notifier) -> int:
    """Have what happened handed out and told; return up to which version."""
    await notifier.once()
    return (await store.queues.relayed()).version


async def test_deliveries_by_outcome(store: Store, receiver: Receiver, notifier: Notifier, clock: Clock) -> None:
    """Each attempt counts by channel and what came of it; a receipt says after how many, and how long after its event."""
    before = counted()
    receiver.replies["/second"], receiver.replies["/gone"] = [500, 204], [410]
    for id_, path in (("sub_a", "/hook"), ("sub_b", "/second"), ("sub_c", "/gone")):
        await subscribed(store, subscription(id_, receiver.url(path)))
    clock.now = START + timedelta(seconds=4)
    await published(store)
    await notifier.once()
    clock.forward(days=3)
    await notifier.once()
    after = counted()

    def moved(name: str, **labels: str) -> float:
        return value(after, name, channel="webhook", **labels) - value(before, name, channel="webhook", **labels)

    assert moved("catalog_deliveries_total", outcome="delivered") == 6
    assert moved("catalog_deliveries_total", outcome="retried") == 1
    assert moved("catalog_deliveries_total", outcome="disabled") == 1
    assert moved("catalog_delivery_attempt_seconds_count") == 8
    assert moved("catalog_delivery_attempts_bucket", le="1.0") == 5
    assert moved("catalog_delivery_attempts_bucket", le="2.0") == 6
    assert moved("catalog_delivery_seconds_bucket", le="5.0") >= 1


async def test_a_digest_is_no_latency(store: Store, receiver: Receiver, notifier: Notifier, clock: Clock) -> None:
    """What a subscriber asked to be told once a week says nothing of how fast the service is."""
    await subscribed(store, subscription("sub_a", receiver.url(), digest=Digest(Every.DAILY)))
    await published(store)
    before = counted()
    clock.now = START + timedelta(days=5)
    await notifier.once()
    after = counted()
    name = "catalog_delivery_seconds_count"
    assert receiver.received
    assert value(after, name, channel="webhook") == value(before, name, channel="webhook")


async def test_syncs_by_result_and_stage(store: Store) -> None:
    """A run counts by its result; each stage it came to is timed; what was read from upstream is counted in bytes."""
    before, shelf, clock = counted(), Shelf(), Clock()
    source = local_source("a-metered-source", GuardLimits(min_endpoint_sets=1))
    await run_source(source, shelf, store, clock)
    shelf.bodies[source.url] = body({"t1": ["20.1.0.0/16"]})
    await run_source(source, shelf, store, clock)
    await run_source(source, shelf, store, clock)
    after = counted()

    def moved(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    for result in ("failed", "committed", "unchanged"):
        assert moved("catalog_sync_runs_total", source="a-metered-source", result=result) == 1
    stages = {
        name: moved("catalog_sync_stage_seconds_count", stage=name) for name in ("fetch", "parse", "compare", "commit")
    }
    assert stages == {"fetch": 3, "parse": 1, "compare": 1, "commit": 1}
    assert moved("catalog_fetched_bytes_total", source="a-metered-source") == len(shelf.bodies[source.url])


async def test_redis_away_is_told_at_once(store: Store) -> None:
    """Without Redis the process's own numbers go on, `catalog_store_up` is 0, and what the store knows is left out."""
    await published(store)
    reader = Reader(store)
    await reader.refresh()
    told = await read(Scrape(away(), SOURCES, Clock(datetime.now(UTC) + timedelta(minutes=5)), reader))
    assert value(told, "catalog_store_up") == 0
    assert "catalog_head_version" not in names(told)
    assert "catalog_source_fresh" not in names(told)
    assert value(told, "catalog_served_version") == 3
    assert 300 <= value(told, "catalog_reader_age_seconds") < 310
    assert "process_cpu_seconds_total" in names(told)


async def test_a_redis_that_hangs_is_waited_for_a_second() -> None:
    """A Redis that takes commands and says nothing holds up one scrape for a second, and those after it not at all."""
    hanging = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await hanging.wait()
        finally:
            writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    redis = Redis(port=server.sockets[0].getsockname()[1], retry=Retry(NoBackoff(), 0), socket_timeout=30)
    try:
        scrape = Scrape(Store(redis), SOURCES, Clock(), kept_s=60)
        async with asyncio.timeout(10):
            told = [await read(scrape) for _ in range(20)]
    finally:
        hanging.set()
        await redis.aclose()
        server.close()
        await server.wait_closed()
    assert {value(one, "catalog_store_up") for one in told} == {0}


async def test_scrapes_of_many_cost_one(store: Store) -> None:
    """Within a few seconds the store is asked once, however many scrape at once."""
    await published(store)
    scrape = Scrape(store, SOURCES, Clock(NOW), kept_s=60)
    await store.redis.config_resetstat()
    await asyncio.gather(*(scrape.exposition("") for _ in range(20)))
    stats = await store.redis.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] - stats.get("cmdstat_script|load", {"calls": 0})["calls"] == 1


async def test_a_scrape_of_many_subscriptions_is_bounded(store: Store) -> None:
    """Thousands of subscriptions are counted in one script that is over in milliseconds."""
    many = [subscription(f"sub_{number}", "https://a.example/hook") for number in range(2000)]
    flat = [part for one in many for part in (one.id, codec.pack(one))]
    await store.redis.execute_command("HSET", keys.SUBSCRIPTIONS, *flat)  # type: ignore[no-untyped-call]
    await store.numbers.read()
    await store.redis.config_resetstat()
    numbers = await store.numbers.read()
    stats = await store.redis.info("commandstats")
    assert dict(numbers.subscriptions)[Status.ACTIVE] == 2000
    assert stats["cmdstat_evalsha"]["usec"] < 500_000


@pytest.mark.parametrize("version", ["abc", "9999999999", "2.0.0", "1.0.0.0.0", '"1.0.0"', "", "0.0.1"])
@pytest.mark.parametrize("form", ["application/openmetrics-text", "text/plain"])
async def test_an_unknown_version_gets_the_default(form: str, version: str) -> None:
    """Who asks for a version that nobody knows gets Prometheus's text, or the other form that it takes."""
    scrape = Scrape(away(), SOURCES, Clock())
    _, media_type = await scrape.exposition(f"{form}; version={version}; q=0.9")
    assert media_type == "text/plain; version=0.0.4; charset=utf-8"
    _, media_type = await scrape.exposition(f"{form};version={version},application/openmetrics-text;version=1.0.0")
    assert media_type.startswith("application/openmetrics-text; version=1.0.0;")
