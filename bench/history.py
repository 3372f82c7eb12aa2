"""What importing years of files costs, in time and in Redis, against decoding their JSON: rows of the benchmark.

The files are the real archives of all four clouds where the corpus is there, else made-up weeks. Archives are
unpacked before the clock starts; reading each file, parsing, comparing and storing it are counted.
"""

from __future__ import annotations

import collections
import contextlib
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from bench.corpus import data_lines, opened_line
from bench.measure import Row, mb, times, used
from bench.weeks import CORPUS, weeks
from catalog_service.store.connect import Store, open_store
from catalog_service.sync.history import import_history
from scrapers.history.files import HistoricFile
from scrapers.source import Source
from scrapers.sources import SOURCES, source_named

Past = tuple[Source, tuple[HistoricFile, ...]]


async def imports() -> list[Row]:
    """Import every file into an embedded Redis, and once more."""
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory() as directory:
        pasts = _pasts(stack, Path(directory))
        count = sum(len(files) for _, files in pasts)
        start = time.perf_counter()
        collections.deque(_decoded(pasts), maxlen=0)
        decode = time.perf_counter() - start
        plain = sum(len(msgspec.json.encode(decoded)) for decoded in _decoded(pasts))
        async with open_store(None, Path(directory) / "data", service=True) as store:
            empty = await used(store)
            first, imported = await _imported(store, pasts)
            stored = await used(store) - empty
            again, nothing = await _imported(store, pasts)
            assert nothing == 0, "importing twice makes versions"
    return [
        Row(
            f"import {count} files of {len(pasts)} sources",
            f"{count / first:.0f} files/s",
            f"read and decode JSON alone {count / decode:.0f} files/s",
            times(first, decode),
        ),
        Row("import them again: nothing new", f"{count / again:.0f} files/s", "", ""),
        Row(
            f"Redis memory of {imported} versions over years, with the documents kept",
            f"{mb(stored)}, {stored / imported / 1000:.1f} kB a version",
            f"compact JSON {mb(plain)}",
            f"1/{plain / stored:.0f}",
        ),
    ]


def _pasts(stack: contextlib.ExitStack, directory: Path) -> list[Past]:
    if CORPUS.is_dir():
        lines = [line for line in data_lines(CORPUS.parent) if line.name.startswith("service-tags/")]
        return [(line.source, stack.enter_context(opened_line(line))) for line in lines]
    files = []
    for week, body in enumerate(weeks(53)[1]):
        at = datetime(2025, 1, 6, tzinfo=UTC) + timedelta(weeks=week)
        path = directory / f"ServiceTags_Public_{at:%Y%m%d}.json"
        path.write_bytes(body)
        files.append(HistoricFile(path.name, path, at))
    return [(source_named(SOURCES, "azure-service-tags-public"), tuple(files))]


def _decoded(pasts: list[Past]) -> Iterator[object]:
    for _, files in pasts:
        for file in files:
            yield msgspec.json.decode(file.path.read_bytes())


async def _imported(store: Store, pasts: list[Past]) -> tuple[float, int]:
    """Return the seconds it took and how many versions it made."""
    start, made = time.perf_counter(), 0
    for source, files in pasts:
        outcomes = await import_history(source, files, store, lambda: datetime.now(UTC))
        made += [outcome.result for outcome in outcomes].count("imported")
    return time.perf_counter() - start, made
