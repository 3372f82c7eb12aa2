"""The same headers on every answer that is made, and an answer even where the program is at fault.

In: what the application answers. Out: the same with what browsers are to keep to; whatever `Front` keeps has it, so it
costs a kept answer nothing. Called by `app`, around Starlette, and by the gate for answers of its own.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalog_service.api.bounds import refusal
from catalog_service.api.problems import problem, told

_ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_OF_PAGES = {"X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin"}
"""Every page has a Content-Security-Policy of its own besides, from who makes it."""


class Edge:
    """The layer; ``demo`` marks every answer."""

    def __init__(self, app: ASGIApp, *, demo: bool) -> None:
        self._app = app
        self._headers = {**_ALWAYS, **({"X-Catalog-Demo": "true"} if demo else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.update(_OF_PAGES)
            await send(message)

        try:
            refused = refusal(scope)
            await (problem(refused) if refused else self._app)(scope, receive, with_headers)
        except ClientDisconnect:  # in the middle of its body: there is nobody to answer
            return
        except Exception as error:
            if started:
                raise
            await problem(told(error))(scope, receive, with_headers)
