"""Stages of a sync: each is timed, for the metrics, the trace and the one line that is logged of the run.

Called by the spine and by what it calls; `timed` once a run, around all of them.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar

from catalog_service.metrics import SYNC_STAGE_SECONDS
from catalog_service.tracing import span

_took: ContextVar[dict[str, float] | None] = ContextVar("took", default=None)


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Time a block as the stage ``name``: fetch, parse, compare or commit."""
    begun_s = time.perf_counter()
    try:
        with span(name):
            yield
    finally:
        seconds = time.perf_counter() - begun_s
        SYNC_STAGE_SECONDS.labels(name).observe(seconds)
        if (took := _took.get()) is not None:
            took[name] = round(took.get(name, 0.0) + seconds, 3)


@contextlib.contextmanager
def timed() -> Iterator[dict[str, float]]:
    """Give the seconds that each stage within a block took, threads of its own included, as they come to be known."""
    took: dict[str, float] = {}
    before = _took.set(took)
    try:
        yield took
    finally:
        _took.reset(before)
