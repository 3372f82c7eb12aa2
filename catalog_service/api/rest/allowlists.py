"""``/v1/allowlist``: the unique prefixes and names of the records a filter keeps, in many formats."""

from __future__ import annotations

import asyncio
import hashlib
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body
from catalog_service.api.context import Context, Headers, canonical, lasting, listed, subject, told
from catalog_service.api.negotiation import preferred
from catalog_service.api.parameters import at_of, is_yes, number_of, one, word_of
from catalog_service.api.reads.allowlists import exported
from catalog_service.api.reads.asked import check_ready
from catalog_service.api.rest.operation import AT, FILTERS, Operation, Parameter
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.export.format import Format
from catalog_service.export.formats import FORMATS, MEDIA_TYPES, File, format_named, render
from catalog_service.export.options import LIMIT_MOST, PART_MOST, Options, Overflow, Ranges
from catalog_service.store.labels import label_name
from schema.errors import BadParameterError
from schema.words import Family

_FORMAT = Parameter("format", "The format; by default what Accept asks for, else text.", words=FORMATS)
_PARTIAL = Parameter(
    "partial", "Without the pages of a scenario that nothing was published of yet.", words=("yes", "no"), default="no"
)
_CUT = (
    Parameter("family", "Which prefixes to list.", words=tuple(Family), default="both"),
    Parameter("aggregate", "The fewest prefixes of the same addresses.", words=("yes", "no"), default="no"),
    Parameter("ranges", "`range`: `first-last`, where the format takes it.", words=tuple(Ranges), default="cidr"),
    Parameter(
        "overflow",
        "What to do with a list over the limit; `aggregate` keeps every address and adds none.",
        words=tuple(Overflow),
        default="refuse",
    ),
    Parameter("limit", "Entries that the device takes, in place of the known number.", number=(1, LIMIT_MOST)),
    Parameter("name", "What the list is called, where the format names it.", example="power-automate"),
    Parameter("part", "Which part of a list that is split.", number=(1, PART_MOST)),
    Parameter("of", "Of a later part at a date: what the first one was cut from, as the Link to it says."),
)


async def allowlist(context: Context, request: Request) -> Response:
    """The unique prefixes and names of the endpoint sets a filter keeps; never empty.

    A list over the limit of its device is refused with the numbers. What the format cannot hold, such as names in a
    list of addresses, is counted in `X-Catalog-Dropped`.
    """
    given = request.query_params
    wanted, at, format_ = context.filter(given), at_of(given), _format(request, one(given, "format"))
    options, partial = _options(given), is_yes(given, "partial")
    check_ready(context.reader, at)
    snapshot = await context.reader.at(at)
    _check_content(snapshot, one(given, "of"))

    def made() -> Body:
        found = exported(context.reader, snapshot, context.sources, wanted, partial=partial)
        file = render(format_.name, snapshot, found, wanted.kinds, options)
        return Body(file.data, format_.media_type, (*told(found), *_cut(file), *_next(given, snapshot, file)))

    async def rendered() -> Body:
        return await asyncio.to_thread(made)

    varies = "Accept-Encoding" if "format" in given else "Accept, Accept-Encoding"
    query = f"{canonical(wanted)}\n{canonical(options)}\n{format_.name}\n{partial}"
    asked = subject(snapshot, "allowlist", query, varies)
    lasts = _for_good(given, wanted, format_, options)
    return await context.answers.versioned(request, asked, rendered, immutable=lasts)


def _format(request: Request, name: str | None) -> Format:
    if name is None:
        name = FORMATS[MEDIA_TYPES.index(preferred(request.headers.get("accept", ""), MEDIA_TYPES))]
    return format_named(name)


def _options(given: QueryParams) -> Options:
    """Return how the list is to be cut. Raises BadParameterError."""
    return Options(
        family=word_of(given, "family", Family) or Family.BOTH,
        aggregate=is_yes(given, "aggregate"),
        ranges=word_of(given, "ranges", Ranges) or Ranges.CIDR,
        overflow=word_of(given, "overflow", Overflow) or Overflow.REFUSE,
        limit=number_of(given, "limit", LIMIT_MOST),
        name=one(given, "name"),
        part=number_of(given, "part", PART_MOST),
    )


def _cut(file: File) -> Headers:
    """Return the headers that say what is in the file and what is not; the digest is of the file as it is unpacked."""
    cut = file.cut
    return (
        ("X-Catalog-Entries", str(cut.entries)),
        *listed("Dropped", (f"{one.reason}={one.count}" for one in cut.dropped)),
        *listed("Truncated", (str(cut.truncated),) if cut.truncated else ()),
        *listed("Part", (f"{cut.part}/{cut.parts}",) if cut.parts else ()),
        ("X-Content-SHA256", hashlib.sha256(file.data).hexdigest()),
        ("Content-Disposition", f'inline; filename="{file.name}"'),
    )


def _next(given: QueryParams, snapshot: Snapshot, file: File) -> Headers:
    """Return the Link to the next part: of the same state, whatever is published, labelled or imported meanwhile."""
    if file.cut.part == file.cut.parts:
        return ()
    at = at_of(given) or ""
    # A date stays the date that was asked for; a label and what is newest may name another version by then.
    pinned = at if snapshot.as_of and not label_name(at) else str(snapshot.version)
    of = (("of", _content(snapshot)),) if snapshot.as_of else ()
    kept = [(name, value) for name, value in given.multi_items() if name not in {"at", "of", "part"}]
    link = f'<?{urlencode([*kept, ("at", pinned), *of, ("part", file.cut.part + 1)])}>; rel="next"'
    return (("Link", link),)


def _check_content(snapshot: Snapshot, of: str | None) -> None:
    """Raise BadParameterError where the part before was cut from another content: together they would lack entries."""
    if of is not None and of != _content(snapshot):
        message = "the catalogue has learned more of that date since the part before: begin anew"
        raise BadParameterError(message, parameter="of", value=of[:80])


def _content(snapshot: Snapshot) -> str:
    return hashlib.sha256(snapshot.identity.encode()).hexdigest()[:16]


def _for_good(given: QueryParams, wanted: Filter, format_: Format, options: Options) -> bool:
    """Tell whether an answer is good for ever: a cut at a device's own limit is read by this release's data."""
    own = options.limit is None or (format_.limit is not None and format_.limit.max_bytes is not None)
    return lasting(given, wanted) and (options.overflow is Overflow.REFUSE or not own)


OPERATIONS = (
    Operation(
        "/v1/allowlist",
        allowlist,
        tuple(dict.fromkeys(MEDIA_TYPES)),
        (*FILTERS, AT, _FORMAT, _PARTIAL, *_CUT),
        (404, 410, 422, 503),
    ),
)
