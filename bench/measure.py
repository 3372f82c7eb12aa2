"""A row of the benchmark's table, and how its numbers are taken. Called by every module of the benchmark."""

from __future__ import annotations

import gc
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from catalog_service.store.connect import Store


class Row(NamedTuple):
    what: str
    ours: str
    against: str = ""
    ratio: str = ""


def timed(work: Callable[[], object], runs: int = 7, before: Callable[[], object] = lambda: None) -> float:
    """Return the median seconds of ``work``; ``before`` each run is not counted."""
    taken = []
    for _ in range(runs):
        before()
        gc.collect()
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def ms(seconds: float) -> str:
    return f"{seconds * 1000:,.1f} ms"


def mb(size: float) -> str:
    return f"{size / 1e6:,.2f} MB"


def times(ours: float, other: float) -> str:
    return f"{ours / other:.1f}x" if ours >= other else f"1/{other / ours:,.0f}"


async def used(store: Store) -> int:
    return int((await store.redis.info("memory"))["used_memory"])


def cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
