"""Versions, and pages of them."""

from __future__ import annotations

from catalog_service.api.cursors import decode_cursor, encode_cursor
from catalog_service.api.reads.asked import naming
from catalog_service.catalog.select import Filter
from catalog_service.reader import Reader
from catalog_service.views.diffs import VersionPage
from schema.errors import UnknownVersionError
from schema.version import Point, Version


async def version_page(
    reader: Reader, source: str | None, limit: int, cursor: str | None, served: int | None = None
) -> VersionPage:
    """Return versions up to ``served``, newest first, of ``source`` (in its own spelling) or of all.

    Raises BadParameterError.
    """
    wanted = Filter(sources=(source,) if source else ())
    before = decode_cursor("versions", cursor, wanted).point.version if cursor else None
    found = await reader.versions(source=source, before=before, limit=limit + 1, served=served)
    last = Point(found[limit - 1].version) if len(found) > limit else None
    more = encode_cursor("versions", last, "", wanted) if last else None
    return VersionPage(found[:limit], more)


async def one_version(reader: Reader, spec: str) -> Version:
    """Return the version that ``spec`` names. Raises BadParameterError, UnknownVersionError."""
    with naming("version"):
        number = (await reader.resolve(spec)).version
        if number == 0:
            raise UnknownVersionError("version 0 is the empty beginning; the first one is 1", value=spec)
        return await reader.store.versions.version(number)
