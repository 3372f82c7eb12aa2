"""``/openapi.json`` and ``/docs``: the API described, for programs and for people.

The page is Swagger UI, whole and inside the page (`offapi` carries it), so that a browser without the internet shows
it; the style sheet and each script are allowed by their digests alone. Called by `app`.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re

from offapi import OpenAPITemplate
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog_service.api.answers import Answers, Body
from catalog_service.api.graphiql.page import DEMO_BANNER
from catalog_service.api.openapi import openapi_document

_START = """window.ui = SwaggerUIBundle({
  url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null, queryConfigEnabled: false,
  presets: [SwaggerUIBundle.presets.apis], layout: "BaseLayout", defaultModelsExpandDepth: 0, docExpansion: "list"
});"""
_STYLE = (
    "body{margin:0}.demo{padding:.5rem 1rem;background:#b3261e;color:#fff;font:600 1rem system-ui,sans-serif}"
    "@media(prefers-color-scheme:dark){html{background:#1c2022}}"
)
_DARK = (
    """document.documentElement.classList.toggle("dark-mode", matchMedia("(prefers-color-scheme: dark)").matches);"""
)


def docs_routes(answers: Answers, *, demo: bool, page: bool) -> list[Route]:
    """Return the routes; without ``page`` that for programs alone. The page is written when it is first asked for."""

    async def document(request: Request) -> Response:
        return await answers.unversioned(request, Body(_document()))

    async def docs(request: Request) -> Response:
        return await answers.unversioned(request, _page(demo=demo))

    return [Route("/openapi.json", document), *([Route("/docs", docs)] if page else ())]


@functools.cache
def _document() -> bytes:
    return openapi_document()


@functools.cache
def _page(*, demo: bool) -> Body:
    template = OpenAPITemplate.SWAGGER.value.format(spec_url="")
    sheet, scripts = _parts(template, "style")[0], (*_parts(template, "script")[:1], _DARK + _START)
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Endpoint catalogue: API</title>'
        f'<link rel="icon" href="data:,"><style>{sheet}</style><style>{_STYLE}</style></head>'
        f'<body>{DEMO_BANNER if demo else ""}<main id="swagger-ui"></main>'
        f"{''.join(f'<script>{one}</script>' for one in scripts)}</body></html>\n"
    )
    policy = (
        f"default-src 'none'; script-src {_digests(scripts)}; style-src {_digests((sheet, _STYLE))}; img-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Body(html.encode(), "text/html", (("Content-Security-Policy", policy),))


def _parts(html: str, tag: str) -> list[str]:
    return re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)


def _digests(parts: tuple[str, ...]) -> str:
    """Return ``parts`` as a source list of a Content-Security-Policy (CSP level 3, 2.3.1)."""
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in parts)
