"""``/v1/documents/{digest}``: what was fetched."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body
from catalog_service.api.context import Context
from catalog_service.api.rest.operation import Operation, in_path

_URL_CHARACTERS = ":/?#[]@!$&'()*+,;=%~"


async def document(context: Context, request: Request) -> Response:
    """A kept document, byte for byte as it was fetched; its digest stands in each record's provenance."""
    kept = await context.reader.store.documents.get(request.path_params["digest"])
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
    return await context.answers.unversioned(request, Body(kept.document.body, provenance.media_type, headers))


OPERATIONS = (
    Operation(
        "/v1/documents/{digest}",
        document,
        ("text/html", "text/markdown", "application/json", "application/octet-stream"),
        (in_path("digest", "Of a document, or how it begins (eight hex digits at least)."),),
        (404, 503),
    ),
)
