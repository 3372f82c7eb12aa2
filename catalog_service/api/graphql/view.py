"""GraphQL over HTTP at ``/graphql``: POST and GET queries, and GraphiQL for browsers.

The schema bounds what one request may ask (limits-and-faults.md C3); errors carry the code and facts
of the error tree and nothing from inside. Called by `app` and by the contract generator.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import strawberry
from cross_web import HTTPException as ViewError
from graphql import GraphQLError
from msgspec import UNSET
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.extensions import MaxAliasesLimiter, MaxTokensLimiter, ParserCache, QueryDepthLimiter
from strawberry.http import GraphQLHTTPResponse
from strawberry.http.base import BaseRequestProtocol
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext, ExecutionResult

from catalog_service.api.graphql.query import Asked, Query
from catalog_service.api.negotiation import takes_html
from catalog_service.api.problems import told
from catalog_service.api.reads.asked import Sources
from catalog_service.reader import Reader

MAX_DEPTH = 8
"""Fields of introspection do not count: graphql-core bounds those itself."""
MAX_ALIASES = 15
MAX_TOKENS = 1000
MAX_BODY_BYTES = 64 << 10
_PARSED = 100


class _Schema(strawberry.Schema):
    """A schema that leaves logging to `told`, which every error passes."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Do nothing: strawberry would log a client's mistakes as errors."""


def plain(value: object, name: str) -> object:
    """Return the attribute ``name``; None where the upstream does not say."""
    found = getattr(value, name)
    return None if found is UNSET else found


def utc_text(moment: datetime) -> str:
    """Return ``moment`` as REST writes it: ISO 8601, UTC, with a Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


DATE_TIME = strawberry.scalar(
    name="DateTime", description="ISO 8601, UTC, ending in Z.", serialize=utc_text, parse_value=datetime.fromisoformat
)


def schema() -> strawberry.Schema:
    """Return the schema."""
    return _Schema(
        Query,
        extensions=[
            lambda: QueryDepthLimiter(max_depth=MAX_DEPTH),
            lambda: MaxAliasesLimiter(max_alias_count=MAX_ALIASES),
            lambda: MaxTokensLimiter(max_token_count=MAX_TOKENS),
            lambda: ParserCache(maxsize=_PARSED),
        ],
        config=StrawberryConfig(default_resolver=plain, scalar_map={datetime: DATE_TIME}),
    )


class GraphQLView(GraphQL[Asked, None]):
    """Strawberry's view over one reader. ``page`` is GraphiQL, for browsers."""

    def __init__(self, reader: Reader, sources: Sources, page: Response) -> None:
        super().__init__(schema(), multipart_uploads_enabled=False)
        self._reader = reader
        self._sources = sources
        self._page = page

    async def handle(self, request: Request) -> Response:
        """Answer one request; HEAD as GET, whose body the server leaves out."""
        try:
            return await self.run(await _bounded(request))
        except ViewError as error:
            raise HTTPException(error.status_code, error.reason) from error

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Asked:
        """Return what the resolvers of one request work with."""
        return Asked(self._reader, self._sources, self._reader.current)

    def should_render_graphql_ide(self, request: BaseRequestProtocol) -> bool:
        """Tell a browser that opens the page from a program that forgot its query."""
        return (
            request.method == "GET"
            and "query" not in request.query_params
            and takes_html(request.headers.get("accept") or "")
        )

    async def render_graphql_ide(self, request: Request) -> Response:
        """Return the page."""
        return self._page

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        """Return the answer as GraphQL over HTTP writes it."""
        answer: GraphQLHTTPResponse = {"data": result.data}
        if result.errors:
            answer["errors"] = [_formatted(error) for error in result.errors]
        return answer

    def encode_json(self, data: object) -> bytes:
        """Return ``data`` as JSON."""
        return msgspec.json.encode(data)


def _formatted(error: GraphQLError) -> dict[str, object]:
    """Return ``error`` with its code; of an error inside, what `told` tells."""
    if error.original_error is None:  # the query itself: syntax, validation, limits
        return {**error.formatted, "extensions": {"code": "BAD_QUERY"}}
    what = told(error.original_error) if isinstance(error.original_error, Exception) else told(RuntimeError())
    where = {name: value for name, value in error.formatted.items() if name in ("locations", "path")}
    facts = msgspec.to_builtins(what.facts, enc_hook=str)
    return {"message": what.detail, **where, "extensions": {"code": what.code, **facts}}


async def _bounded(request: Request) -> Request:
    """Return ``request`` with its body read, as a GET if it is a HEAD. Raises HTTPException 413."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, f"a request has at most {MAX_BODY_BYTES} bytes")
    method = "GET" if request.method == "HEAD" else request.method

    async def receive() -> Message:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return Request({**request.scope, "method": method}, receive)
