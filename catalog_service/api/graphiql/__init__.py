"""GraphiQL from our own origin: the page, its script and the assets of a wheel; nothing comes from a CDN.

The assets are those of `graphene-django-graphiql-static`, found without importing it, since it is made
for Django (building-blocks.md 4). Called by `app`.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

PAGES = Path(__file__).parent / "page"
_ASSETS_PACKAGE = "graphene_django_graphiql_static"
_LONG = "public, max-age=604800"
_SHORT = "public, max-age=300"
# The editor measures text with style attributes and the stylesheet carries its fonts, hence the two exceptions.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
DEMO_BANNER = (
    '<div class="demo" role="alert">DEMO DATA: a small bundled sample, not what Microsoft publishes. '
    "Build no firewall rule from it.</div>"
)


def graphiql_page(*, demo: bool) -> Response:
    """Return the page, the same for everybody."""
    html = (PAGES / "graphiql.html").read_text(encoding="utf-8")
    html = html.replace("<!--banner-->", DEMO_BANNER if demo else "")
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-cache", "Vary": "Accept"}
    return HTMLResponse(html, headers=headers)


def asset_routes() -> list[Mount]:
    """Return where the page finds its files."""
    return [
        Mount("/assets/graphiql", _Files(_assets(), _LONG)),
        Mount("/assets/graphiql-page", _Files(PAGES, _SHORT)),
    ]


class _Files(StaticFiles):
    """Files of one folder that browsers may keep for a while."""

    def __init__(self, directory: Path, cache_control: str) -> None:
        super().__init__(directory=directory)
        self._cache_control = cache_control

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file ``path``."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = self._cache_control
        return response


def _assets() -> Path:
    """Return the folder of GraphiQL's files. Raises RuntimeError when the wheel is not installed."""
    spec = find_spec(_ASSETS_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"GraphiQL's files are missing: {_ASSETS_PACKAGE} is not installed")
    return Path(spec.submodule_search_locations[0]) / "static" / _ASSETS_PACKAGE
