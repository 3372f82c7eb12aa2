"""Answers over HTTP: strong ETags, 304, zstd and gzip, and rendered bodies kept by what they depend on.

A versioned answer is named by (content, route, canonical query): that is its ETag, so a client that
has it is told so before anything is rendered, and each body is rendered and compressed once for as
long as it is kept (house.md decision 5). Version numbers alone are no name: another catalogue, such as
the demo's or one begun anew, has the same ones. Called by `rest`, `pages` and `docs`.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime

import zstandard
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.negotiation import CODINGS, coding
from catalog_service.flights import Flights
from catalog_service.release import RELEASE

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
_MIN_PACKED_BYTES = 1000
_GZIP_LEVEL = 6
_ZSTD_LEVEL = 12
_IN_PLACE_BYTES = 16_000
_MAX_ENTRIES = 256
_MAX_BYTES = 64 << 20


class Subject(Struct, frozen=True):
    """What a versioned answer depends on, and nothing else."""

    content: str
    """`Snapshot.identity` of what it is read from."""
    version: int
    route: str
    query: str = ""
    """Canonical: equal queries are equal text."""
    varies: str = "Accept-Encoding"
    as_of: datetime | None = None
    """Set where the answer is as upstreams were then: an import may add to it, so nobody keeps it for ever."""

    @property
    def etag(self) -> str:
        """The ETag of the identity encoding; a release may render differently, so it counts too."""
        named = (RELEASE, self.content, self.version, self.as_of, self.route, self.query)
        return _digest("\n".join(map(str, named)).encode())


class Body(Struct, frozen=True):
    """A rendered answer."""

    data: bytes
    media_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class _Kept(Struct):
    body: Body
    packed: dict[str, bytes] = {}
    """By coding, as far as somebody asked for it."""

    @property
    def size(self) -> int:
        return len(self.body.data) + sum(map(len, self.packed.values()))


Render = Callable[[], Awaitable[Body]]


class Answers:
    """The rendered bodies of one process, least recently used first."""

    def __init__(self, *, immutable: bool = True, max_entries: int = _MAX_ENTRIES, max_bytes: int = _MAX_BYTES) -> None:
        self._kept: OrderedDict[Subject | str, _Kept] = OrderedDict()
        self._immutable = immutable
        self._limits = (max_entries, max_bytes)
        self._rendering: Flights[_Kept] = Flights()
        self._packing: Flights[bytes] = Flights()

    async def versioned(
        self, request: Request, subject: Subject, render: Render, *, immutable: bool = False, keep: bool = True
    ) -> Response:
        """Answer with ``subject``: not modified, as kept, or as ``render`` gives it now.

        ``immutable``: the client named the version by number, so the answer is good for ever. ``keep``
        False is for small answers to many different queries, which would crowd out the large ones.
        A 304 has none of the body's own headers (what an answer lacks): the client has them with its copy, the
        ETag names them too, and RFC 9110 15.4.5 wants no more there than what keeps a copy.
        """
        lasting = immutable and self._immutable and not subject.as_of
        headers = {
            "Cache-Control": IMMUTABLE if lasting else REVALIDATE,
            "Vary": subject.varies,
            **read_from(subject.version, subject.as_of),
        }
        if known := _known(request, subject.etag):
            return Response(status_code=304, headers={**headers, "ETag": known})

        async def rendered() -> _Kept:
            return self._keep(subject, await render(), keep=keep)

        kept = self._kept.get(subject) or await self._rendering.once(subject, rendered)
        if subject in self._kept:
            self._kept.move_to_end(subject)
        return await self._response(request, kept, subject.etag, headers)

    async def unversioned(self, request: Request, body: Body, read_from: dict[str, str] | None = None) -> Response:
        """Answer with ``body``, which moves without a new version: its own bytes are its ETag.

        ``read_from`` are the headers of `read_from`, where one snapshot is most of it.
        """
        etag = _digest(body.data)
        headers = {"Cache-Control": REVALIDATE, "Vary": "Accept-Encoding", **(read_from or {})}
        if known := _known(request, etag):
            return Response(status_code=304, headers={**headers, "ETag": known})
        kept = self._kept.get(etag)
        if kept is None or kept.body != body:  # the same bytes may come under other headers
            kept = self._keep(etag, body, keep=len(body.data) > _IN_PLACE_BYTES)
        return await self._response(request, kept, etag, headers)

    def _keep(self, name: Subject | str, body: Body, *, keep: bool) -> _Kept:
        kept = _Kept(body)
        if keep:
            self._kept[name] = kept
            self._shrink()
        return kept

    async def _response(self, request: Request, kept: _Kept, etag: str, headers: dict[str, str]) -> Response:
        body = kept.body
        own = dict(body.headers)
        packing = coding(request.headers.get("accept-encoding", ""))
        if len(body.data) < _MIN_PACKED_BYTES or not packing:
            return Response(body.data, headers={**headers, **own, "ETag": f'"{etag}"'}, media_type=body.media_type)
        if packing not in kept.packed:
            kept.packed[packing] = await self._packing.once((etag, packing), lambda: _packed(body.data, packing))
            self._shrink()
        about = {"ETag": f'"{etag}-{packing}"', "Content-Encoding": packing}
        return Response(kept.packed[packing], headers={**headers, **own, **about}, media_type=body.media_type)

    def _shrink(self) -> None:
        max_entries, max_bytes = self._limits
        size = sum(one.size for one in self._kept.values())
        while self._kept and (len(self._kept) > max_entries or size > max_bytes):
            size -= self._kept.popitem(last=False)[1].size


def read_from(version: int, as_of: datetime | None) -> dict[str, str]:
    """Return the header that says what an answer was read from; a date's number would name the state of its commit."""
    return {"X-Catalog-As-Of": as_of.isoformat()} if as_of else {"X-Catalog-Version": str(version)}


async def _packed(data: bytes, packing: str) -> bytes:
    """Compress, large bodies off the event loop; without a time stamp, equal data give equal bytes."""
    pack = _zstd if packing == "zstd" else _gzip
    return pack(data) if len(data) <= _IN_PLACE_BYTES else await asyncio.to_thread(pack, data)


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, _GZIP_LEVEL, mtime=0)


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(data)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _known(request: Request, etag: str) -> str | None:
    """Return the ETag among those the client has, in any coding, that names this answer; or None."""
    given = request.headers.get("if-none-match", "") if request.method in {"GET", "HEAD"} else ""
    listed = [one.strip().removeprefix("W/") for one in given.split(",")]
    if "*" in listed:
        return f'"{etag}"'
    names = {f'"{etag}"', *(f'"{etag}-{packing}"' for packing in CODINGS)}
    return next((one for one in listed if one in names), None)
