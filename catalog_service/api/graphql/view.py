"""GraphQL at ``/graphql``, as GraphQL over HTTP has it: POST and GET, SSE, websockets, and GraphiQL for browsers.

In: requests. Out: answers under the limits of `limits`; mutations never by GET. Called by `app`.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from typing import Any

import msgspec
from cross_web import AsyncHTTPRequestAdapter
from cross_web import HTTPException as ViewError
from graphql import GraphQLError
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Message
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.http.base import BaseRequestProtocol
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.unset import UnsetType

from catalog_service.api.actions import Actions
from catalog_service.api.bounds import bounded_body
from catalog_service.api.graphql.asked import Door
from catalog_service.api.graphql.persisted import PersistedQueries
from catalog_service.api.graphql.schema import schema
from catalog_service.api.graphql.stream import EventStream, Socket, Wire, resumable
from catalog_service.api.hub import Hub
from catalog_service.api.negotiation import takes_html
from catalog_service.api.reads.asked import Sources
from catalog_service.reader import Reader
from schema.errors import CatalogError

MAX_BODY_BYTES = 1 << 20
"""Room for a lookup of 10,000 lines, as variables."""
MAX_SUBSCRIPTIONS = 10
_INIT_WAIT = timedelta(seconds=10)
_PLAIN_JSON = "application/json"
_EVENTS = "text/event-stream"
_GRAPHQL_JSON = "application/graphql-response+json"


class _Where(msgspec.Struct):
    path: list[str | int] | None = None


class GraphQLView(GraphQL[Door, None]):
    """Strawberry's view over one reader. ``page`` is GraphiQL, for browsers, None: not here; without ``actions``
    nothing changes.
    """

    def __init__(
        self, reader: Reader, sources: Sources, hub: Hub, page: Response | None, actions: Actions | None
    ) -> None:
        super().__init__(
            schema(),
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL],
            max_subscriptions_per_connection=MAX_SUBSCRIPTIONS,
            connection_init_wait_timeout=_INIT_WAIT,
        )
        self.stream_transport_classes_by_protocol = {GRAPHQL_SSE_PROTOCOL: EventStream}
        self.graphql_transport_ws_handler_class = Socket
        self.websocket_adapter_class = Wire
        self._closing = asyncio.Event()
        self._reader = reader
        self._sources = sources
        self._page = page
        self._actions = actions
        self._hub = hub
        self._persisted = PersistedQueries()

    def routes(self) -> list[BaseRoute]:
        """Return where it is served."""
        return [
            Route("/graphql", self.handle, methods=["GET", "POST"]),
            WebSocketRoute("/graphql", self.run),
        ]

    async def handle(self, request: Request) -> Response:
        """Answer one request; HEAD as GET, whose body the server leaves out."""
        try:
            return await self.run(await _bounded(request))
        except ViewError as error:
            raise HTTPException(error.status_code, error.reason) from error
        except GraphQLError as error:  # a persisted query
            answer: GraphQLHTTPResponse = {"data": None, "errors": [error.formatted]}
            return self.create_response(answer, await self.get_sub_response(request))

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Door:
        """Return what the operations of one request, or one websocket, come through."""
        begins = asyncio.get_running_loop().create_future()
        streams = isinstance(request, WebSocket) or _EVENTS in request.headers.get("accept", "")
        door = Door(self._reader, self._sources, self._hub, self._actions, request.headers, streams, begins)
        request.state.door = door
        return door

    async def on_ws_connect(self, context: Door) -> UnsetType | dict[str, object] | None:
        """Send away who may not read by now: the handshake, or the first message, shows a token where one is needed."""
        try:
            await context.let_in()
        except (CatalogError, RedisError, OSError) as error:
            raise ConnectionRejectionError from error
        return await super().on_ws_connect(context)

    def is_websocket_origin_allowed(self, request: WebSocket, origin: str) -> bool:
        """Tell that it may: of other origins the gate knows which."""
        return True

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        """Return what hands the media type that the client wants on to `create_response`."""
        response = await super().get_sub_response(request)
        response.media_type = _GRAPHQL_JSON if _GRAPHQL_JSON in request.headers.get("accept", "") else _PLAIN_JSON
        return response

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response
    ) -> Response:
        """Return the answer. One that was not executed has no data, and is a 400 to who knows GraphQL's media type."""
        if isinstance(response_data, list):  # batching is off
            raise HTTPException(400, "one operation a request")
        status = 200
        errors = msgspec.convert(response_data.get("errors", ()), tuple[_Where, ...])
        if response_data["data"] is None and errors and not any(error.path for error in errors):
            response_data = {"errors": response_data["errors"]}
            status = 400 if sub_response.media_type == _GRAPHQL_JSON else 200
        body = msgspec.json.encode(response_data)
        media_type = f"{sub_response.media_type}; charset=utf-8"
        return Response(body, status, {"Cache-Control": "no-store", "Vary": "Accept"}, media_type=media_type)

    async def create_streaming_response(
        self,
        request: Request | WebSocket,
        stream: Callable[[], AsyncIterator[str]],
        sub_response: Response,
        headers: Mapping[str, str],
    ) -> Response:
        """Return a subscription as SSE."""
        parts = functools.partial(resumable, stream, request.state.door.begins, self._closing)
        return await super().create_streaming_response(request, parts, sub_response, headers)

    def close(self) -> None:
        """End what streams: the server is going, clients come back and go on. Websockets are the server's to close."""
        self._closing.set()

    def should_render_graphql_ide(self, request: BaseRequestProtocol) -> bool:
        """Tell a browser that opens the page from a program that forgot its query."""
        return (
            request.method == "GET"
            and "query" not in request.query_params
            and "extensions" not in request.query_params
            and takes_html(request.headers.get("accept") or "")
        )

    async def render_graphql_ide(self, request: Request) -> Response:
        """Return the page. Raises HTTPException where there is none."""
        if self._page is None:
            raise HTTPException(404, "GraphiQL is off here; programs ask /graphql as before")
        return self._page

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData | list[GraphQLRequestData]:
        """Return what is asked, a persisted query with its text."""
        data = await super().parse_http_body(request)
        return data if isinstance(data, list) else self._persisted.completed(data)

    def parse_json(self, data: str | bytes) -> Any:
        """Return the body, or a parameter of a GET, as objects. Raises cross_web's HTTPException."""
        return None if data == "null" else super().parse_json(data)

    def decode_json(self, data: str | bytes) -> dict[str, object]:
        """Return an object of JSON. Raises JSONDecodeError, also for more than a request may hold."""
        try:
            if len(data) > MAX_BODY_BYTES:
                raise ValueError(f"a request has at most {MAX_BODY_BYTES} bytes")
            return msgspec.json.decode(data, type=dict[str, object])
        except (ValueError, RecursionError) as error:
            raise json.JSONDecodeError(str(error), "", 0) from error

    def encode_json(self, data: object) -> str:
        """Return ``data`` as JSON; as text, which a websocket sends as such."""
        return msgspec.json.encode(data).decode()


async def _bounded(request: Request) -> Request:
    """Return ``request`` with its body read, as a GET if it is a HEAD. Raises HTTPException 413."""
    body = await bounded_body(request, MAX_BODY_BYTES)
    scope = {**request.scope, "method": "GET"} if request.method == "HEAD" else request.scope
    if request.method == "HEAD" and _EVENTS in request.headers.get("accept", ""):
        raise HTTPException(405, "a stream has no end whose headers could be told", {"Allow": "GET, POST"})
    given = False

    async def receive() -> Message:
        nonlocal given
        if given:  # what comes after the body: the client's leaving
            return await request.receive()
        given = True
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return Request(scope, receive)
