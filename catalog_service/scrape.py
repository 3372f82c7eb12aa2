"""What `/metrics` answers: what this process counted, and how the store, the sources and the reader are just now.

In: the store, the sources, a clock, and the reader of a process that has one. Out: the text that Prometheus reads.
The store is asked once in a few seconds, however many scrape, and waited for one second at most: while it is away all
that is read from it is left out, and `catalog_store_up` is 0. Called by `api.health` and by the side port.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Iterator
from datetime import datetime

import structlog
from msgspec import Struct
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from catalog_service import metrics
from catalog_service.catalog.fresh import is_degraded, is_fresh
from catalog_service.metrics import Standing
from catalog_service.reader import Reader
from catalog_service.release import RELEASE
from catalog_service.store.connect import Store
from catalog_service.store.numbers import Memory, Numbers
from schema.clock import Clock
from schema.errors import CatalogError
from schema.source import SourceInfo
from schema.version import HeldVersion, SourceState

KEPT_S = 5.0
_WAIT_S = 1.0
_VERSION = re.compile(r";\s*version=([^;,]*)")
_KNOWN = frozenset({"1.0.0"})
"""Of both forms; a scraper that asks for another, older or unheard of, gets the default."""
_log = structlog.get_logger()

Sample = tuple[Standing, tuple[str, ...], float]
"""A gauge, the values of its labels, and its own."""


class _Read(Struct, frozen=True):
    """What the store said, or None, and when it was asked on `Scrape`'s own clock."""

    asked_s: float
    numbers: Numbers | None = None
    memory: Memory | None = None


class Scrape:
    """Of one process. ``kept_s`` is how long what the store said is good for."""

    def __init__(
        self,
        store: Store,
        sources: tuple[SourceInfo, ...],
        clock: Clock,
        reader: Reader | None = None,
        *,
        kept_s: float = KEPT_S,
    ) -> None:
        self._store = store
        self._sources = sources
        self._clock = clock
        self._reader = reader
        self._kept_s = kept_s
        self._read: _Read | None = None
        self._reading = asyncio.Lock()

    async def exposition(self, accept: str) -> tuple[bytes, str]:
        """Return every metric and the media type, in the form that ``accept`` prefers: Prometheus's or OpenMetrics."""
        encode, media_type = choose_encoder(_known(accept))
        read = await self._asked()
        return encode(_Collected(tuple(self._samples(read)))), media_type

    async def _asked(self) -> _Read:
        async with self._reading:
            if self._read is None or time.monotonic() - self._read.asked_s >= self._kept_s:
                self._read = await self._ask()
            return self._read

    async def _ask(self) -> _Read:
        try:
            async with asyncio.timeout(_WAIT_S):
                numbers, memory = await self._store.numbers.read(), await self._store.numbers.memory()
        except (RedisError, OSError, CatalogError, TimeoutError) as error:
            _log.debug("the store cannot be measured", error=str(error))
            return _Read(time.monotonic())
        return _Read(time.monotonic(), numbers, memory)

    def _samples(self, read: _Read) -> Iterator[Sample]:
        now = self._clock()
        yield metrics.BUILD_INFO, (RELEASE,), 1
        yield metrics.STORE_UP, (), float(read.numbers is not None)
        if read.memory:
            yield metrics.STORE_MEMORY, (), read.memory.used_memory
            if read.memory.maxmemory:
                yield metrics.STORE_MEMORY_MAX, (), read.memory.maxmemory
        if self._reader:
            yield from _reader(self._reader, self._sources, now)
        if read.numbers:
            yield from _store(read.numbers, now)
            yield from _sources(read.numbers, self._sources, now)


def _known(accept: str) -> str:
    """Return ``accept`` without unknown versions: the encoder fails on some, and says of others that it writes them."""
    return ",".join(one for one in accept.split(",") if {name.strip() for name in _VERSION.findall(one)} <= _KNOWN)


class _Collected(Collector):
    """What the exposition asks for metrics: the registry, then what was read at this scrape."""

    def __init__(self, samples: tuple[Sample, ...]) -> None:
        self._samples = samples

    def collect(self) -> Iterable[Metric]:
        yield from metrics.REGISTRY.collect()
        families = {one.name: GaugeMetricFamily(one.name, one.help, labels=one.labels) for one in metrics.STANDING}
        for one, labels, value in self._samples:
            families[one.name].add_metric(labels, value)
        yield from (family for family in families.values() if family.samples)


def _reader(reader: Reader, sources: tuple[SourceInfo, ...], now: datetime) -> Iterator[Sample]:
    """Tell what this process serves."""
    yield metrics.SERVED_VERSION, (), reader.current.version
    if reader.refreshed_at:
        yield metrics.READER_AGE, (), max(0.0, (now - reader.refreshed_at).total_seconds())
    for source in sources:
        if content := reader.current.by_source.get(source.name):
            version, name = content.version, (source.name,)
            yield metrics.SOURCE_VERSION, name, version.version
            yield metrics.SOURCE_ENDPOINT_SETS, name, version.counts.endpoint_sets
            yield metrics.SOURCE_PREFIXES, name, version.counts.prefixes
            yield metrics.SOURCE_FQDNS, name, version.counts.fqdns


def _store(numbers: Numbers, now: datetime) -> Iterator[Sample]:
    """Tell what the store holds."""
    yield metrics.HEAD_VERSION, (), numbers.head
    yield metrics.VERSIONS, (), numbers.version_count
    yield metrics.HELD_VERSIONS, (), sum(not one.rejected_at for one in numbers.held)
    if numbers.relayed is not None:
        yield metrics.RELAYED_VERSION, (), numbers.relayed
    for status, count in numbers.subscriptions:
        yield metrics.SUBSCRIPTIONS, (status.value,), count
    late_s = (now - numbers.due_at).total_seconds() if numbers.due_at else 0.0
    yield metrics.QUEUE_DEPTH, (), numbers.waiting_count
    yield metrics.QUEUE_OVERDUE, (), max(0.0, late_s)


def _sources(numbers: Numbers, sources: tuple[SourceInfo, ...], now: datetime) -> Iterator[Sample]:
    """Tell how each source is; of an archive nothing is due."""
    held = {one.source: one for one in numbers.held}
    for source in sources:
        if not source.archive:
            yield from _source(source, numbers.states.get(source.name, SourceState()), held.get(source.name), now)


def _source(source: SourceInfo, state: SourceState, held: HeldVersion | None, now: datetime) -> Iterator[Sample]:
    name = (source.name,)
    if state.checked_at:  # of what nobody syncs here nothing is due
        yield metrics.SOURCE_FRESH, name, float(is_fresh(source, state, now))
    yield metrics.SOURCE_OBJECTIVE, name, source.fresh_within_s
    yield metrics.SOURCE_FAILURES, name, state.failures
    yield metrics.SOURCE_DEGRADED, name, float(is_degraded(state, held))
    yield metrics.SOURCE_HELD, name, float(held is not None and not held.rejected_at)
    if state.ok_at:
        yield metrics.SOURCE_AGE, name, max(0.0, (now - state.ok_at).total_seconds())
        yield metrics.SOURCE_SUCCESS, name, state.ok_at.timestamp()
    if state.checked_at:
        yield metrics.SOURCE_CHECKED, name, state.checked_at.timestamp()
