"""The OpenAPI 3.1 document of REST, written from the operations themselves.

In: `OPERATIONS`. Out: the document as JSON, in canonical order. Served at ``/openapi.json``, committed by
`contracts`, shown by `docs`. Parameters, words, bounds and types are the very ones that handlers work with.
"""

from __future__ import annotations

import inspect
from itertools import groupby

import msgspec
from msgspec import Struct

from catalog_service.api.problems import MEDIA_TYPE, phrase
from catalog_service.api.rest.operation import JSON, Operation, Parameter
from catalog_service.api.rest.routes import OPERATIONS
from catalog_service.catalog.scenarios import all_scenarios
from catalog_service.release import RELEASE
from catalog_service.views.schemas import Schema, components
from schema.access import Scope
from schema.regions import GEOGRAPHIES, REGIONS

_TEMPLATE = "#/components/schemas/{name}"
_ABOUT = """Network endpoints that Power Automate, Microsoft 365 and Azure need, versioned.

Every read takes `at`: a version, a label or a date. Every answer has an ETag; with it, the next request is a 304 \
until something changed. Bodies come as zstd or gzip to whoever takes it. Errors are problem documents (RFC 9457) that \
name the parameter; a parameter nobody knows is an error, too.

What is no read needs a token with the scope that the operation names, and its answers are not to be kept."""
_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {**_TEXT, "pattern": "^[0-9]+$"}
_NAME = {**_TEXT, "pattern": r"^[a-z0-9]+(-[a-z0-9]+)*$"}
_SPEC = r"(latest(~[0-9]{1,4})?|[0-9]{1,9}|[a-z][a-z0-9._-]{0,63})"
_AT = {**_TEXT, "anyOf": [{"pattern": f"^{_SPEC}$"}, {"format": "date"}, {"format": "date-time"}]}
_DATE = {**_TEXT, "anyOf": [{"format": "date"}, {"format": "date-time"}]}
_HOST = r"^(\*\.)?[a-z]([a-z0-9-]{0,30}[a-z0-9])?(\.[a-z]([a-z0-9-]{0,30}[a-z0-9])?)*\.[a-z]{2,12}$"
_LISTED = {**_TEXT, "pattern": r"^[^,]*[^,\s\x1c-\x1f\x85][^,]*$"}
_SHAPES: dict[str, Schema] = {
    "at": _AT,
    "spec": _AT,
    "span": {**_TEXT, "pattern": rf"^{_SPEC}\.\.\.{_SPEC}$"},
    "since": {**_TEXT, "pattern": r"^[0-9]{1,9}(-[0-9a-f]{1,12})?$"},
    "source": _NAME,
    "id": {**_TEXT, "pattern": r"^[^/]+$"},
    "delivery": {**_TEXT, "pattern": r"^[^/]+$"},
    "name": {**_TEXT, "pattern": r"^[a-z][a-z0-9_-]{0,63}$"},
    "by": {**_TEXT, "pattern": r"\S", "maxLength": 80},
    "digest": {**_TEXT, "pattern": "^[0-9a-f]{8,64}$"},
    "q": {**_TEXT, "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}, {"pattern": _HOST}]},
    "service": _LISTED,
    "tag": _LISTED,
    "on": _DATE,
    "cursor": {**_TEXT, "pattern": r"^[A-Za-z0-9_-]+$"},
}
"""What texts look like, by parameter, as far as a schema can say it: handlers say more exactly what is wrong."""
_HEADERS = {
    "ETag": ("Strong; names the answer in this coding.", _TEXT),
    "Cache-Control": (
        "`immutable` where a version was named by its number, `no-store` where a token is needed, else `no-cache`.",
        _TEXT,
    ),
    "Vary": ("The request headers that the answer depends on.", _TEXT),
    "X-Catalog-Version": ("The version the answer was read from.", _COUNT),
    "X-Catalog-As-Of": ("The instant it was read as of, where one was asked for.", {**_TEXT, "format": "date-time"}),
    "X-Catalog-Stale": ("Sources whose content was not confirmed within their objective (`fresh_within_s`).", _TEXT),
    "X-Catalog-Age": ("Seconds since the store confirmed that this is the newest, while it is away.", _COUNT),
    "X-Catalog-Missing-Sources": ("Sources that nothing was had of.", _TEXT),
    "X-Catalog-Clouds": ("Clouds that scenarios are answered for.", _TEXT),
    "X-Catalog-Unresolved": ("Service tags that have no prefixes here.", _TEXT),
    "X-Catalog-Unpublished": ("Scenarios without an answer for a cloud.", _TEXT),
    "X-Catalog-Notes": ("Scenarios of which something has to be known.", _TEXT),
    "X-Catalog-Entries": ("Entries in the file.", _COUNT),
    "X-Catalog-Dropped": ("What the format cannot hold, and how many.", _TEXT),
    "X-Catalog-Truncated": ("Entries cut off, where that was asked for.", _COUNT),
    "X-Catalog-Part": ("Which part of how many, where the list is split.", _TEXT),
    "X-Content-SHA256": ("Of the file, unpacked.", _TEXT),
    "Content-Disposition": ("What the file is called.", _TEXT),
    "X-Catalog-Source": ("The source it was fetched for.", _TEXT),
    "X-Catalog-Document": ("Its digest.", _TEXT),
    "X-Catalog-Document-Url": ("Where it was fetched.", _TEXT),
    "X-Catalog-Fetched-At": ("When.", {**_TEXT, "format": "date-time"}),
    "Link": ('The next page, `rel="next"`, relative to the address asked for.', _TEXT),
    "Location": ("Of what was made, relative to the address asked for.", {**_TEXT, "format": "uri-reference"}),
    "WWW-Authenticate": ("How to be let in: `Bearer`.", _TEXT),
    "Allow": ("The methods that there are.", _TEXT),
    "Retry-After": ("Seconds.", _COUNT),
    "X-Request-Id": ("Names the request in the log: the one that was sent, or a new one.", _TEXT),
    "RateLimit-Policy": ("Requests (`q`) in so many seconds (`w`), where there is a limit.", _TEXT),
    "RateLimit": ("Requests that are left (`r`), and seconds until they are more (`t`).", _TEXT),
}
_VERSIONED = ("at", "since", "spec", "span", "cursor")
_SCENARIOS = ("scenario",)
_FILE = ("overflow",)
_SENT: tuple[tuple[str, tuple[str, ...] | None], ...] = (
    ("ETag", None),
    ("Cache-Control", None),
    ("Vary", None),
    ("X-Catalog-Version", (*_VERSIONED, "filter")),
    ("X-Catalog-As-Of", _VERSIONED),
    ("X-Catalog-Stale", (*_VERSIONED, "q")),
    ("X-Catalog-Age", (*_VERSIONED, "q")),
    ("X-Catalog-Missing-Sources", _VERSIONED),
    ("X-Catalog-Clouds", _SCENARIOS),
    ("X-Catalog-Unresolved", _SCENARIOS),
    ("X-Catalog-Unpublished", _SCENARIOS),
    ("X-Catalog-Notes", _SCENARIOS),
    ("Link", ("cursor", "part")),
    ("X-Catalog-Entries", _FILE),
    ("X-Catalog-Dropped", _FILE),
    ("X-Catalog-Truncated", _FILE),
    ("X-Catalog-Part", _FILE),
    ("X-Content-SHA256", _FILE),
    ("Content-Disposition", (*_FILE, "digest")),
    ("X-Catalog-Source", ("digest",)),
    ("X-Catalog-Document", ("digest",)),
    ("X-Catalog-Document-Url", ("digest",)),
    ("X-Catalog-Fetched-At", ("digest",)),
)
"""Which answers have a header: those of operations that take one of these parameters; None: all."""
_STREAM = ("text/event-stream",)
"""What has no end has no ETag either; nor has what is not for everybody."""
_OF_WHO_ASKS = "/v1/whoami"
_OF_ANY = ("Cache-Control", "Link")
_OF_THE_GATE = ("X-Request-Id", "RateLimit-Policy", "RateLimit")
"""What stands on every answer."""
_REFUSALS = (401, 403)
_BEARER = "bearer"
_BEARER_IS = (
    "A token made by `token create` or `POST /v1/tokens`, or the operator's of the settings. What an operation needs "
    "is its `x-scope`: every scope includes `read`, `admin` includes all. Reads need none, unless the service was "
    "started with `CATALOG_ANONYMOUS_READ=false`."
)
_OF_304 = ("ETag", "Cache-Control", "Vary", "X-Catalog-Version", "X-Catalog-As-Of", "X-Catalog-Stale", "X-Catalog-Age")


class Problem(Struct, frozen=True):
    """A problem document (RFC 9457). The facts of the error stand beside these fields, ``parameter`` among them."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    """Stable, such as ``BAD_PARAMETER``."""
    request_id: str = ""
    """The request's, as in ``X-Request-Id``: the log has it too."""
    parameter: str = ""
    """The parameter to correct, where it is one."""


def openapi_document() -> bytes:
    """Return the document as indented JSON, ending with a line break."""
    types = (type_ for one in OPERATIONS for type_ in (*_structs(one), *_taken(one)))
    schemas, definitions = components((*types, Problem), _TEMPLATE)
    by_path = groupby(OPERATIONS, key=lambda one: one.path)
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Endpoint catalogue", "version": RELEASE, "description": _ABOUT},
        "servers": [{"url": "."}],
        "paths": {path: {one.method.lower(): _operation(one, schemas) for one in several} for path, several in by_path},
        "components": {
            "schemas": definitions,
            "headers": {name: {"description": text, "schema": schema} for name, (text, schema) in _HEADERS.items()},
            "responses": {"Problem": _problem(schemas[Problem])},
            "securitySchemes": {_BEARER: {"type": "http", "scheme": "bearer", "description": _BEARER_IS}},
        },
        "security": [{}, {_BEARER: [Scope.READ]}],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _structs(operation: Operation) -> tuple[type, ...]:
    own = () if isinstance(operation.answer, tuple) else (operation.answer,)
    return (*own, *((operation.or_answer,) if operation.or_answer else ()))


def _operation(operation: Operation, schemas: dict[type, Schema]) -> Schema:
    prose = inspect.cleandoc(operation.handle.__doc__ or "").replace("``", "`")
    summary, _, rest = prose.partition("\n\n")
    tag = operation.path.split("/")[2].partition(".")[0]
    found: Schema = {
        "operationId": operation.handle.__name__,
        "summary": " ".join(summary.split()).rstrip(".").replace("`", ""),
        "tags": [tag],
        "x-scope": operation.scope,
        "parameters": [*map(_parameter, operation.parameters)],
        "responses": _responses(operation, schemas),
    }
    if rest:
        found["description"] = rest
    if content := _request(operation, schemas):
        found["requestBody"] = {"required": True, "content": content}
    if _is_closed(operation):
        found["security"] = [{_BEARER: [operation.scope]}]
        found["description"] = "\n\n".join(filter(None, (rest, f"Needs the scope `{operation.scope}`.")))
    return found


def _is_closed(operation: Operation) -> bool:
    """Tell whether a token is needed in any case."""
    return operation.scope is not Scope.READ


def _taken(operation: Operation) -> tuple[type, ...]:
    return () if operation.body is None else (type(operation.body),)


def _request(operation: Operation, schemas: dict[type, Schema]) -> Schema:
    """Return what may be sent, by media type: the Struct of an example, or lines of text."""
    if operation.body is not None:
        return {JSON: {"schema": schemas[type(operation.body)], "example": msgspec.to_builtins(operation.body)}}
    lines = {"type": "array", "items": _TEXT}
    return {media_type: {"schema": lines if media_type == JSON else _TEXT} for media_type in operation.takes}


def _parameter(parameter: Parameter) -> Schema:
    found: Schema = {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "schema": _value(parameter),
    }
    if parameter.required:
        found["required"] = True
    if parameter.many:
        found |= {"style": "form", "explode": False}
    if parameter.example:
        found["example"] = parameter.example.split(",") if parameter.many else parameter.example
    return found


def _value(parameter: Parameter) -> Schema:
    """Return the schema of a parameter's value."""
    if parameter.number:
        least, most = parameter.number
        default = {"default": int(parameter.default)} if parameter.default else {}
        return {"type": "integer", "minimum": least, "maximum": most, **default}
    one: Schema = {**_TEXT, "pattern": r"\S"}
    if words := parameter.words or _words(parameter.name):
        one = {**_TEXT, "enum": list(words)}
    elif parameter.name in _SHAPES:
        one = _SHAPES[parameter.name]
    if parameter.many:
        return {"type": "array", "items": one, "minItems": 1}
    return one | ({"default": parameter.default} if parameter.default else {})


def _words(name: str) -> tuple[str, ...]:
    """Return the words of a parameter that come with a release's data; regions may be spelled in other ways, too."""
    if name == "region":
        return (*(one.code for one in REGIONS), *(one.code for one in GEOGRAPHIES))
    return tuple(one.name for one in all_scenarios()) if name == "scenario" else ()


def _responses(operation: Operation, schemas: dict[type, Schema]) -> Schema:
    names = {one.name for one in operation.parameters}
    own = [header for header, given in _SENT if given is None or not names.isdisjoint(given)]
    streams = operation.answer == _STREAM
    if streams or _is_closed(operation) or operation.path == _OF_WHO_ASKS:
        own = [header for header in own if header in _OF_ANY] + ["Location"] * (operation.status == 201)
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in (*own, *_OF_THE_GATE)}
    content = {"content": _content(operation, schemas)} if operation.answer else {}
    found: Schema = {str(operation.status): {"description": "The answer.", "headers": headers, **content}}
    if "ETag" in own and operation.method == "GET":
        kept = {name: one for name, one in headers.items() if name in (*_OF_304, *_OF_THE_GATE)}
        found["304"] = {"description": "The client has it: its If-None-Match names it.", "headers": kept}
    # Every operation refuses a parameter that it does not know.
    for status in sorted({400, *operation.problems, *(_REFUSALS if _is_closed(operation) else ())}):
        found[str(status)] = {"$ref": "#/components/responses/Problem", "description": phrase(status)}
    found["default"] = {"$ref": "#/components/responses/Problem"}
    return found


def _content(operation: Operation, schemas: dict[type, Schema]) -> Schema:
    if isinstance(operation.answer, tuple):
        return {media_type: {} for media_type in operation.answer}
    several = [schemas[one] for one in _structs(operation)]
    found: Schema = {JSON: {"schema": several[0] if len(several) == 1 else {"anyOf": several}}}
    return found | {media_type: {} for media_type in operation.or_media_types}


def _problem(schema: Schema) -> Schema:
    names = ("Allow", "Retry-After", "WWW-Authenticate", *_OF_THE_GATE)
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return {
        "description": "A problem document; `code` says which, `parameter` what to correct.",
        "headers": headers,
        "content": {MEDIA_TYPE: {"schema": schema}},
    }
