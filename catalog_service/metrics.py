"""Every metric, in one registry of our own: what this process counts, and the names of what a scrape reads elsewhere.

Who does the work counts it: the objects here are imported where it is done. `STANDING` are gauges that
`catalog_service.scrape` fills from the store and the reader whenever somebody asks. docs/observability.md has them
all as a table made from here. Labels are bounded: routes are templates, sources and channels are the configured ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    disable_created_metrics,
)
from prometheus_client.process_collector import ProcessCollector

disable_created_metrics()  # type: ignore[no-untyped-call]  # each series' beginning: twice as many, and unused
REGISTRY = CollectorRegistry()
OTHER = "other"
"""The label of what has no route, or a method that no route has."""

_FAST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_STORE_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 5.0)
_WORK_S = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)
_LONG_S = (0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 43200.0)

HTTP_REQUESTS = Counter(
    "catalog_http_requests_total",
    "HTTP requests answered, by route (its template; `other`: none), method and status.",
    ("route", "method", "status"),
    registry=REGISTRY,
)
HTTP_SECONDS = Histogram(
    "catalog_http_request_seconds",
    "Seconds from an HTTP request to the end of its answer, by route; streams are left out.",
    ("route",),
    buckets=_FAST_S,
    registry=REGISTRY,
)
HTTP_IN_FLIGHT = Gauge(
    "catalog_http_requests_in_flight", "HTTP requests being answered now, streams among them.", registry=REGISTRY
)
RATE_LIMITED = Counter(
    "catalog_rate_limited_total", "Requests refused because their client asks too often.", registry=REGISTRY
)
STREAMS_OPEN = Gauge("catalog_streams_open", "Streams open now, by kind: sse, websocket.", ("kind",), registry=REGISTRY)
STORE_SECONDS = Histogram(
    "catalog_store_command_seconds",
    "Seconds one command to Redis took, by command; those that wait for events are left out.",
    ("command",),
    buckets=_STORE_S,
    registry=REGISTRY,
)
STORE_ERRORS = Counter(
    "catalog_store_errors_total", "Commands to Redis that failed, by kind of error.", ("kind",), registry=REGISTRY
)
SYNC_RUNS = Counter(
    "catalog_sync_runs_total",
    "Runs of a source, by result: committed, unchanged, stale, rejected, held, failed, busy.",
    ("source", "result"),
    registry=REGISTRY,
)
SYNC_STAGE_SECONDS = Histogram(
    "catalog_sync_stage_seconds",
    "Seconds a stage of a sync took: fetch, parse, compare, commit.",
    ("stage",),
    buckets=_WORK_S,
    registry=REGISTRY,
)
FETCHED_BYTES = Counter(
    "catalog_fetched_bytes_total", "Bytes of documents read from upstream, by source.", ("source",), registry=REGISTRY
)
DELIVERIES = Counter(
    "catalog_deliveries_total",
    "Attempts at deliveries, by channel and what came of them: delivered, retried, dead, disabled, nothing"
    " (nothing of it was wanted any more).",
    ("channel", "outcome"),
    registry=REGISTRY,
)
DELIVERY_ATTEMPT_SECONDS = Histogram(
    "catalog_delivery_attempt_seconds",
    "Seconds one attempt at a delivery took, by channel.",
    ("channel",),
    buckets=_WORK_S,
    registry=REGISTRY,
)
DELIVERY_ATTEMPTS = Histogram(
    "catalog_delivery_attempts",
    "How many attempts a delivery took until it was received, by channel.",
    ("channel",),
    buckets=(1, 2, 3, 5, 8, 13),
    registry=REGISTRY,
)
DELIVERY_SECONDS = Histogram(
    "catalog_delivery_seconds",
    "Seconds from an event, or from when a replay was asked for, to its receipt, by channel. The window within which"
    " changes are told as one is in it; digests and pings are left out.",
    ("channel",),
    buckets=_LONG_S,
    registry=REGISTRY,
)

COUNTED = tuple(one for one in globals().values() if isinstance(one, Counter | Gauge | Histogram))
"""All that is counted here, besides what every Python process tells of itself."""

ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)


class Standing(Struct, frozen=True):
    """A gauge that is read at a scrape; it is left out where nothing is known of it."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


BUILD_INFO = Standing("catalog_build_info", "1, with the release that runs.", ("version",))
STORE_UP = Standing("catalog_store_up", "1 while Redis answers, else 0 and all that is read from it is left out.")
STORE_MEMORY = Standing("catalog_store_memory_bytes", "Bytes of memory Redis uses, where it may be asked.")
STORE_MEMORY_MAX = Standing("catalog_store_memory_max_bytes", "Bytes of memory Redis may use; left out: no limit.")
SERVED_VERSION = Standing("catalog_served_version", "The version this process serves.")
READER_AGE = Standing(
    "catalog_reader_age_seconds", "Seconds since the store confirmed that what this process serves is the newest."
)
HEAD_VERSION = Standing("catalog_head_version", "The newest version in the store.")
VERSIONS = Standing("catalog_versions", "Live versions in the store.")
HELD_VERSIONS = Standing("catalog_held_versions", "Versions that wait for a person.")
RELAYED_VERSION = Standing(
    "catalog_relayed_version", "The version up to which events were handed to queues; left out before the first."
)
SUBSCRIPTIONS = Standing("catalog_subscriptions", "Subscriptions, by status.", ("status",))
QUEUE_DEPTH = Standing("catalog_queue_depth", "Deliveries that wait, in the queues of all subscriptions together.")
QUEUE_OVERDUE = Standing(
    "catalog_queue_overdue_seconds",
    "Seconds by which the delivery that is longest due is late; retries and rounds are due later.",
)
SOURCE_FRESH = Standing(
    "catalog_source_fresh",
    "1 while what is served of the source was confirmed within its objective, else 0; absent until it is asked.",
    ("source",),
)
SOURCE_AGE = Standing(
    "catalog_source_age_seconds",
    "Seconds since what is served was confirmed as upstream's; left out: never.",
    ("source",),
)
SOURCE_OBJECTIVE = Standing(
    "catalog_source_fresh_within_seconds", "The objective: seconds within which it is to be confirmed.", ("source",)
)
SOURCE_SUCCESS = Standing(
    "catalog_source_last_success_timestamp_seconds", "When it was confirmed last, in Unix time.", ("source",)
)
SOURCE_CHECKED = Standing(
    "catalog_source_last_checked_timestamp_seconds", "When upstream was asked last, in Unix time.", ("source",)
)
SOURCE_FAILURES = Standing("catalog_source_failures", "Runs that failed in a row.", ("source",))
SOURCE_DEGRADED = Standing(
    "catalog_source_degraded", "1 while the source is failing, held, rejected or stale, else 0.", ("source",)
)
SOURCE_HELD = Standing("catalog_source_held", "1 while a version of it waits for a person, else 0.", ("source",))
SOURCE_VERSION = Standing("catalog_source_version", "The version of it that this process serves.", ("source",))
SOURCE_ENDPOINT_SETS = Standing("catalog_source_endpoint_sets", "Records served of it.", ("source",))
SOURCE_PREFIXES = Standing("catalog_source_prefixes", "Prefixes served of it, one a record and prefix.", ("source",))
SOURCE_FQDNS = Standing("catalog_source_fqdns", "Names served of it, one a record and name.", ("source",))

STANDING = tuple(one for one in globals().values() if isinstance(one, Standing))
"""All of them."""


@contextmanager
def stream_open(kind: str) -> Iterator[None]:
    """Count a stream of ``kind`` (sse, websocket) as open for a block."""
    gauge = STREAMS_OPEN.labels(kind)
    gauge.inc()
    try:
        yield
    finally:
        gauge.dec()
