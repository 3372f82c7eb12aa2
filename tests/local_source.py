"""A source whose upstream is in the test's hands: real Source, no network."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

from msgspec import convert
from msgspec.structs import replace

from schema.document import Document, Provenance, Reading
from schema.endpoint_set import EndpointSet
from schema.errors import FetchError, ParseError
from schema.guard import GuardLimits
from schema.version import SourceState
from schema.words import Cloud
from scrapers.source import Source
from scrapers.upstream import Response, Upstream
from tests.records import record

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that the test moves."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


class Shelf:
    """An Upstream of bodies by address; a missing one is a FetchError, an etag that matches is None."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.asked = 0

    async def get(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, accept: str = "*/*"
    ) -> Response | None:
        self.asked += 1
        if url not in self.bodies:
            raise FetchError(f"{url} answers 404", url=url, status=404)
        tag = hashlib.sha256(self.bodies[url]).hexdigest()
        return None if tag == etag else Response(url, self.bodies[url], "application/json", etag=tag)


def body(records: dict[str, list[str]], at: str | None = None) -> bytes:
    """A document of tag -> prefixes, with the upstream's own date."""
    return json.dumps({"at": at, "tags": records}).encode()


async def fetch(source: Source, upstream: Upstream, state: SourceState, now: datetime) -> Document | None:
    response = await upstream.get(source.url, etag=state.etag if state.validated_url == source.url else None)
    if response is None:
        return None
    digest = f"sha256:{hashlib.sha256(response.body).hexdigest()}"
    return Document(response.body, Provenance(source.url, now, digest, response.media_type, etag=response.etag))


def parse(source: Source, document: Document) -> Reading:
    try:
        read = json.loads(document.body)
        tags = convert(read["tags"], dict[str, list[str]])
    except (ValueError, KeyError, TypeError) as error:
        raise ParseError("not a tag file", reasons=(repr(error),)) from error
    made = tuple(sorted((_made(source, tag, tags[tag]) for tag in tags), key=lambda one: one.id))
    return Reading(made, upstream_at=datetime.fromisoformat(read["at"]) if read["at"] else None)


def _made(source: Source, tag: str, prefixes: list[str]) -> EndpointSet:
    return replace(record(tag, prefixes=tuple(prefixes)), id=f"{source.name}:{tag}", source=source.name)


def local_source(name: str = "a-source", limits: GuardLimits | None = None) -> Source:
    """A source at an address that only a `Shelf` knows."""
    return Source(
        name=name,
        title=name,
        cloud=Cloud.PUBLIC,
        url=f"https://upstream.invalid/{name}",
        fetch=fetch,
        parse=parse,
        guard=limits or GuardLimits(min_endpoint_sets=1),
        interval_s=3600,
    )
