"""REST, version 1: each handler parses, asks `reads` and encodes.

Reads of the current version never wait for Redis: they come from the snapshot in memory, or from the
bodies `Answers` keeps.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable
from urllib.parse import quote, urlencode

import msgspec
from msgspec.structs import replace
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog_service.api import reads
from catalog_service.api.answers import Answers, Body, Subject, content_of
from catalog_service.api.negotiation import preferred
from catalog_service.api.parameters import (
    FILTERS,
    SCENARIO,
    at_of,
    filter_of,
    is_number,
    is_yes,
    known,
    limit_of,
    many,
    one,
    words_of,
)
from catalog_service.catalog.conflict import ConflictKind
from catalog_service.catalog.regions import all_regions
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import View
from catalog_service.export.formats import FORMATS, MEDIA_TYPES, Format, format_named, render
from catalog_service.reader import Reader
from catalog_service.views.changes import VersionPage
from catalog_service.views.lookups import Lookup
from catalog_service.views.records import RecordPage, record_view
from schema.errors import BadParameterError

VERSIONS_DEFAULT, VERSIONS_MOST = 50, 500
RECORDS_DEFAULT, RECORDS_MOST = 500, 5000
_encode = msgspec.json.encode
Headers = tuple[tuple[str, str], ...]
_URL_CHARACTERS = ":/?#[]@!$&'()*+,;=%~"


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
            Route("/v1/scenarios", self.scenarios),
            Route("/v1/conflicts", self.conflicts),
            Route("/v1/regions", self.regions),
            Route("/v1/documents/{digest}", self.document),
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

        current, last = self._reader.current, await self._reader.store.versions.last()
        asked = f"{last}\n{source or ''}\n{limit}\n{cursor or ''}"
        subject = Subject(content_of(current), current.version, "versions", asked)
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
            page = await asyncio.to_thread(reads.record_page, snapshot, self._sources, wanted, after, limit)
            return _page(request, page, _told(page))

        subject = _subject(snapshot, "endpoints", f"{_canonical(wanted)}\n{limit}\n{after}")
        return await self._answers.versioned(request, subject, rendered, immutable=_lasting(at, wanted))

    async def endpoint(self, request: Request) -> Response:
        """``GET /v1/endpoints/{id}?at=``: one record."""
        at = at_of(known(request, "at"))
        snapshot = await self._reader.at(at)
        record = snapshot.endpoint_set(request.path_params["id"])

        async def rendered() -> Body:
            return Body(_encode(record_view(snapshot, record)))

        subject = _subject(snapshot, "endpoint", record.id)
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
            found = await reads.diff_between(self._reader, first, last, wanted.sources)
            return Body(_encode(found), headers=_listed("Missing-Sources", found.missing))

        immutable = not (first.as_of or last.as_of) and is_number(since) and is_number(until)
        imports = 0 if immutable else await self._reader.store.versions.last()
        asked = f"{first.spec}\n{last.spec}\n{imports}\n{_canonical(wanted)}"
        subject = Subject(
            content_of(self._reader.current), last.version, "diff", asked, as_of=last.as_of or first.as_of
        )
        return await self._answers.versioned(request, subject, rendered, immutable=immutable)

    async def lookup(self, request: Request) -> Response:
        """``GET /v1/lookup?q=&at=``: the records that cover an address, a block or a name, of all or of scenarios."""
        given = known(request, "q", "at", *SCENARIO)
        query, at = one(given, "q"), at_of(given)
        wanted = self._filter(given)
        reads.check_place(wanted)
        if query is None:
            raise BadParameterError("q is needed: an address, a CIDR block or a host name", parameter="q")
        reads.check_ready(self._reader, at)
        snapshot = await self._indexed(at)

        async def rendered() -> Body:
            found = await asyncio.to_thread(reads.looked_up, snapshot, self._sources, query, wanted)
            return Body(_encode(found), headers=_told(found))

        subject = _subject(snapshot, "lookup", f"{_canonical(wanted)}\n{query}")
        return await self._answers.versioned(request, subject, rendered, immutable=_lasting(at, wanted), keep=False)

    async def allowlist(self, request: Request) -> Response:
        """``GET /v1/allowlist?format=``: the unique prefixes and names of the records a filter keeps."""
        given = known(request, *FILTERS, "at", "format", "partial")
        wanted, at, format_ = self._filter(given), at_of(given), _format(request, one(given, "format"))
        partial = is_yes(given, "partial")
        reads.check_ready(self._reader, at)
        snapshot = await self._reader.at(at)

        async def rendered() -> Body:
            read = functools.partial(reads.exported, self._reader, snapshot, self._sources, wanted, partial=partial)
            found = await asyncio.to_thread(read)
            content = await asyncio.to_thread(render, format_.name, snapshot, found, wanted.kinds)
            return Body(content, format_.media_type, _told(found))

        varies = "Accept-Encoding" if "format" in given else "Accept, Accept-Encoding"
        subject = _subject(snapshot, "allowlist", f"{_canonical(wanted)}\n{format_.name}\n{partial}", varies)
        return await self._answers.versioned(request, subject, rendered, immutable=_lasting(at, wanted))

    async def scenarios(self, request: Request) -> Response:
        """``GET /v1/scenarios``: the questions that ``scenario=`` takes."""
        known(request)
        return await self._answers.unversioned(request, Body(_encode({"items": reads.scenario_views()})))

    async def conflicts(self, request: Request) -> Response:
        """``GET /v1/conflicts?source=&kind=&at=``: where sources disagree, and names that need a second look."""
        given = known(request, "source", "kind", "at")
        sources = reads.check_sources(self._reader, self._sources, many(given, "source"))
        kinds, at = words_of(given, "kind", ConflictKind), at_of(given)
        reads.check_ready(self._reader, at)
        snapshot = await self._reader.at(at)

        async def rendered() -> Body:
            found = await asyncio.to_thread(reads.conflicts_at, snapshot, self._sources, sources, kinds)
            return Body(_encode(found), headers=_listed("Missing-Sources", found.missing))

        # Never for good: the crosswalk of regions has a part in it, and a release may know more of them.
        subject = _subject(snapshot, "conflicts", f"{sources}\n{kinds}")
        return await self._answers.versioned(request, subject, rendered)

    async def regions(self, request: Request) -> Response:
        """``GET /v1/regions``: the crosswalk, and the spellings of the current version that it does not know."""
        known(request)
        return await self._answers.unversioned(request, Body(_encode(all_regions(self._reader.current))))

    async def document(self, request: Request) -> Response:
        """``GET /v1/documents/{digest}``: a kept document, byte for byte as it was fetched."""
        known(request)
        kept = await self._reader.store.documents.get(request.path_params["digest"])
        provenance = kept.document.provenance
        headers = (
            ("X-Catalog-Source", kept.source),
            ("X-Catalog-Document", provenance.digest),
            ("X-Catalog-Document-Url", quote(provenance.url, safe=_URL_CHARACTERS)),
            ("X-Catalog-Fetched-At", provenance.fetched_at.isoformat()),
            # Upstream's page is data here: no browser may run it in this service's name.
            ("Content-Disposition", "attachment"),
            ("Content-Security-Policy", "sandbox; default-src 'none'"),
        )
        return await self._answers.unversioned(request, Body(kept.document.body, provenance.media_type, headers))

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
        """Return the filter asked for, sources and scenarios as they spell themselves.

        Raises:
            BadParameterError, UnknownSourceError: a value cannot be understood, or names no source.
        """
        wanted = filter_of(given)
        sources = reads.check_sources(self._reader, self._sources, wanted.sources)
        return replace(wanted, sources=sources, scenarios=reads.check_scenarios(wanted.scenarios))

    async def _indexed(self, at: str | None) -> Snapshot:
        """Return the snapshot with its lookup index, built off the event loop where it is not there yet."""
        snapshot = await self._reader.at(at)
        return snapshot if snapshot.warm else await asyncio.to_thread(snapshot.warm_up)


def _subject(snapshot: Snapshot, route: str, query: str, varies: str = "Accept-Encoding") -> Subject:
    return Subject(content_of(snapshot), snapshot.version, route, query, varies, snapshot.as_of)


def _page(request: Request, page: RecordPage | VersionPage, headers: Headers = ()) -> Body:
    """Return ``page``, with a Link to the next one relative to the address asked for, whatever proxy is before it."""
    if page.next is None:
        return Body(_encode(page), headers=headers)
    given = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    link = f'<?{urlencode([*given, ("cursor", page.next)])}>; rel="next"'
    return Body(_encode(page), headers=(("Link", link), *headers))


def _lasting(at: str | None, wanted: Filter) -> bool:
    """Tell whether an answer is good for ever: scenarios, regions and references are read by this release's data."""
    return is_number(at) and not (wanted.scenarios or wanted.regions or wanted.resolve)


def _told(answer: View | RecordPage | Lookup) -> Headers:
    """Return the headers that say what an answer was asked for and what it lacks; none where nothing is to be said."""
    return (
        *_listed("Clouds", answer.clouds),
        *_listed("Missing-Sources", answer.missing),
        *_listed("Unresolved", (one.tag for one in answer.unresolved)),
        *_listed("Unpublished", (f"{one.scenario}:{one.cloud}" for one in answer.unpublished)),
        *_listed("Notes", (f"{one.scenario}:{one.cloud}" for one in answer.notes)),
    )


def _listed(name: str, values: Iterable[str]) -> Headers:
    text = ", ".join(dict.fromkeys(values))
    return ((f"X-Catalog-{name}", text),) if text else ()


def _format(request: Request, name: str | None) -> Format:
    if name is None:
        name = FORMATS[MEDIA_TYPES.index(preferred(request.headers.get("accept", ""), MEDIA_TYPES))]
    return format_named(name)


def _canonical(wanted: Filter) -> str:
    return _encode(wanted).decode()
