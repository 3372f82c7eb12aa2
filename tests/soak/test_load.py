"""Mixed load: every role as a process, real weeks, subscribers, streams and readers, and restarts all the while."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from catalog_service.store.connect import Store
from tests.invariants import Seen, broken, untold
from tests.receivers import receiver
from tests.soak.listeners import unheard
from tests.soak.load import (
    MINUTES,
    SAMPLE_S,
    SUBSCRIBERS,
    WANTED,
    Crew,
    Played,
    Subscribers,
    Upstream,
    play,
    redis_server,
    subscribe,
)
from tests.soak.processes import growth
from tests.soak.report import Row, duplicated, keep
from tests.soak.sources import SOURCES
from tests.surely import Arrival, duplicates

pytestmark = pytest.mark.soak
EVERYBODY = {number: WANTED[number % 3] for number in range(SUBSCRIBERS)}
MOST_GROWTH = 0.2
FLAT_MINUTES = 10.0
"""From when on memory can be judged: what is kept fills up before. The lists grow too, by a year and a half of weeks."""
IS_FLAT_JUDGED = MINUTES >= FLAT_MINUTES


async def test_mixed_load(tmp_path: Path) -> None:
    """No answer fails outside the announced restarts, memory stays flat, and everybody is told everything once."""
    begun_s, upstream, told = time.monotonic(), Upstream(), Subscribers()
    for path in ("/weekly", "/small"):
        upstream.advance(path)
    async with (
        redis_server(tmp_path) as (redis, redis_pid),
        receiver(upstream.answer) as upstream_port,
        receiver(told.answer) as subscribers_port,
    ):
        store, crew = Store(redis), Crew(tmp_path, upstream_port, subscribers_port)
        await subscribe(store, subscribers_port)
        try:
            played = await play(crew, store, upstream, redis_pid)
        finally:
            await crew.kill()
        found = await judged(store, played, told.arrivals)
    exits = {code for one in crew.all for code in one.exits}
    keep(row(crew, played, told.arrivals, found, time.monotonic() - begun_s))
    assert found == []
    assert played.readings.failures == ()
    assert exits == {0}


async def judged(store: Store, played: Played, arrivals: list[Arrival]) -> list[str]:
    """Return all that is broken."""
    seen = Seen((), tuple(played.heads), played.readings.answers)
    found = [*await broken(store, {one.name: one.guard for one in SOURCES}, seen)]
    found += unheard(played.listeners, played.head) + await untold_of(store, arrivals)
    if IS_FLAT_JUDGED:
        grown = {name: growth(samples) for name, samples in played.memory.items()}
        found += [f"memory of {name} grew by {share:.0%}" for name, share in grown.items() if share > MOST_GROWTH]
    return found


async def untold_of(
    store: Store, arrivals: list[Arrival], wanted: Mapping[int, tuple[str, ...]] = EVERYBODY
) -> list[str]:
    """Return what was not told as it should have been; ``wanted``: each subscriber's sources, by its number."""
    sources = {one.version: one.source for one in await store.versions.after(0, 100_000)}
    mine: dict[str, list[Arrival]] = {f"sub_{number}": [] for number in wanted}
    for one in arrivals:
        mine[one.subscription].append(one)
    return [
        f"sub_{number}: {what}"
        for number, named in wanted.items()
        for what in untold([at for at, name in sources.items() if name in named], mine[f"sub_{number}"])
    ]


def row(crew: Crew, played: Played, arrivals: list[Arrival], found: list[str], seconds: float) -> Row:
    """Return the row of the report."""
    replica, readings = crew.replicas[2], played.readings
    restarts = len(replica.exits) - 1 + replica.kills
    facts = {
        "versions": str(played.head),
        "restarts of a replica, of them by kill -9": f"{restarts}, {replica.kills}",
        "requests, of them tried again during an announced restart": f"{readings.requests}, {readings.retried}",
        "requests that failed outside": str(len(readings.failures)),
        "POSTs to 200 subscribers, of them repeated under the same id": f"{len(arrivals)}, {duplicates(arrivals)}",
        "streams opened by 500 listeners": str(sum(one.connections for one in played.listeners)),
    }
    return Row(
        name="load",
        fault=f"mixed load for {MINUTES:g} minutes, a replica restarted every minute, notify workers killed",
        runs=restarts,
        kills=replica.kills + sum(one.kills for one in crew.workers),
        lost=len(found) + len(readings.failures),
        duplicated=duplicated(found),
        held="every answer 2xx or 304 outside the announced restarts; "
        f"{'memory flat' if IS_FLAT_JUDGED else 'memory not judged in so short a time'}; I1 to I7; everybody told once, in order",
        seconds=round(seconds, 1),
        facts={**facts, **times(played), **memories(played)},
    )


def times(played: Played) -> dict[str, str]:
    """Return how long reads took."""
    took = sorted(played.readings.milliseconds.items())
    return {f"{kind}: p50, p99": f"{p50} ms, {p99} ms" for kind, (p50, p99) in took}


def memories(played: Played) -> dict[str, str]:
    """Return how much memory there was."""
    found = {
        f"memory of {name.partition('-')[0]} {place}": f"{samples[len(samples) // 4]:.0f} MB after warm-up,"
        f" {samples[-1]:.0f} MB at the end ({growth(samples):+.0%}); every fifth minute: {_seldom(samples)}"
        for place, (name, samples) in enumerate(played.memory.items(), start=1)
        if samples
    }
    redis_mb = played.redis_mb
    return {**found, "memory of Redis": f"{redis_mb[0]:.0f} MB at the beginning, {redis_mb[-1]:.0f} MB at the end"}


def _seldom(samples: list[float]) -> str:
    """Return one sample for each five minutes."""
    return ", ".join(f"{one:.0f}" for one in samples[:: int(300 / SAMPLE_S)])
