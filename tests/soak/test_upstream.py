"""Every fault of an upstream, against every source: the head stays, the others go on, and it recovers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest

from catalog_service.store.connect import Store
from catalog_service.sync.run import Outcome, run_source
from scrapers.client import ClientSettings, LiveUpstream
from scrapers.demo import demo_sources
from scrapers.mirror import HttpMirror
from scrapers.source import Source
from scrapers.sources import SOURCES
from scrapers.upstream import Upstream
from tests.invariants import Seen, broken
from tests.local_source import Clock
from tests.soak.hostile import FAULTS, MOST_BYTES, Hostile
from tests.soak.report import Row, keep

pytestmark = pytest.mark.soak
EVERY = demo_sources(SOURCES)
LIMITS = ClientSettings(
    total_timeout_s=6.0,
    idle_timeout_s=3.0,
    max_bytes=MOST_BYTES,
    attempts=1,
    min_interval_s=0.0,
    per_host_concurrency=100,
)
HARMLESS = frozenset({"304", "404", "UTF-16", "NUL bytes", "slow"})
"""Not modified is what it was; a page has two forms, of which one may be missing; the same text in another coding, or
slowly, is the same."""
LEADS = {"redirect in circles": "redirects too often", "redirect to another host": "allowed", "zip bomb": "larger"}
"""What the reason says, where it matters."""


async def synced(store: Store, upstream: Upstream, clock: Clock, sources: tuple[Source, ...]) -> list[Outcome]:
    clock.forward(hours=12)
    return list(await asyncio.gather(*(run_source(one, upstream, store, clock) for one in sources)))


async def names_of(hostile: Hostile, upstream: Upstream, store: Store, clock: Clock) -> dict[str, frozenset[str]]:
    """Sync every source for the first time; return what each asks for."""
    names = {}
    for source in EVERY:
        hostile.asked.clear()
        (outcome,) = await synced(store, upstream, clock, (source,))
        assert outcome.result == "committed", outcome
        names[source.name] = frozenset(hostile.asked & hostile.documents.keys())
    return names


async def test_every_fault_against_every_source(store: Store, tmp_path: Path) -> None:
    """Half of the sources meet it while the other half sync; then the other way round, so that each has to recover."""
    hostile, clock, begun_s = Hostile(), Clock(), time.monotonic()
    troubles, results, heads = list[str](), Counter[str](), [0]
    async with (
        hostile.open(tmp_path),
        LiveUpstream(LIMITS.opened_to([hostile.url, hostile.tls_url])) as client,
    ):
        upstream = HttpMirror(client, hostile.url)
        names = await names_of(hostile, upstream, store, clock)
        for fault, play in FAULTS.items():
            for half in (0, 1):
                ill, well = EVERY[half::2], EVERY[1 - half :: 2]
                hostile.fault, hostile.victims = play, frozenset().union(*(names[one.name] for one in ill))
                outcomes = await synced(store, upstream, clock, (*ill, *well))
                heads.append(await store.versions.head())
                results.update(one.result for one in outcomes[: len(ill)])
                met, others = outcomes[: len(ill)], outcomes[len(ill) :]
                troubles += [f"{fault}: {one.source}: {one.result}" for one in met if not _held_off(one, fault)]
                troubles += [f"{fault}: beside it {one.source}: {one}" for one in others if one.result != "unchanged"]
                for one in met:
                    state = await store.sources.state(one.source)
                    if one.result == "failed" and not (state.failures and LEADS.get(fault, "") in (state.error or "")):
                        troubles.append(f"{fault}: {one.source} does not say why: {state.error}")
                for source in well:  # which met it, or the one before, a moment ago
                    if (await store.sources.state(source.name)).failures:
                        troubles.append(f"{fault}: {source.name} does not recover")
    troubles += await broken(store, {one.name: one.guard for one in EVERY}, Seen(heads=tuple(heads)))
    troubles += [] if set(heads[1:]) == {len(EVERY)} else [f"the head moved: {sorted(set(heads))}"]
    keep(row(results, troubles, time.monotonic() - begun_s))
    assert troubles == []


def _held_off(outcome: Outcome, fault: str) -> bool:
    if outcome.result == "unchanged":
        return fault in HARMLESS
    return outcome.result in {"failed", "held"} and outcome.code != "INTERNAL" and bool(outcome.message)


def row(results: Counter[str], troubles: list[str], seconds: float) -> Row:
    """Return the row of the report."""
    return Row(
        name="upstream",
        fault=f"upstream: {len(FAULTS)} faults (4xx, 5xx, slow, hanging, cut off, wrong length, endless, zip bomb,"
        f" redirects elsewhere, TLS, garbage) against each of {len(EVERY)} sources",
        runs=len(FAULTS) * len(EVERY),
        lost=len(troubles),
        refused=results["failed"] + results["held"],
        held="the head stays, the source says why, all others sync meanwhile, and it recovers by itself",
        seconds=round(seconds, 1),
    )
