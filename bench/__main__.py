"""``make bench``: what a weekly Public file costs from bytes to answers, as a Markdown table.

Each row names what it is held against: a limit that no correct program beats here, or the obvious
peer, measured in the same run on the same data. Times are medians; quote the ratios.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import platform
import socket
import statistics
import struct
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog
import zstandard
from deepdiff import DeepDiff

from bench.history import imports
from bench.line import SOURCE, Content, committed, parsed
from bench.measure import Row, cpu, mb, ms, timed, times, used
from bench.pages import pages
from bench.queries import queries
from bench.serving import serving
from bench.streams import streams
from bench.webhooks import webhooks
from bench.weeks import weeks
from catalog_service.catalog.diff import diff
from catalog_service.catalog.guard import unsafe_reasons
from catalog_service.catalog.lookup import LookupIndex
from catalog_service.store.connect import Store, open_store
from catalog_service.sync.run import run_source
from schema import prefix
from schema.document import Document, Provenance
from schema.endpoint_set import content_digest
from schema.version import SourceState
from scrapers import service_tags
from scrapers.mirror import FolderMirror
from scrapers.source import Source
from scrapers.upstream import Upstream


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    kind, files = weeks(53)
    print(f"{kind}, {len(files)} weeks; Python {platform.python_version()}, {cpu()}\n")
    print("| measured | ours | against | ratio |\n|---|---|---|---|")
    for row in rows(files):
        print(f"| {row.what} | {row.ours} | {row.against} | {row.ratio} |", flush=True)


def rows(files: list[bytes]) -> Iterator[Row]:
    before, after = parsed(files[-2]), parsed(files[-1])
    yield from pipeline(files, before)
    yield from diffs(before, after)
    yield from lookups(after)
    yield from asyncio.run(storage([parsed(file) for file in files], files))
    yield from pages()
    yield from asyncio.run(imports())
    yield from asyncio.run(queries())
    yield from serving(files[-1])
    yield from webhooks(files)
    yield from streams()


def pipeline(files: list[bytes], before: Content) -> Iterator[Row]:
    """Bytes to a changeset, in memory, the week before being known."""
    decode = timed(lambda: msgspec.json.decode(files[-1]))
    known = timed(lambda: parsed(files[-1]), before=lambda: warmed(files[-2]))
    cold = timed(lambda: parsed(files[-1]), before=lambda: warmed(None), runs=3)
    after = parsed(files[-1])
    changes = diff(before, after)
    yield Row("decode JSON alone (the limit)", ms(decode))
    yield Row("parse and normalize, last week known", ms(known), f"decode alone {ms(decode)}", times(known, decode))
    yield Row("parse and normalize, first time", ms(cold), f"decode alone {ms(decode)}", times(cold, decode))
    yield Row("digest of the content", ms(timed(lambda: content_digest(after))))
    yield Row("guard", ms(timed(lambda: unsafe_reasons(SOURCE.guard, before, after, changes))))


def diffs(before: Content, after: Content) -> Iterator[Row]:
    ours = timed(lambda: diff(before, after))
    tuples = [{record.id: record.prefixes for record in side} for side in (before, after)]
    sets = [{id_: set(prefixes) for id_, prefixes in side.items()} for side in tuples]
    changed = [id_ for id_, prefixes in tuples[1].items() if tuples[0].get(id_, ()) != prefixes]
    limit = timed(lambda: set_operations(tuples, sets))
    sides = [{record.id: msgspec.to_builtins(record) for record in side} for side in (before, after)]
    peer = timed(lambda: DeepDiff(sides[0], sides[1], ignore_order=True), runs=1)
    yield Row(
        f"diff of two weeks ({len(changed)} tags changed)",
        ms(ours),
        f"set operations alone {ms(limit)}",
        times(ours, limit),
    )
    yield Row("the same", ms(ours), f"DeepDiff over the map {ms(peer)}", times(ours, peer))


def set_operations(tuples: list[dict[str, tuple[str, ...]]], sets: list[dict[str, set[str]]]) -> list[object]:
    """The limit of a diff: which tags differ, and two set differences each, on sets that are there already."""
    before, after = sets
    return [
        (after[id_] - before[id_], before[id_] - after[id_])
        for id_, prefixes in tuples[1].items()
        if id_ in before and prefixes != tuples[0][id_]
    ]


def lookups(content: Content) -> Iterator[Row]:
    built = timed(lambda: LookupIndex(content), runs=3)
    index = LookupIndex(content)
    numbers = range(13 << 24, (13 << 24) + 10_000 * 4001, 4001)
    queries = [socket.inet_ntop(socket.AF_INET, struct.pack("!I", number)) for number in numbers]
    floor = timed(lambda: [socket.inet_pton(socket.AF_INET, query) for query in queries])
    whole = timed(lambda: [index.lookup(query) for query in queries])
    yield Row("build the lookup index", ms(built))
    yield Row("10,000 lookups, records", ms(whole), f"reading the addresses {ms(floor)}", times(whole, floor))
    yield Row("one lookup, records", f"{whole / len(queries) * 1e6:.1f} us")


async def storage(contents: list[Content], files: list[bytes]) -> list[Row]:
    """Commit every week into an embedded Redis, then load them back."""
    plain = sum(len(msgspec.json.encode(msgspec.json.decode(file))) for file in files)
    packed = sum(len(zstandard.compress(msgspec.json.encode(msgspec.json.decode(file)), 3)) for file in files)
    with tempfile.TemporaryDirectory() as directory:
        async with open_store(None, Path(directory), service=True) as store:
            empty = await used(store)
            commits, number = await committed(store, contents)
            stored = await used(store) - empty
            loads = [await loaded(store, version) for version in range(1, number + 1)]
        async with open_store(None, Path(directory) / "sync", service=True) as store:
            warmed(None)
            syncs = [await synced(store, file) for file in files[-12:]]
    decode = timed(lambda: msgspec.json.decode(files[-1]))
    whole = statistics.median(seconds for result, seconds in syncs[1:] if result == "committed")
    return [
        Row(
            "bytes to committed version, whole sync of a week",
            ms(whole),
            f"decode JSON {ms(decode)}",
            times(whole, decode),
        ),
        Row("commit of a changed week", ms(statistics.median(commits))),
        Row(f"Redis memory of {number} versions", mb(stored), f"compact JSON {mb(plain)}", f"1/{plain / stored:.0f}"),
        Row("the same", mb(stored), f"zstd-3 a version {mb(packed)}", f"1/{packed / stored:.0f}"),
        Row(
            "load any version (median)",
            ms(statistics.median(loads)),
            f"decode JSON {ms(decode)}",
            times(statistics.median(loads), decode),
        ),
        Row("load the slowest version", ms(max(loads)), f"decode JSON {ms(decode)}", times(max(loads), decode)),
    ]


async def synced(store: Store, file: bytes) -> tuple[str, float]:
    """Run the source's whole sync on ``file``, its fetch replaced by the bytes at hand."""

    async def fetch(source: Source, upstream: Upstream, state: SourceState, now: datetime) -> Document:
        return Document(file, Provenance(source.url, now, f"sha256:{hashlib.sha256(file).hexdigest()}"))

    source = msgspec.structs.replace(SOURCE, fetch=fetch)
    start = time.perf_counter()
    outcome = await run_source(source, FolderMirror(Path()), store, lambda: datetime.now(UTC))
    return outcome.result, time.perf_counter() - start


async def loaded(store: Store, version: int) -> float:
    start = time.perf_counter()
    assert await Store(store.redis).contents.content(SOURCE.name, version)
    return time.perf_counter() - start


def warmed(file: bytes | None) -> None:
    """Forget every remembered prefix, then read ``file``."""
    prefix._parsed.cache_clear()  # noqa: SLF001 - what a new process does not know yet
    service_tags._prefixes.cache_clear()  # noqa: SLF001
    if file:
        parsed(file)


if __name__ == "__main__":
    main()
