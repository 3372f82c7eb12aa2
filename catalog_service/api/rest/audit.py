"""``/v1/audit``: what people did, newest first."""

from __future__ import annotations

import re

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.context import Context, page
from catalog_service.api.parameters import limit_of, one
from catalog_service.api.rest.acting import answered
from catalog_service.api.rest.operation import CURSOR, Operation, Parameter, limit
from catalog_service.store.audit import AuditFilter
from schema.errors import BadParameterError
from schema.version import AuditEntry

_A_PAGE, _MOST_A_PAGE = 50, 500
_PLACE = re.compile(r"\d{1,16}-\d{1,16}", re.ASCII)
_ACTION = Parameter("action", "What was done: of these entries alone.", example="token-create")
_WHO = Parameter("who", "Who did it, as the entry has it.")
_SUBJECT = Parameter("subject", "To what: a source, a label's or filter's name, an id.")
_TOKEN = Parameter("token", "Through which token: its id, `operator` or `cli`.")


class AuditPage(Struct, frozen=True, omit_defaults=True):
    """A page of ``/v1/audit``, newest first."""

    items: tuple[AuditEntry, ...]
    next: str | None = None
    """``cursor`` of the next page; none on the last."""


async def audit(context: Context, request: Request) -> Response:
    """What people did, newest first: the newest 10,000 entries are kept."""
    given = request.query_params
    most, cursor = limit_of(given, default=_A_PAGE, most=_MOST_A_PAGE), one(given, CURSOR.name) or ""
    if cursor and not _PLACE.fullmatch(cursor):
        raise BadParameterError("cursor is `next` of the page before", parameter=CURSOR.name)
    wanted = AuditFilter(*(one(given, parameter.name) for parameter in (_ACTION, _WHO, _SUBJECT, _TOKEN)))
    items, following = await context.reader.store.audit.page(most, cursor, wanted)
    return answered(page(request, AuditPage(items, following)))


OPERATIONS = (
    Operation(
        "/v1/audit",
        audit,
        AuditPage,
        (_ACTION, _WHO, _SUBJECT, _TOKEN, limit(_A_PAGE, _MOST_A_PAGE), CURSOR),
        (503,),
    ),
)
