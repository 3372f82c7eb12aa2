"""``/`` for browsers: how each source is, what waits for a person, and the latest versions."""

from __future__ import annotations

from datetime import UTC, datetime

from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.pages.page import Pages
from catalog_service.api.reads.sources import source_views
from catalog_service.api.reads.versions import version_page
from catalog_service.reader import Reader
from schema.version import Counts, Version

_LATEST = 15


async def home(pages: Pages, request: Request) -> Response:
    """Answer with the state of the catalogue; it moves without a new version."""
    reader = pages.context.reader
    counts = tuple(content.version.counts for content in reader.current.contents)
    body = pages.body(
        request,
        "home.html",
        snapshot=reader.current,
        counts=_sum(counts),
        sources=await source_views(reader, pages.context.sources),
        held=(await reader.standing()).held,
        latest=await _latest(reader),
        troubles=reader.troubles,
        now=datetime.now(UTC),
    )
    response = await pages.context.answers.unversioned(request, body)
    response.headers["Vary"] = "Accept, Accept-Encoding"
    return response


async def _latest(reader: Reader) -> tuple[Version, ...] | None:
    """Return the newest versions, None while the store is away."""
    try:
        return None if reader.away else (await version_page(reader, None, _LATEST, None)).items
    except (RedisError, OSError):
        return None


def _sum(counts: tuple[Counts, ...]) -> Counts:
    return Counts(
        sum(one.endpoint_sets for one in counts),
        sum(one.prefixes for one in counts),
        sum(one.fqdns for one in counts),
    )
