"""Every fault of an upstream, against every source: the head stays, the others go on, and it recovers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import pytest
from msgspec.structs import replace

from catalog_service.store.connect import Store
from catalog_service.sync.run import Outcome, run_source
from scrapers.client import ClientSettings, LiveUpstream, public_address
from scrapers.demo import demo_sources
from scrapers.mirror import mirror_name
from scrapers.source import Source
from scrapers.sources import SOURCES
from scrapers.upstream import Response, Upstream
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
RETYPED = frozenset({"a wrong content-type", "another wrong content-type"})
"""The document as it is, whatever it is called: the body decides, and every source reads it as before."""
HARMLESS = frozenset({"304", "404", "UTF-16", "NUL bytes", "slow"}) | RETYPED
"""Not modified is what it was; a page has two forms, of which one may be missing; the same text in another coding, or
slowly, is the same."""
REASONS = {
    **{name: f"answered {name} " for name in FAULTS if name.isdecimal()},
    "no HTTP": "Bad status line",
    "slow": "TimeoutError",
    "hanging": "Timeout on reading",
    "cut off": "Not enough data to satisfy content length",
    "without its last chunk": "Not enough data to satisfy transfer length",
    "wrong length": "Data after `Connection: close`",
    "endless": "is larger than",
    "zip bomb": "is larger than",
    "damaged gzip": "while decompressing",
    "reset": "Server disconnected|Connection reset|Cannot write",
    "long headers": "Got more than 65536 bytes",
    "redirect to another host": "elsewhere.example/ is not on an allowed host",
    "redirect to the inside": "169.254.169.254/latest/meta-data is not on an allowed host",
    "redirect to a file": "file:///etc/passwd is not on an allowed host",
    "redirect in circles": "redirects too often",
    "TLS that nobody trusts": "CERTIFICATE_VERIFY_FAILED",
}
"""What the reason says, one of several."""
NO_DOCUMENT = "names no ServiceTags_|not a service-tag file|not a version answer|the body is |the document is |cannot be read whole"
"""What it says of an answer that came whole and is none."""
MOST_REASON = 500
"""Characters, with an address; no page of upstream's fits in."""


class Mapped:
    """The hostile server in place of every upstream: as a mirror, but the type is what the server says, as it is live."""

    def __init__(self, client: Upstream, base_url: str) -> None:
        self._client, self._base = client, base_url

    async def get(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, accept: str = "*/*"
    ) -> Response | None:
        address = f"{self._base}/{quote(mirror_name(url), safe='/=&:,+@~')}"
        answer = await self._client.get(address, etag=etag, last_modified=last_modified, accept=accept)
        return answer and replace(answer, url=public_address(url))


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
        upstream = Mapped(client, hostile.url)
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
                    if one.result == "failed" and not (state.failures and _says_why(state.error or "", fault)):
                        troubles.append(f"{fault}: {one.source} does not say why: {state.error}")
                for source in well:  # which met it, or the one before, a moment ago
                    if (await store.sources.state(source.name)).failures:
                        troubles.append(f"{fault}: {source.name} does not recover")
    troubles += await broken(store, {one.name: one.guard for one in EVERY}, Seen(heads=tuple(heads)))
    troubles += [] if set(heads[1:]) == {len(EVERY)} else [f"the head moved: {sorted(set(heads))}"]
    keep(row(results, troubles, time.monotonic() - begun_s))
    assert troubles == []


def _says_why(error: str, fault: str) -> bool:
    said = any(one in error for one in REASONS.get(fault, NO_DOCUMENT).split("|"))
    return said and len(error) <= MOST_REASON and error.isprintable()


def _held_off(outcome: Outcome, fault: str) -> bool:
    if fault in RETYPED:
        return outcome.result == "unchanged"
    if outcome.result == "unchanged":
        return fault in HARMLESS
    return outcome.result in {"failed", "held"} and outcome.code != "INTERNAL" and bool(outcome.message)


def row(results: Counter[str], troubles: list[str], seconds: float) -> Row:
    """Return the row of the report."""
    return Row(
        name="upstream",
        fault=f"upstream: {len(FAULTS)} faults (4xx, 5xx, slow, hanging, cut off, wrong length, endless, zip bomb,"
        f" redirects elsewhere, TLS, wrong content-type, garbage) against each of {len(EVERY)} sources",
        runs=len(FAULTS) * len(EVERY),
        lost=len(troubles),
        refused=results["failed"] + results["held"],
        held="the head stays, the source says why in a sentence, a body is judged by what it is and not by its type, all others sync meanwhile, and it recovers by itself",
        seconds=round(seconds, 1),
    )
