"""The gate: what stands before every request, in this order.

    request id        the client's or a new one: in the log, in X-Request-Id and in problems
    proxies           who asks, and by TLS or not, where a trusted proxy says so
    hosts             for a name of ours, else 421; but probes ask by address
    origins           preflights are answered; pages of other origins open no websocket, else 403
    identity          whom the doorkeeper knows, for handlers (`scope[IDENTITY]`): who may read, else 401
    rate limit        of the token, else of the address; else 429
    streams           room for one more, else 503, or 1013 of a websocket
    request metrics

In: any ASGI connection. Out: what the application below answers, with the headers of all this, or a problem. There is
no call to Redis in it but what the doorkeeper may need. Called by `app`, outermost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter

import structlog
from msgspec import Struct
from msgspec.structs import replace
from redis.exceptions import RedisError
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalog_service import metrics
from catalog_service.access.identity import (
    BASIC_CHALLENGE,
    BEARER_CHALLENGE,
    IDENTITY,
    NOBODY,
    Identity,
)
from catalog_service.api.gate.asked import Asked, asked_of
from catalog_service.api.gate.counted import count_request
from catalog_service.api.gate.origins import PREFLIGHT, Hosts, Origins
from catalog_service.api.gate.peers import Peer, Peers
from catalog_service.api.gate.rates import WINDOW_S, Allowance, Rates
from catalog_service.api.gate.rules import GateRules
from catalog_service.api.gate.streams import Socket, Streams, turn_away
from catalog_service.api.negotiation import takes_html
from catalog_service.api.problems import Told, problem, told
from catalog_service.tracing import Span, server_span
from schema import access
from schema.errors import CatalogError

Identify = Callable[[str], Awaitable[Identity]]
"""Tell who asks by an Authorization header, empty where none was sent. Raises CatalogError."""
Refusal = Callable[[Scope, Told], Response]
"""Say a refusal to a browser, which may be shown a page."""
Headers = list[tuple[bytes, bytes]]

_PROBES = frozenset({"/healthz", "/readyz"})
_UNANSWERED = 499
"""The status of a request whose client was told none."""
_ASSETS = "/assets/"
_EVENTS, _GRAPHQL = "/v1/events", "/graphql"
_UNKNOWN = Told(401, "UNAUTHENTICATED", "reading here needs a token: send the header `Authorization: Bearer TOKEN`")
_FOREIGN = Told(403, "FOREIGN_ORIGIN", "pages of that origin may not ask this (CATALOG_CORS_ORIGINS)")
_MISDIRECTED = Told(421, "UNKNOWN_HOST", "this service does not answer for that host")
_LIMITED = Told(429, "RATE_LIMITED", "too many requests: come back after the seconds of Retry-After")
_STOPPING = Told(503, "STOPPING", "the service is stopping, and this was not done in time: ask again")
_FULL = Told(503, "TOO_MANY_STREAMS", "too many streams are open here: come back later")


class _Let(Struct, frozen=True, gc=False):
    """What comes of looking at a request: headers for the answer, and the answer where it is refused."""

    headers: Headers
    answer: Response | None = None


class Gate:
    """The layer. ``edge`` makes answers of its own as the application's are; ``rates`` None: no limit; ``base_url`` is
    where users reach the service; ``refusal`` is what people see who are not known.
    """

    def __init__(
        self,
        app: ASGIApp,
        rules: GateRules,
        identify: Identify,
        edge: Callable[[ASGIApp], ASGIApp],
        rates: Rates | None,
        base_url: str,
        refusal: Refusal,
    ) -> None:
        self.rates = rates
        self.streams = Streams(rules.streams_most)
        self._is_stopping = False
        self._app = app
        self._identify = identify
        self._edge = edge
        self._refusal = refusal
        self._peers = Peers(rules.trusted_proxies)
        self._hosts = Hosts(rules.allowed_hosts)
        self._origins = Origins(rules.cors_origins, base_url)
        self._hsts = (b"strict-transport-security", b"max-age=%d" % rules.hsts_s) if rules.hsts_s else None
        self._policy = (b"ratelimit-policy", b'"default";q=%d;w=%d' % (rules.rate_limit, WINDOW_S))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        asked = asked_of(scope)
        peer = self._peers.of(scope["client"], scope["scheme"], asked.forwarded_for, asked.forwarded_proto)
        structlog.contextvars.bind_contextvars(request_id=asked.id)
        if scope["type"] == "http":
            with server_span(scope["method"], scope["headers"]) as traced:
                await self._request(scope, receive, send, asked, peer, traced)
        else:
            await self._websocket(scope, receive, send, asked, peer)

    def close(self) -> None:
        """End every websocket; what is cancelled from now on is not done in time."""
        self._is_stopping = True
        self.streams.close()

    async def _request(
        self, scope: Scope, receive: Receive, send: Send, asked: Asked, peer: Peer, traced: Span
    ) -> None:
        begun, status, is_stream = perf_counter(), _UNANSWERED, _is_stream(asked)
        let = await self._let_in(scope, asked, peer)
        is_private = bool(asked.authorization)

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message["headers"], *let.headers]
                message = {**message, "headers": _private(headers) if is_private else headers}  # one may be kept
            await send(message)

        metrics.HTTP_IN_FLIGHT.inc()
        try:
            if let.answer:
                await self._edge(let.answer)(scope, receive, send_on)
            elif is_stream:
                await self._stream(scope, receive, send_on)
            else:
                await self._app(scope, receive, send_on)
        except asyncio.CancelledError:  # the end of the grace: uvicorn would call it an error of the program
            if not self._is_stopping:
                raise
            if status == _UNANSWERED:
                await self._edge(problem(_STOPPING))(scope, receive, send_on)
        finally:
            metrics.HTTP_IN_FLIGHT.dec()
            count_request(scope, status, None if is_stream else perf_counter() - begun, traced)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.streams.are_full:
            await self._edge(problem(_FULL))(scope, receive, send)
        else:
            with self.streams.opened("sse"):
                await self._app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send, asked: Asked, peer: Peer) -> None:
        let = await self._let_in(scope, asked, peer)
        if let.answer and "websocket.http.response" in scope.get("extensions", {}):
            let.answer.raw_headers.extend(let.headers)
            await let.answer(scope, receive, send)
        elif let.answer:
            await send({"type": "websocket.close", "code": 1008})
        elif self.streams.are_full:
            await turn_away(scope, receive, send)
        else:
            client = _client(scope[IDENTITY], peer)
            socket = Socket(receive, send, lambda: not self.rates or self.rates.take(client).is_allowed)
            with self.streams.watched(socket):
                await self._app(scope, socket.receive, socket.send)

    async def _let_in(self, scope: Scope, asked: Asked, peer: Peer) -> _Let:
        """Look at a request in the order of the gate, and leave in ``scope`` who asks."""
        _tell_peer(scope, peer)
        headers: Headers = [(b"x-request-id", asked.id.encode())]
        if self._hsts and peer.is_https:
            headers.append(self._hsts)
        if asked.path not in _PROBES and not self._hosts.take(asked.host):
            return _Let(headers, problem(_MISDIRECTED))
        if self._origins.are_configured:
            headers.extend(self._origins.headers(asked.origin))
            if scope["type"] == "http" and scope["method"] == "OPTIONS" and asked.origin and asked.preflight_for:
                return _Let(headers, self._preflight(asked))
        if scope["type"] == "websocket" and asked.origin:
            if not self._origins.may_open(asked.origin, asked.host):
                return _Let(headers, problem(_FOREIGN))
            if not self._origins.is_own(asked.origin, asked.host):
                asked = _without_credentials(scope, asked)
        if asked.path in _PROBES or asked.path.startswith(_ASSETS):
            scope[IDENTITY] = NOBODY
            return _Let(headers)
        return await self._let_ask(scope, asked, peer, headers)

    def _preflight(self, asked: Asked) -> Response:
        if not self._origins.may_read(asked.origin):
            return problem(_FOREIGN)
        answer = Response(status_code=204)
        answer.raw_headers.extend(PREFLIGHT)
        return answer

    async def _let_ask(self, scope: Scope, asked: Asked, peer: Peer, headers: Headers) -> _Let:
        """Ask who it is, and whether they may ask now; who is not let in counts by the address."""
        identity, refused = await self._known(scope, asked)
        scope[IDENTITY] = identity
        if not self.rates:
            return _Let(headers, refused)
        allowance = self.rates.take(_client(identity, peer))
        headers += self._policy, (b"ratelimit", b'"default";r=%d;t=%d' % (allowance.left, allowance.reset_s))
        return _Let(headers, refused if allowance.is_allowed else _limited(allowance))

    async def _known(self, scope: Scope, asked: Asked) -> tuple[Identity, Response | None]:
        """Return who asks, and the answer where they may not. A websocket's first message may yet show a token."""
        try:
            identity = await self._identify(asked.authorization)
        except (CatalogError, RedisError, OSError) as error:
            return NOBODY, self._refused(scope, told(error), asked)
        if identity.may(access.Scope.READ) or (scope["type"] == "websocket" and not asked.authorization):
            return identity, None
        return identity, self._refused(scope, _UNKNOWN, asked)

    def _refused(self, scope: Scope, what: Told, asked: Asked) -> Response:
        """Return the answer; a browser that is not known asks its user for a token, as the password of any name."""
        if what.status != _UNKNOWN.status or scope["type"] != "http" or not takes_html(asked.accept):
            return problem(what)
        answer = self._refusal(scope, what)
        answer.headers["WWW-Authenticate"] = f"{BEARER_CHALLENGE}, {BASIC_CHALLENGE}"
        return answer


def _tell_peer(scope: Scope, peer: Peer) -> None:
    """Leave in ``scope`` whom a trusted proxy speaks for."""
    secure = "https" if scope["type"] == "http" else "wss"
    scope["client"] = (peer.address, scope["client"][1] if scope["client"] else 0)
    scope["scheme"] = secure if peer.is_https else secure.removesuffix("s")


def _without_credentials(scope: Scope, asked: Asked) -> Asked:
    """Take out what a browser added by itself: pages cannot set it. As in CORS, other origins act without it."""
    scope["headers"] = [header for header in scope["headers"] if header[0] != b"authorization"]
    return replace(asked, authorization="")


def _client(identity: Identity, peer: Peer) -> str:
    """Return what a request counts for: its token, else its address."""
    return identity.token or (access.OPERATOR if identity.name == access.OPERATOR else peer.client)


def _is_stream(asked: Asked) -> bool:
    return asked.path == _EVENTS or (asked.path == _GRAPHQL and "text/event-stream" in asked.accept)


def _limited(allowance: Allowance) -> Response:
    metrics.RATE_LIMITED.inc()
    return problem(_LIMITED, {"Retry-After": str(allowance.retry_s)})


def _private(headers: Headers) -> Headers:
    """Return ``headers`` of an answer to credentials: ``public`` would let caches give it to anybody (RFC 9111 3.5)."""
    return [
        (name, value.replace(b"public", b"private") if name == b"cache-control" else value) for name, value in headers
    ]
