"""``/v1/endpoints``: endpoint sets, as pages and one by one."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body
from catalog_service.api.context import Context, canonical, encode, lasting, page, subject, told
from catalog_service.api.parameters import at_of, is_number, limit_of, many, one, sort_of
from catalog_service.api.reads.records import page_start, record_page
from catalog_service.api.rest.operation import AT, CURSOR, FILTERS, Operation, Parameter, in_path, limit
from catalog_service.catalog.sort import SortKey
from catalog_service.views.records import Record, RecordPage, record_view
from catalog_service.views.sparse import FIELDS, SparsePage, SparseRecord, check_fields, sparse_page, sparse_record

_DEFAULT, _MOST = 500, 5000
_SORT = Parameter(
    "sort",
    "What the list is sorted by; with a `-` before it, the other way. Ties are sorted by id, and records without a"
    " value come last.",
    words=(*SortKey, *(f"-{key}" for key in SortKey)),
    default="id",
)
_FIELDS = Parameter(
    "fields",
    "These fields of each record alone, and its id; `provenance.url` names one of the provenance.",
    words=FIELDS,
    many=True,
    example="service,prefixes,provenance.last_changed",
)


async def endpoints(context: Context, request: Request) -> Response:
    """The endpoint sets a filter keeps, in pages."""
    given = request.query_params
    wanted, at, sort, fields = context.filter(given), at_of(given), sort_of(given), check_fields(many(given, "fields"))
    limit = limit_of(given, default=_DEFAULT, most=_MOST)
    snapshot, after = await page_start(context.reader, wanted, at, one(given, "cursor"), sort)

    def found() -> Body:
        whole = record_page(snapshot, context.sources, wanted, after, limit, sort)
        return page(request, whole, told(whole), sparse_page(whole, fields) if fields else None)

    async def rendered() -> Body:
        return await asyncio.to_thread(found)

    asked = subject(snapshot, "endpoints", f"{canonical(wanted)}\n{limit}\n{after}\n{sort.text}\n{fields}")
    return await context.answers.versioned(request, asked, rendered, immutable=lasting(given, wanted))


async def endpoint(context: Context, request: Request) -> Response:
    """One endpoint set."""
    at, fields = at_of(request.query_params), check_fields(many(request.query_params, "fields"))
    snapshot = await context.reader.at(at)
    record = snapshot.endpoint_set(request.path_params["id"])

    async def rendered() -> Body:
        whole = record_view(snapshot, record)
        return Body(encode(sparse_record(whole, fields) if fields else whole))

    asked = subject(snapshot, "endpoint", f"{record.id}\n{fields}")
    return await context.answers.versioned(request, asked, rendered, immutable=is_number(at), keep=False)


OPERATIONS = (
    Operation(
        "/v1/endpoints",
        endpoints,
        RecordPage,
        (*FILTERS, AT, _SORT, _FIELDS, limit(_DEFAULT, _MOST), CURSOR),
        (404, 410, 503),
        or_answer=SparsePage,
    ),
    Operation(
        "/v1/endpoints/{id}",
        endpoint,
        Record,
        (in_path("id", "`source:key`.", "azure-service-tags-public:AzureConnectors"), AT, _FIELDS),
        (404, 410, 503),
        or_answer=SparseRecord,
    ),
)
