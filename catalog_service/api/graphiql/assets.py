"""The files of GraphiQL, as the build hook left them in ``built/``: compressed once, kept in memory, served for good.

The digest of all of them is part of every address, so that browsers keep them for ever and never mix two builds.
Called by `page` and `app`.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
from pathlib import Path

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog_service.api.negotiation import preferred

BUILT = Path(__file__).parent / "built"
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
}
_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


class Assets(Struct, frozen=True):
    """Every file, compressed with gzip, by its name; and the digest of them all."""

    digest: str
    files: dict[str, bytes]


def asset_routes() -> list[Route]:
    """Return where the page finds its files."""
    return [Route("/assets/graphiql/{digest}/{name}", _asset)]


@functools.cache
def built_assets() -> Assets:
    """Return what was built; nothing in a checkout that was never installed."""
    files = {path.name.removesuffix(".gz"): path.read_bytes() for path in sorted(BUILT.glob("*.gz"))}
    digest = hashlib.sha256()
    for name, packed in files.items():
        digest.update(name.encode() + b"\0" + packed)
    return Assets(digest.hexdigest()[:16], files)


async def _asset(request: Request) -> Response:
    assets, name = built_assets(), request.path_params["name"]
    packed = assets.files.get(name)
    if packed is None or request.path_params["digest"] != assets.digest:
        raise HTTPException(404)
    headers = {**_HEADERS, "Content-Type": _MEDIA_TYPES[Path(name).suffix]}
    if preferred(request.headers.get("Accept-Encoding", ""), ("identity", "gzip")) == "gzip":
        return Response(packed, headers={**headers, "Content-Encoding": "gzip"})
    return Response(gzip.decompress(packed), headers=headers)
