"""``/v1/diff/{from}...{to}``: what leads from one version to another."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body, Subject
from catalog_service.api.parameters import is_number, many
from catalog_service.api.reads.diffs import diff_between, diff_span
from catalog_service.api.reads.sources import check_sources
from catalog_service.api.rest.context import Context, canonical, encode, listed
from catalog_service.api.rest.operation import SOURCE, Operation, in_path
from catalog_service.catalog.select import Filter
from catalog_service.views.changes import Diff
from schema.errors import BadParameterError


async def diff(context: Context, request: Request) -> Response:
    """What leads from one version to another."""
    names = check_sources(context.reader, context.sources, many(request.query_params, "source"))
    since, dots, until = request.path_params["span"].partition("...")
    if not (since and dots and until):
        raise BadParameterError("a diff is asked for as {from}...{to}, such as latest~1...latest", parameter="span")
    first, last = await diff_span(context.reader, since, until)

    async def rendered() -> Body:
        found = await diff_between(context.reader, first, last, names)
        return Body(encode(found), headers=listed("Missing-Sources", found.missing))

    immutable = not (first.as_of or last.as_of) and is_number(since) and is_number(until)
    imports = 0 if immutable else await context.reader.store.versions.last()
    asked = f"{first.spec}\n{last.spec}\n{imports}\n{canonical(Filter(sources=names))}"
    identity, as_of = context.reader.current.identity, last.as_of or first.as_of
    subject = Subject(identity, last.version, "diff", asked, as_of=as_of)
    return await context.answers.versioned(request, subject, rendered, immutable=immutable)


OPERATIONS = (
    Operation(
        "/v1/diff/{span}",
        diff,
        Diff,
        (in_path("span", "`{from}...{to}`: two versions, as `at` takes them.", "latest~1...latest"), SOURCE),
        (404, 410, 503),
    ),
)
