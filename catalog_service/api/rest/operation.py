"""What one address answers: its handler, the parameters it takes, and what comes back.

A declared parameter is a parameter that is understood: any other name in a query is an error, and the OpenAPI
document is written from the same declarations. Used by every module of this package.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Literal

from msgspec import Struct
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.access.scopes import needed
from catalog_service.api.context import Context
from catalog_service.catalog.select import Resolve
from schema.access import Scope
from schema.errors import BadParameterError
from schema.words import Cloud, Direction, Kind

JSON = "application/json"
Handler = Callable[[Context, Request], Awaitable[Response]]


class Parameter(Struct, frozen=True):
    """One parameter of a query or, where ``place`` says so, of the path."""

    name: str
    description: str
    words: tuple[str, ...] = ()
    """The values it takes, compared without case; none: any text."""
    many: bool = False
    """May be repeated, or hold several values separated by commas."""
    number: tuple[int, int] | None = None
    """Its least and greatest value, where it is a number."""
    default: str | None = None
    required: bool = False
    place: Literal["query", "path"] = "query"
    example: str | None = None


class Operation(Struct, frozen=True):
    """One method of one address. Its handler's docstring is its description, the first sentence its summary."""

    path: str
    handle: Handler
    answer: type | tuple[str, ...]
    """The Struct of its JSON, or the media types of what is no JSON of ours; none: it has no body."""
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()
    """Statuses of problem documents beyond 400 (where it has parameters)."""
    method: str = "GET"
    or_answer: type | None = None
    """Another Struct of its JSON, where a parameter asks for less."""
    or_media_types: tuple[str, ...] = ()
    """What else its JSON can be had as."""
    takes: tuple[str, ...] = ()
    """The media types of its body, where it takes lines."""
    body: Struct | None = None
    """Where it takes JSON of ours: an example, whose type is what it takes."""
    status: int = 200
    """Of its answer."""

    @property
    def scope(self) -> Scope:
        """What a token needs for it, as `scopes` has it."""
        return needed(self.handle.__name__)

    def check_known(self, given: QueryParams) -> None:
        """Raise BadParameterError for a name in ``given`` that is not declared."""
        names = tuple(one.name for one in self.parameters if one.place == "query")
        for name in given:
            if name not in names:
                message = f"{name!r} is not a parameter here; there are {', '.join(names) or 'none'}"
                raise BadParameterError(message, parameter=name, known=names)


def words_parameter(name: str, type_: type[StrEnum], description: str) -> Parameter:
    """Return a parameter that takes words of ``type_``."""
    return Parameter(name, description, words=tuple(type_), many=True)


AT = Parameter(
    "at",
    "The version to read: a number, `latest`, `latest~3`, a label, a date or a date-time (UTC, upstream's time).",
    default="latest",
    example="latest~1",
)
SOURCE = Parameter("source", "Names of sources.", many=True)
SERVICE = Parameter("service", "Services, or titles such as `AzureConnectors.WestEurope`.", many=True)
TAG = Parameter("tag", "Service tags by their full names: the tags themselves, and what refers to them.", many=True)
CLOUD = words_parameter("cloud", Cloud, "Clouds; `usgov` is GCC and Azure Government.")
REGION = Parameter("region", "Regions or geographies, in any spelling.", many=True, example="westeurope")
DIRECTION = words_parameter("direction", Direction, "As the customer's firewall sees it.")
KIND = words_parameter("kind", Kind, "What endpoint sets hold.")
SCENARIO = Parameter("scenario", "Questions by name, as `/v1/scenarios` lists them.", many=True)
RESOLVE = words_parameter("resolve", Resolve, "`tags`: prefixes of service tags in place of references.")
FILTERS = (SOURCE, SERVICE, TAG, CLOUD, REGION, DIRECTION, KIND, SCENARIO, RESOLVE)
CURSOR = Parameter("cursor", "Where the page starts: `next` of the page before.")


def limit(default: int, most: int) -> Parameter:
    """Return the parameter that bounds a page."""
    return Parameter("limit", "At most so many on a page.", number=(1, most), default=str(default))


def in_path(name: str, description: str, example: str | None = None) -> Parameter:
    """Return a parameter of the path."""
    return Parameter(name, description, required=True, place="path", example=example)
