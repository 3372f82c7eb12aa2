"""The page of GraphiQL: the same for everybody, with its examples inside and everything else from our own origin.

``examples/*.graphql`` are the tabs, in the order of their names. Called by `app`.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from starlette.responses import HTMLResponse, Response

from catalog_service.api.graphiql.assets import built_assets

_HERE = Path(__file__).parent
# The editor places its text with style attributes, and the style sheet carries fonts: hence the exceptions.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
DEMO_BANNER = (
    '<div class="demo" role="alert">DEMO DATA: a small bundled sample, not what Microsoft publishes. '
    "Build no firewall rule from it.</div>"
)


def graphiql_page(*, demo: bool) -> Response:
    """Return the page."""
    html = (_HERE / "page.html").read_text(encoding="utf-8")
    examples = msgspec.json.encode(example_queries()).decode().replace("<", "\\u003c")
    html = html.replace("<!--banner-->", DEMO_BANNER if demo else "")
    html = html.replace("<!--examples-->", examples).replace("DIGEST", built_assets().digest)
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-cache", "Vary": "Accept"}
    return HTMLResponse(html, headers=headers)


def example_queries() -> tuple[str, ...]:
    """Return the text of every tab, in order. ``LAST_WEEK`` stands for the date a week ago: the browser knows it."""
    return tuple(path.read_text(encoding="utf-8") for path in sorted((_HERE / "examples").glob("*.graphql")))
