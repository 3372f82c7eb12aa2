"""One run of a source, under its lease, and what came of it.

An error ends up in the source's state and in the `Outcome`, never in another source's run. Called by
the scheduler and the command line.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from datetime import datetime

import structlog
from msgspec import Struct
from msgspec.structs import replace
from redis.exceptions import RedisError

from catalog_service.metrics import SYNC_RUNS
from catalog_service.store.connect import Store
from catalog_service.store.leases import Lease
from catalog_service.sync.candidate import STALE_FOR
from catalog_service.sync.once import sync_once
from catalog_service.sync.stage import timed
from catalog_service.tracing import span
from schema.change import Summary
from schema.clock import Clock
from schema.document import Document
from schema.errors import (
    CatalogError,
    FencedError,
    FetchError,
    ParseError,
    StaleHeadError,
    StoreError,
    UnknownDocumentError,
    UnsafeChangesetError,
)
from schema.version import AuditEntry, SourceState, Version
from scrapers.source import Source
from scrapers.upstream import Response, Upstream

_STALE_HEAD_ATTEMPTS = 3
_log = structlog.get_logger()


class Outcome(Struct, frozen=True, omit_defaults=True):
    """What one run of a source came to.

    ``result``: committed, unchanged, stale (upstream serves superseded content), rejected (upstream serves
    what a person turned down), held, failed, or busy (another runner has the lease).
    """

    source: str
    result: str
    version: int | None = None
    summary: Summary | None = None
    held: str | None = None
    code: str | None = None
    message: str | None = None
    reasons: tuple[str, ...] = ()


async def run_source(
    source: Source, upstream: Upstream, store: Store, clock: Clock, audit: AuditEntry | None = None
) -> Outcome:
    """Sync ``source`` under its lease and say what came of it; an error ends up in the source's state.

    ``audit`` tells of a person who asked for it: of what is published or held, in the same step.
    """
    begun_s = time.perf_counter()
    with timed() as stages, span("sync", source=source.name) as traced:
        outcome = await _under_lease(source, upstream, store, clock, audit)
        traced.set_attribute("catalog.result", outcome.result)
    SYNC_RUNS.labels(source.name, outcome.result).inc()
    if not (outcome.result == "busy" and not stages):  # somebody else's run, which logs its own line
        _logged(outcome, time.perf_counter() - begun_s, stages)
    return outcome


async def reparse_source(source: Source, store: Store, clock: Clock, audit: AuditEntry | None = None) -> Outcome:
    """Read what upstream said last once more, from the kept document: after a parser was mended.

    Upstream is not asked, so what is known of it stays as it is, but for a document that can be read now. ``audit`` as
    of `run_source`.

    Raises:
        UnknownDocumentError: no such document is kept.
    """
    async with store.leases.hold(source.name) as lease:
        if lease is None:
            return _busy(source)
        kept = await store.documents.get(await _last_said(source.name, store))

        async def again(_source: Source, _upstream: Upstream, _state: SourceState, _now: datetime) -> Document:
            return kept.document

        asked = await store.sources.state(source.name)
        outcome = await _outcome(replace(source, fetch=again), _Nowhere(), store, lease, clock, audit)
        state = await store.sources.state(source.name)
        await store.sources.record(lease, _as_asked(state, asked))
    return outcome


async def _under_lease(
    source: Source, upstream: Upstream, store: Store, clock: Clock, audit: AuditEntry | None
) -> Outcome:
    try:
        async with store.leases.hold(source.name) as lease:
            if lease is None:
                return _busy(source)
            return await _outcome(source, upstream, store, lease, clock, audit)
    except (RedisError, OSError) as error:
        return Outcome(source.name, "failed", code=StoreError.code, message=f"Redis does not answer: {error}")


def _logged(outcome: Outcome, seconds: float, stages: Mapping[str, float]) -> None:
    """Log the one line of a run."""
    log = _log.warning if outcome.result in {"held", "failed"} else _log.info
    log(
        "sync",
        source=outcome.source,
        result=outcome.result,
        version=outcome.version,
        message=outcome.message,
        reasons=outcome.reasons,
        seconds=round(seconds, 3),
        stages=stages,
    )


def _busy(source: Source) -> Outcome:
    return Outcome(source.name, "busy", message="another runner syncs this source")


def _as_asked(state: SourceState, asked: SourceState) -> SourceState:
    """Return ``state`` with what was known of upstream before a kept document was read again."""
    unread = asked.error_code == ParseError.code  # that is over, or said anew
    kept = replace(
        asked,
        rejected=state.rejected,
        read_at=state.read_at,
        last_document=state.last_document,
        validated_by=state.validated_by,
        degraded_since=state.degraded_since,  # what was told was told
    )
    if not unread:
        return kept
    return replace(kept, failures=state.failures, error=state.error, error_code=state.error_code, reasons=state.reasons)


async def _last_said(source: str, store: Store) -> str:
    """Return the digest of the last document of ``source``: of no version, the held one's, or the served one's."""
    if last := (await store.sources.state(source)).last_document:
        return last
    if held := await store.sources.held_of(source):
        return held.provenance.digest
    if numbers := await store.versions.line(source, None, 1):
        return (await store.versions.version(numbers[0])).document
    raise UnknownDocumentError(f"no document of {source} is kept: it was never read", source=source)


class _Nowhere:
    """An upstream that has nothing: a kept document needs none."""

    async def get(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, accept: str = "*/*"
    ) -> Response | None:
        raise FetchError(f"{url} is not asked: a kept document is read", url=url)


async def _outcome(
    source: Source, upstream: Upstream, store: Store, lease: Lease, clock: Clock, audit: AuditEntry | None
) -> Outcome:
    try:
        version = await _attempts(source, upstream, store, lease, clock, audit)
    except UnsafeChangesetError as error:
        held = str(error.facts.get("held"))
        return Outcome(source.name, "held", held=held, code=error.code, message=str(error), reasons=error.reasons)
    except FencedError as error:
        return Outcome(source.name, "busy", code=error.code, message=str(error))
    except CatalogError as error:
        return await _failed(source.name, store, lease, clock(), error.code, error)
    except (RedisError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - a fault in one parser must not stop the other sources
        _log.exception("sync failed", source=source.name)
        return await _failed(source.name, store, lease, clock(), "INTERNAL", error)
    if version:
        return Outcome(source.name, "committed", version.version, version.summary)
    if turned_down := await store.sources.held_of(source.name):
        message = "upstream serves what a person turned down"
        return Outcome(source.name, "rejected", held=turned_down.id, message=message)
    if (await store.sources.state(source.name)).stale_since is None:
        return Outcome(source.name, "unchanged")
    days = STALE_FOR.days
    message = (
        f"upstream serves content that was superseded; a person is asked when it does for {days} days or dates it anew"
    )
    return Outcome(source.name, "stale", message=message)


async def _attempts(
    source: Source, upstream: Upstream, store: Store, lease: Lease, clock: Clock, audit: AuditEntry | None
) -> Version | None:
    for _ in range(_STALE_HEAD_ATTEMPTS - 1):
        with contextlib.suppress(StaleHeadError):
            return await sync_once(source, upstream, store, lease, clock, audit)
    return await sync_once(source, upstream, store, lease, clock, audit)


async def _failed(source: str, store: Store, lease: Lease, now: datetime, code: str, error: Exception) -> Outcome:
    state = await store.sources.state(source)
    reasons = error.reasons if isinstance(error, ParseError) else ()
    failed = replace(
        state, checked_at=now, failures=state.failures + 1, error=str(error), error_code=code, reasons=reasons
    )
    with contextlib.suppress(FencedError):
        await store.sources.record(lease, failed)
    return Outcome(source, "failed", code=code, message=str(error), reasons=reasons)
