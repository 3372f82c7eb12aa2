"""REST, version 1: each handler parses, asks `reads` and encodes.

Reads of the current version never wait for Redis: they come from the snapshot in memory, or from the
bodies `Answers` keeps.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

import msgspec
from msgspec.structs import replace
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog_service.api import reads
from catalog_service.api.answers import Answers, Body, Subject, content_of
from catalog_service.api.negotiation import preferred
from catalog_service.api.parameters import FILTERS, at_of, filter_of, is_number, known, limit_of, many, one
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.export.choose import chosen
from catalog_service.export.formats import FORMATS, MEDIA_TYPES, render
from catalog_service.reader import Reader
from catalog_service.views import RecordPage, VersionPage, record_view
from schema.errors import BadParameterError

VERSIONS_DEFAULT, VERSIONS_MOST = 50, 500
RECORDS_DEFAULT, RECORDS_MOST = 500, 5000
_encode = msgspec.json.encode


class Rest:
    """The handlers, over one reader."""

    def __init__(self, reader: Reader, sources: reads.Sources, *, demo: bool) -> None:
        self._reader = reader
        self._sources = sources
        # A demo's versions have the numbers that real ones at the same address will have: nobody may keep them.
        self._answers = Answers(immutable=not demo)

    def routes(self) -> list[Route]:
        """Return the routes; Starlette lets HEAD in wherever GET is."""
        return [
            Route("/v1/sources", self.sources),
            Route("/v1/versions", self.versions),
            Route("/v1/versions/{spec}", self.version),
            Route("/v1/endpoints", self.endpoints),
            Route("/v1/endpoints/{id}", self.endpoint),
            Route("/v1/diff/{span}", self.diff),
            Route("/v1/lookup", self.lookup),
            Route("/v1/allowlist", self.allowlist),
            Route("/v1/held", self.held),
            Route("/v1/held/{id}", self.held_version),
        ]

    async def sources(self, request: Request) -> Response:
        """``GET /v1/sources``: every source and how it is."""
        known(request)
        views = await reads.source_views(self._reader, self._sources)
        return await self._answers.unversioned(request, Body(_encode({"items": views})))

    async def versions(self, request: Request) -> Response:
        """``GET /v1/versions?source=&limit=&cursor=``: newest first."""
        given = known(request, "source", "limit", "cursor")
        source, cursor = one(given, "source"), one(given, "cursor")
        limit = limit_of(given, default=VERSIONS_DEFAULT, most=VERSIONS_MOST)
        if source:
            (source,) = reads.check_sources(self._reader, self._sources, (source,))

        async def rendered() -> Body:
            return _page(request, await reads.version_page(self._reader, source, limit, cursor))

        current = self._reader.current
        subject = Subject(content_of(current), current.version, "versions", f"{source or ''}\n{limit}\n{cursor or ''}")
        return await self._answers.versioned(request, subject, rendered)

    async def version(self, request: Request) -> Response:
        """``GET /v1/versions/{number, latest, latest~1, date}``."""
        known(request)
        spec = request.path_params["spec"]
        version = await reads.one_version(self._reader, spec)

        async def rendered() -> Body:
            return Body(_encode(version))

        subject = Subject(version.digest, version.version, "version", f"{version.committed_at}")
        return await self._answers.versioned(request, subject, rendered, immutable=is_number(spec), keep=False)

    async def endpoints(self, request: Request) -> Response:
        """``GET /v1/endpoints``: the records a filter keeps, by id, in pages."""
        given = known(request, *FILTERS, "at", "limit", "cursor")
        wanted, at = self._filter(given), at_of(given)
        limit = limit_of(given, default=RECORDS_DEFAULT, most=RECORDS_MOST)
        snapshot, after = await reads.page_start(self._reader, wanted, at, one(given, "cursor"))

        async def rendered() -> Body:
            page = await asyncio.to_thread(reads.record_page, snapshot, wanted, after, limit)
            return _page(request, page, reads.missing_sources(snapshot, self._sources, wanted))

        subject = Subject(
            content_of(snapshot), snapshot.version, "endpoints", f"{_canonical(wanted)}\n{limit}\n{after}"
        )
        return await self._answers.versioned(request, subject, rendered, immutable=is_number(at))

    async def endpoint(self, request: Request) -> Response:
        """``GET /v1/endpoints/{id}?at=``: one record."""
        at = at_of(known(request, "at"))
        snapshot = await self._reader.at(at)
        record = snapshot.endpoint_set(request.path_params["id"])

        async def rendered() -> Body:
            return Body(_encode(record_view(snapshot, record)))

        subject = Subject(content_of(snapshot), snapshot.version, "endpoint", record.id)
        return await self._answers.versioned(request, subject, rendered, immutable=is_number(at), keep=False)

    async def diff(self, request: Request) -> Response:
        """``GET /v1/diff/{from}...{to}?source=``: what leads from one version to another."""
        names = many(known(request, "source"), "source")
        wanted = Filter(sources=reads.check_sources(self._reader, self._sources, names))
        since, dots, until = request.path_params["span"].partition("...")
        if not (since and dots and until):
            raise BadParameterError("a diff is asked for as {from}...{to}, such as latest~1...latest", parameter="span")
        first, last = await reads.diff_span(self._reader, since, until)

        async def rendered() -> Body:
            return Body(_encode(await reads.diff_between(self._reader, first, last, wanted.sources)))

        subject = Subject(content_of(self._reader.current), last, "diff", f"{first}\n{_canonical(wanted)}")
        immutable = is_number(since) and is_number(until)
        return await self._answers.versioned(request, subject, rendered, immutable=immutable)

    async def lookup(self, request: Request) -> Response:
        """``GET /v1/lookup?q=&at=``: the records that cover an address, a block or a name."""
        given = known(request, "q", "at")
        query, at = one(given, "q"), at_of(given)
        if query is None:
            raise BadParameterError("q is needed: an address, a CIDR block or a host name", parameter="q")
        reads.check_ready(self._reader)
        snapshot = await self._indexed(at)

        async def rendered() -> Body:
            missing = _missing(reads.missing_sources(snapshot, self._sources, Filter()))
            return Body(_encode(reads.looked_up(snapshot, query)), headers=missing)

        subject = Subject(content_of(snapshot), snapshot.version, "lookup", query)
        return await self._answers.versioned(request, subject, rendered, immutable=is_number(at), keep=False)

    async def allowlist(self, request: Request) -> Response:
        """``GET /v1/allowlist?format=``: the unique prefixes and names of the records a filter keeps."""
        given = known(request, *FILTERS, "at", "format")
        wanted, at, format_ = self._filter(given), at_of(given), _format(request, one(given, "format"))
        reads.check_ready(self._reader)
        snapshot = await self._reader.at(at)
        missing = reads.check_published(self._reader, snapshot, self._sources, wanted)

        async def rendered() -> Body:
            return await asyncio.to_thread(_allowlist, snapshot, wanted, format_, missing)

        varies = "Accept-Encoding" if "format" in given else "Accept, Accept-Encoding"
        subject = Subject(
            content_of(snapshot), snapshot.version, "allowlist", f"{_canonical(wanted)}\n{format_}", varies
        )
        return await self._answers.versioned(request, subject, rendered, immutable=is_number(at))

    async def held(self, request: Request) -> Response:
        """``GET /v1/held``: the versions that wait for a person, oldest first."""
        known(request)
        held = await self._reader.store.sources.held()
        return await self._answers.unversioned(request, Body(_encode({"items": held})))

    async def held_version(self, request: Request) -> Response:
        """``GET /v1/held/{id}``: one of them, and what accepting it would change now."""
        known(request)
        view = await reads.held_view(self._reader, request.path_params["id"])
        return await self._answers.unversioned(request, Body(_encode(view)))

    def _filter(self, given: QueryParams) -> Filter:
        """Return the filter asked for, sources in their own spelling. Raises BadParameterError, UnknownSourceError."""
        wanted = filter_of(given)
        return replace(wanted, sources=reads.check_sources(self._reader, self._sources, wanted.sources))

    async def _indexed(self, at: str | None) -> Snapshot:
        """Return the snapshot with its lookup index, built off the event loop where it is not there yet."""
        snapshot = await self._reader.at(at)
        return snapshot if snapshot.warm else await asyncio.to_thread(snapshot.warm_up)


def _page(request: Request, page: RecordPage | VersionPage, missing: tuple[str, ...] = ()) -> Body:
    """Return ``page``, with a Link to the next one relative to the address asked for, whatever proxy is before it."""
    if page.next is None:
        return Body(_encode(page), headers=_missing(missing))
    given = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    link = f'<?{urlencode([*given, ("cursor", page.next)])}>; rel="next"'
    return Body(_encode(page), headers=(("Link", link), *_missing(missing)))


def _allowlist(snapshot: Snapshot, wanted: Filter, format_: str, missing: tuple[str, ...]) -> Body:
    media_type = dict(zip(FORMATS, MEDIA_TYPES, strict=True))[format_]
    return Body(render(format_, snapshot, chosen(snapshot, wanted), wanted.kinds), media_type, _missing(missing))


def _missing(sources: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return the header that names the sources an answer could not draw from yet; none when it is whole."""
    return (("X-Catalog-Missing-Sources", ", ".join(sources)),) if sources else ()


def _format(request: Request, name: str | None) -> str:
    if name is None:
        return FORMATS[MEDIA_TYPES.index(preferred(request.headers.get("accept", ""), MEDIA_TYPES))]
    if name not in FORMATS:
        message = f"{name!r} is not a format; there are {', '.join(FORMATS)}"
        raise BadParameterError(message, parameter="format", value=name, known=FORMATS)
    return name


def _canonical(wanted: Filter) -> str:
    return _encode(wanted).decode()
