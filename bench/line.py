"""A version line out of weekly files, for rows of the benchmark that ask of many versions."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from catalog_service.catalog.diff import diff
from catalog_service.store.commits import Commit
from catalog_service.store.connect import Store
from schema.change import summarize
from schema.document import Document, Provenance
from schema.endpoint_set import EndpointSet, content_digest
from schema.version import SourceState, Version, count
from scrapers.service_tags import parse_service_tags
from scrapers.sources import SOURCES, source_named

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SOURCE = source_named(SOURCES, "azure-service-tags-public")
Content = tuple[EndpointSet, ...]


def parsed(file: bytes) -> Content:
    return parse_service_tags(SOURCE, Document(file, Provenance(SOURCE.url, NOW, ""))).endpoint_sets


async def committed(store: Store, contents: Iterable[Content]) -> tuple[list[float], int]:
    """Commit each content that differs from the one before, a week apart; the seconds of each commit, and the last."""
    lease = await store.leases.acquire(SOURCE.name)
    assert lease is not None
    taken: list[float] = []
    before: Content = ()
    previous: int | None = None
    for week, content in enumerate(contents):
        if not (changes := diff(before, content)):
            continue
        at = NOW - timedelta(weeks=200 - week)
        version = Version(
            version=0, source=SOURCE.name, fetched_at=at, committed_at=at, digest=content_digest(content),
            counts=count(content), summary=summarize(changes), url=SOURCE.url, document="", previous=previous,
        )  # fmt: skip
        start = time.perf_counter()
        previous = (await store.commits.commit(lease, Commit(version, changes, content, SourceState()))).version
        taken.append(time.perf_counter() - start)
        before = content
    return taken[1:], previous or 0
