"""``/v1/versions``: versions of the catalogue."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body, Subject
from catalog_service.api.context import Context, encode, page
from catalog_service.api.parameters import is_number, limit_of, one
from catalog_service.api.reads.sources import check_source
from catalog_service.api.reads.versions import one_version, version_page
from catalog_service.api.rest.operation import CURSOR, Operation, Parameter, in_path, limit
from catalog_service.views.diffs import VersionPage
from schema.version import Version

_DEFAULT, _MOST = 50, 500


async def versions(context: Context, request: Request) -> Response:
    """Versions, newest first: by number, those of one source by upstream's dates."""
    given = request.query_params
    source, cursor = one(given, "source"), one(given, "cursor")
    limit = limit_of(given, default=_DEFAULT, most=_MOST)
    if source:
        source = check_source(context.reader, context.sources, source)

    current = context.reader.current

    async def rendered() -> Body:
        return page(request, await version_page(context.reader, source, limit, cursor, current.version))

    last = await context.reader.store.versions.last()
    asked = f"{last}\n{source or ''}\n{limit}\n{cursor or ''}"
    subject = Subject(current.identity, current.version, "versions", asked)
    return await context.answers.versioned(request, subject, rendered)


async def version(context: Context, request: Request) -> Response:
    """One version: its source, when it came, what it counts and changed."""
    spec = request.path_params["spec"]
    found = await one_version(context.reader, spec)

    async def rendered() -> Body:
        return Body(encode(found))

    subject = Subject(found.digest, found.version, "version", f"{found.committed_at}")
    return await context.answers.versioned(request, subject, rendered, immutable=is_number(spec), keep=False)


OPERATIONS = (
    Operation(
        "/v1/versions",
        versions,
        VersionPage,
        (Parameter("source", "Of this source alone."), limit(_DEFAULT, _MOST), CURSOR),
        (404, 503),
    ),
    Operation(
        "/v1/versions/{spec}",
        version,
        Version,
        (in_path("spec", "A number, `latest`, `latest~1`, a label or a date.", "latest"),),
        (404, 410, 503),
    ),
)
