"""``/v1/diff/{from}...{to}``: what leads from one version to another."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body, Subject
from catalog_service.api.context import Context, canonical, listed
from catalog_service.api.negotiation import preferred
from catalog_service.api.parameters import ends_of, is_number, is_yes, one
from catalog_service.api.reads.diffs import diff_between, diff_span
from catalog_service.api.rest.operation import (
    CLOUD,
    DIRECTION,
    REGION,
    SERVICE,
    SOURCE,
    TAG,
    Operation,
    Parameter,
    in_path,
    words_parameter,
)
from catalog_service.export.diffs.formats import DIFF_FORMATS, DiffFormat, diff_format_named
from catalog_service.views.diffs import Diff
from schema.words import Family, Impact, Kind, Only

_YES_NO = ("yes", "no")
_MEDIA_TYPES = tuple(format_.media_type for format_ in DIFF_FORMATS)
_PARAMETERS = (
    in_path("span", "`{from}...{to}`: two versions, as `at` takes them.", "latest~1...latest"),
    *(SOURCE, SERVICE, TAG, CLOUD, REGION, DIRECTION),
    words_parameter("kind", Kind, "Which members to show."),
    Parameter("family", "Of the prefixes to show.", words=tuple(Family), default="both"),
    Parameter("only", "Members added, or members removed.", words=tuple(Only)),
    words_parameter("impact", Impact, "Microsoft's words for what a change asks of a customer."),
    Parameter("impact_at_least", "What asks as much as this word, or more; additions are equals.", words=tuple(Impact)),
    Parameter("material", "Leave out counters, wording and prefixes that are only cut otherwise.", _YES_NO),
    Parameter("space", "Add the addresses gained and lost, however they are cut.", _YES_NO),
    Parameter("format", "By default what Accept asks for, else json.", words=tuple(one.name for one in DIFF_FORMATS)),
)


async def diff(context: Context, request: Request) -> Response:
    """What leads from one version to another, folded from the changes in between.

    A change is kept when its endpoint set passes the filters before or after it. Impact and significance are those of
    the whole change, whatever part of it is shown.
    """
    given = request.query_params
    wanted, space, format_ = context.diff_filter(given), is_yes(given, "space"), _format(request)
    since, until = ends_of(request.path_params["span"])
    first, last = await diff_span(context.reader, since, until)

    async def rendered() -> Body:
        found = await diff_between(context.reader, first, last, wanted, space=space)
        content = await asyncio.to_thread(format_.render, found)
        return Body(content, format_.media_type, listed("Missing-Sources", found.missing))

    numbered = not (first.as_of or last.as_of) and is_number(since) and is_number(until)
    known = () if numbered else await context.reader.known_of_time()
    asked = f"{canonical(first)}\n{canonical(last)}\n{known}\n{canonical(wanted)}\n{space}\n{format_.name}"
    varies = "Accept-Encoding" if "format" in given else "Accept, Accept-Encoding"
    identity, as_of = context.reader.current.identity, last.as_of or first.as_of
    subject = Subject(identity, last.version, "diff", asked, varies, as_of)
    # Regions are read by this release's crosswalk: an answer that they narrow is not good for ever.
    lasting = numbered and not wanted.records.regions
    return await context.answers.versioned(request, subject, rendered, immutable=lasting)


def _format(request: Request) -> DiffFormat:
    name = one(request.query_params, "format")
    if name is None:
        wanted = preferred(request.headers.get("accept", ""), _MEDIA_TYPES)
        return DIFF_FORMATS[_MEDIA_TYPES.index(wanted)]
    return diff_format_named(name)


OPERATIONS = (Operation("/v1/diff/{span}", diff, Diff, _PARAMETERS, (404, 410, 503), or_media_types=_MEDIA_TYPES[1:]),)
