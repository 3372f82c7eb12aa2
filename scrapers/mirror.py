"""Mirrors: upstreams read from a folder or an HTTP server that holds copies of their answers.

In: the addresses scrapers ask. Out: the copies. The address ``https://host/path?query`` is the file
``host/path?query`` (the query stays in the name, ClientRequestId is left out, an empty last segment
is ``index``), so an air-gapped site reads exactly what the live one would. `fill` makes such a
folder from any other upstream; the command ``mirror`` calls it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

from msgspec import Struct

from schema.errors import CatalogError, FetchError
from schema.version import SourceState
from scrapers.client import public_address
from scrapers.source import Source
from scrapers.upstream import Response, Upstream


class FolderMirror:
    """Reads addresses from a folder. The validator of a file is the digest of its bytes."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def get(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, accept: str = "*/*"
    ) -> Response | None:
        """Return the copy of ``url``, or None when it still has ``etag``. One file an address, whatever ``accept``.

        Raises:
            FetchError: no such file (``status`` 404, as a server would say), or it cannot be read.
        """
        path, address = self._root / mirror_name(url), public_address(url)
        try:
            body = await asyncio.to_thread(path.read_bytes)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            message = f"the mirror has no copy of {address}: {path} does not exist"
            raise FetchError(message, url=address, status=404, file=str(path)) from error
        except OSError as error:
            message = f"the mirror's copy of {address} cannot be read: {error}"
            raise FetchError(message, url=address, file=str(path)) from error
        validator = f'"{hashlib.sha256(body).hexdigest()}"'
        if etag == validator:
            return None
        return Response(url=address, body=body, media_type=guessed_media_type(body), etag=validator)


class HttpMirror:
    """Reads addresses from an HTTP server below ``base_url``, through a client that may ask that host."""

    def __init__(self, client: Upstream, base_url: str) -> None:
        self._client = client
        self._base = base_url.rstrip("/")

    async def get(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, accept: str = "*/*"
    ) -> Response | None:
        """Return the copy of ``url``: as a static server names it (``%3F``), else as a caching proxy does (``?``).

        Raises:
            FetchError: neither is there, or the mirror cannot be read.
        """
        name = mirror_name(url)
        forms = tuple(dict.fromkeys((quote(name, safe="/=&:,+@~"), name)))
        for form in forms:
            try:
                answer = await self._client.get(
                    f"{self._base}/{form}", etag=etag, last_modified=last_modified, accept=accept
                )
            except FetchError as error:
                if error.facts.get("status") != 404 or form == forms[-1]:
                    raise
            else:
                return answer and _as_upstream(answer, public_address(url))
        raise AssertionError("the last form returns or raises")


class RecordingUpstream:
    """Passes answers of another upstream through and remembers them, until `save` writes them to a folder."""

    def __init__(self, upstream: Upstream, root: Path) -> None:
        self._upstream = upstream
        self._root = root
        self._answers: list[tuple[str, bytes]] = []

    async def get(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, accept: str = "*/*"
    ) -> Response | None:
        """Return what the other upstream answers. Raises FetchError as it does."""
        answer = await self._upstream.get(url, etag=etag, last_modified=last_modified, accept=accept)
        if answer:
            self._answers.append((url, answer.body))
        return answer

    def save(self) -> tuple[str, ...]:
        """Write every answer, each file whole or not at all, and return their names below the root.

        The last answer goes first: a reader never meets a page that names a file not yet there.
        """
        return write_copies(self._root, tuple(self._answers))


class Filled(Struct, frozen=True):
    """What `fill` did for one source: the files written, or why the folder keeps its older copies."""

    source: str
    files: tuple[str, ...] = ()
    error: str | None = None
    error_code: str | None = None


async def fill(root: Path, upstream: Upstream, sources: tuple[Source, ...], now: datetime) -> tuple[Filled, ...]:
    """Copy what every source reads into ``root``, and report on each, in the order of ``sources``.

    A source is written only when its document could be read and parsed: an upstream's error page
    never replaces a good copy.
    """
    return tuple([await _fill_one(root, upstream, source, now) for source in sources])


async def _fill_one(root: Path, upstream: Upstream, source: Source, now: datetime) -> Filled:
    recording = RecordingUpstream(upstream, root)
    try:
        document = await source.read(recording, SourceState(), now)
        if document is None:
            raise FetchError(f"{source.url} answered nothing to an unconditional request", url=source.url)
        source.records(document)
        return Filled(source.name, files=await asyncio.to_thread(recording.save))
    except CatalogError as error:
        return Filled(source.name, error=str(error), error_code=error.code)
    except OSError as error:
        return Filled(source.name, error=f"{root} cannot be written: {error}", error_code=FetchError.code)


def write_copies(root: Path, answers: tuple[tuple[str, bytes], ...]) -> tuple[str, ...]:
    """Write (address, body) pairs, the last first, into a mirror. Returns the files' names, in the pairs' order."""
    named = tuple((mirror_name(url), body) for url, body in answers)
    for name, body in reversed(named):
        _write(root / name, body)
    return tuple(name for name, _ in named)


def mirror_name(url: str) -> str:
    """Return the file of ``url``, relative to a mirror's root.

    ``https://h/a/b?x=1&ClientRequestId=..`` -> ``h/a/b?x=1``; ``https://h/`` -> ``h/index``.

    Raises:
        FetchError: the name would leave the root or means nothing to a file system.
    """
    try:
        parts = urlsplit(public_address(url))
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    except ValueError as error:
        raise FetchError(f"{url!r} is not an address", url=url) from error
    path = parts.path.lstrip("/")
    name = f"{host}/{path}index" if not path or path.endswith("/") else f"{host}/{path}"
    name += f"?{parts.query}" if parts.query else ""
    if any(segment in ("", ".", "..") for segment in name.split("/")) or "\0" in name or "\\" in name:
        raise FetchError(f"{url!r} has no place in a mirror", url=url)
    return name


def guessed_media_type(body: bytes) -> str:
    """Return the media type that the first bytes of an upstream's answer show; a mirror's files have no headers."""
    start = body[:256].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"<"):
        return "application/xml" if start.startswith(b"<?xml") else "text/html"
    squeezed = b"".join(start.split())[:2]
    if squeezed in (b"{}", b"[]", b'{"', b'["', b"[{", b"[["):
        return "application/json"
    return "text/markdown"


def _as_upstream(answer: Response, address: str) -> Response:
    return Response(
        url=address,
        body=answer.body,
        media_type=guessed_media_type(answer.body),
        etag=answer.etag,
        last_modified=answer.last_modified,
    )


def _write(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
