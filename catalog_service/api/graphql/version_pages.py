"""Pages of versions: of all, by number; of one source, by upstream's dates. The newest comes first."""

from __future__ import annotations

from catalog_service.api.cursors import encode_cursor
from catalog_service.api.graphql.pages import Page, page, sliced
from catalog_service.api.reads.asked import naming
from catalog_service.api.reads.versions import version_page
from catalog_service.catalog.select import Filter
from catalog_service.reader import Reader
from schema.version import Point

VERSIONS_DEFAULT, VERSIONS_MOST = 50, 500
_ALL = 10**9


async def version_connection(reader: Reader, source: str | None, first: int | None, after: str | None) -> Page:
    """Return up to ``first`` versions of ``source``, in its own spelling, or of all. Raises BadParameterError."""
    asked = sliced(first, after, None, None, default=VERSIONS_DEFAULT, most=VERSIONS_MOST)
    wanted = Filter(sources=(source,) if source else ())
    with naming("after", instead_of="cursor"):
        found = await version_page(reader, source, asked.first or VERSIONS_DEFAULT, after)
    line = reader.store.versions
    return page(
        found.items,
        tuple(str(one.version) for one in found.items),
        lambda place: encode_cursor("versions", Point(int(place)), "", wanted),
        len(await line.timeline(source, None, _ALL)) if source else await line.last(),
        before=after is not None,
        after=found.next is not None,
    )
