"""What questions cost over two years of weekly files: diffs, biographies, GraphQL, a cold start. Rows of the table."""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import strawberry

from bench.line import SOURCE, committed, parsed
from bench.measure import Row, ms, timed, times
from bench.serving import free_port
from bench.weeks import weeks
from catalog_service.api.graphql.asked import Door
from catalog_service.api.graphql.schema import schema
from catalog_service.api.hub import Hub
from catalog_service.api.reads.biographies import biography
from catalog_service.api.reads.diffs import diff_between
from catalog_service.catalog.compare import DiffFilter
from catalog_service.catalog.diff import diff
from catalog_service.reader import Reader
from catalog_service.store.connect import open_store
from catalog_service.views.records import record_view
from schema.version import Point

_WEEKS = 88
_STARTS = 3
_GIVE_UP_S = 30.0
_SIX_FIELDS = "{ endpoints(first: 1000) { nodes { id title service region cloud source } } }"
_WHOLE = "{ endpoints(first: 5000) { nodes { id title service region cloud source prefixes } } }"


async def queries() -> list[Row]:
    """Ask a store of the version line of up to 88 weeks."""
    with tempfile.TemporaryDirectory() as directory:
        async with open_store(None, Path(directory), service=True) as store:
            _, newest = await committed(store, map(parsed, weeks(_WEEKS)[1]))
            reader = Reader(store, warm=True)
            await reader.refresh()
            rows = [*await _diffs(reader, newest), *await _biographies(reader, newest), *await _graphql(reader)]
        return [*rows, _cold_start(Path(directory), newest)]


async def _diffs(reader: Reader, newest: int) -> list[Row]:
    since, until = Point(1), Point(newest)
    folded = await _seconds(lambda: reader.difference(since, until))

    async def both() -> object:
        contents = [await reader.store.contents.snapshot(point) for point in (since, until)]
        return await asyncio.to_thread(diff, contents[0].endpoint_sets, contents[1].endpoint_sets)

    loaded = await _seconds(both)
    explained = await _seconds(lambda: diff_between(reader, since, until, DiffFilter()))
    spaced = await _seconds(lambda: diff_between(reader, since, until, DiffFilter(), space=True))
    return [
        Row(
            f"diff across {newest} versions, folded",
            ms(folded),
            f"load both and compare {ms(loaded)}",
            times(folded, loaded),
        ),
        Row("the same with impact, noise and moves", ms(explained), f"folded {ms(folded)}", times(explained, folded)),
        Row("and with the addresses gained and lost", ms(spaced), f"folded {ms(folded)}", times(spaced, folded)),
    ]


async def _biographies(reader: Reader, newest: int) -> list[Row]:
    prefixes = reader.current.endpoint_sets[-1].prefixes[:1] + reader.current.endpoint_sets[0].prefixes[:20]

    async def every() -> None:
        for prefix in prefixes:
            await biography(reader, (SOURCE.info,), prefix)

    start = time.perf_counter()
    await biography(reader, (SOURCE.info,), prefixes[0])
    first = time.perf_counter() - start
    one = await _seconds(every) / len(prefixes)
    return [
        Row(f"the past of {newest} versions, read once a process", ms(first)),
        Row(f"biography of a prefix over {newest} versions", ms(one)),
    ]


async def _graphql(reader: Reader) -> list[Row]:
    ours, stock = schema(), schema(fast=False)
    assert (await _answered(ours, reader, _SIX_FIELDS)) == (await _answered(stock, reader, _SIX_FIELDS))
    fast = await _seconds(lambda: _answered(ours, reader, _SIX_FIELDS))
    slow = await _seconds(lambda: _answered(stock, reader, _SIX_FIELDS), runs=3)
    whole = await _seconds(lambda: _answered(ours, reader, _WHOLE))
    plain = [msgspec.to_builtins(record_view(reader.current, one)) for one in reader.current.endpoint_sets]
    fields = ("id", "title", "service", "region", "cloud", "source", "prefixes")
    data = [{name: one.get(name) for name in fields} for one in plain]
    limit = timed(lambda: msgspec.json.encode(data))
    return [
        Row("GraphQL, page of 1,000 records x 6 fields", ms(fast), f"stock strawberry {ms(slow)}", times(fast, slow)),
        Row(
            f"GraphQL, all {len(data):,} records with prefixes",
            ms(whole),
            f"msgspec.json.encode of the same {ms(limit)}",
            times(whole, limit),
        ),
    ]


async def _answered(made: strawberry.Schema, reader: Reader, query: str) -> bytes:
    door = Door(reader, (SOURCE.info,), Hub(reader))
    result = await made.execute(query, context_value=door)
    assert not result.errors, result.errors
    return msgspec.json.encode(result.data)


def _cold_start(directory: Path, newest: int) -> Row:
    """Start the service anew on the version line, with its bytecode compiled as an installed program has it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(directory / "bytecode")
    taken = [_started(directory, environment) for _ in range(_STARTS + 1)]
    return Row(f"cold start of serve on {newest} versions, to its first answer", ms(statistics.median(taken[1:])))


def _started(directory: Path, environment: dict[str, str]) -> float:
    port = free_port()
    command = [sys.executable, "-m", "catalog_service", "serve", "--data-dir", str(directory), "--port", str(port)]
    start = time.perf_counter()
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            while time.perf_counter() - start < _GIVE_UP_S:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/endpoints?limit=1", timeout=5) as answer:
                        answer.read()
                        return time.perf_counter() - start
                except (urllib.error.URLError, ConnectionError):
                    time.sleep(0.005)
            raise RuntimeError("the service does not start")
        finally:
            process.terminate()


async def _seconds(work: Callable[[], Awaitable[object]], runs: int = 7) -> float:
    """Return the median seconds of ``work``, once done before, with what the benchmark itself holds out of gc's way."""
    await work()
    gc.collect()
    gc.freeze()
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        await work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)
