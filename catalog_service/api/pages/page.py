"""How a page becomes bytes: the templates, what each of them can use, and the headers every page has.

In: a template's name and typed values. Out: a `Body` for `Answers`. Upstream's text is data here: all of it is
escaped, and the policy lets no script, no inline style and no foreign resource in. Called by all handlers here.
"""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct
from starlette.datastructures import QueryParams
from starlette.requests import Request

from catalog_service.api.answers import Body
from catalog_service.api.context import Context
from catalog_service.api.gate.rules import GateRules
from catalog_service.api.pages import links, texts
from schema.errors import BadParameterError

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
MEDIA_TYPE = "text/html; charset=utf-8"
HEADERS = (("Content-Security-Policy", CONTENT_SECURITY_POLICY),)


class Pages(Struct, frozen=True):
    """What the pages of one process share."""

    context: Context
    demo: bool
    templates: Environment

    def body(self, request: Request, template: str, **values: object) -> Body:
        """Return ``template`` filled with ``values``."""
        return Body(self.html(request, template, **values), MEDIA_TYPE, HEADERS)

    def html(self, request: Request, template: str, **values: object) -> bytes:
        """Return ``template`` filled with ``values``, as bytes. Links are relative, whatever proxy is before it."""
        sent = request.scope.get("raw_path") or request.scope["path"].encode()  # where %2F is no step of the way
        steps = sent.count(b"/") - request.scope.get("root_path", "").count("/") - 1
        shared = {"root": "../" * steps, "demo": self.demo}
        return self.templates.get_template(template).render(**shared, **values).encode()


def pages_of(context: Context, *, demo: bool, rules: GateRules) -> Pages:
    """Return the pages, their templates ready to be filled; what ``rules`` switch off is linked nowhere."""
    loader = PackageLoader("catalog_service.api.pages")
    templates = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, finalize=texts.visible, lstrip_blocks=True
    )
    templates.filters.update(texts.FILTERS)
    templates.globals.update(links.GLOBALS, has_graphiql=rules.graphiql, has_docs=rules.docs)
    return Pages(context, demo, templates)


def given_of(request: Request, *names: str) -> QueryParams:
    """Return the parameters of ``request``; a form sends its empty fields too, which ask for nothing.

    Raises:
        BadParameterError: one is not among ``names``.
    """
    for name in request.query_params:
        if name not in names:
            message = f"{name!r} is not a parameter here; there are {', '.join(names) or 'none'}"
            raise BadParameterError(message, parameter=name, known=names)
    return QueryParams([(name, value) for name, value in request.query_params.multi_items() if value.strip()])
