"""GraphQL's inputs, and the filters they become: as REST would read them, sorted, unique, nothing empty."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

import strawberry
from msgspec.structs import replace

from catalog_service.api.graphql.asked import Asked
from catalog_service.api.graphql.words import (
    Cloud,
    Direction,
    Family,
    Impact,
    Kind,
    Only,
    Resolve,
)
from catalog_service.api.reads.asked import naming
from catalog_service.api.reads.filters import check_filter
from catalog_service.catalog.compare import DiffFilter as Wanted
from catalog_service.catalog.compare import impacts_asked
from catalog_service.catalog.select import Filter
from schema.errors import BadParameterError

T = TypeVar("T")
Word = TypeVar("Word", bound=Enum)
_TAG = "Service tags by their full names: the tags themselves, and what refers to them."


@strawberry.input(description="Empty fields keep everything; several values of one field are alternatives.")
class EndpointFilter:
    """The filter of `endpoints`, `lookup` and `allowlist`."""

    source: list[str] | None = None
    service: list[str] | None = strawberry.field(
        default=None, description="A service, or a title such as `AzureConnectors.WestEurope`."
    )
    tag: list[str] | None = strawberry.field(default=None, description=_TAG)
    cloud: list[Cloud] | None = None
    region: list[str] | None = None
    direction: list[Direction] | None = None
    kind: list[Kind] | None = None
    scenario: list[str] | None = strawberry.field(
        default=None, description="Questions by name (see `scenarios`): then a region also means what is not regional."
    )
    resolve: list[Resolve] | None = strawberry.field(
        default=None, description="TAGS: the prefixes of service tags in place of references; scenarios always do."
    )


@strawberry.input(description="Empty fields keep everything; several values of one field are alternatives.")
class DiffFilter:
    """The filter of `diff`."""

    source: list[str] | None = None
    service: list[str] | None = None
    tag: list[str] | None = strawberry.field(default=None, description=_TAG)
    cloud: list[Cloud] | None = None
    region: list[str] | None = None
    direction: list[Direction] | None = None
    kind: list[Kind] | None = strawberry.field(default=None, description="Which members of a change are shown.")
    family: Family = strawberry.field(default=Family.BOTH, description="Of prefixes; names have none and stay.")
    only: Only | None = strawberry.field(default=None, description="One side of the changes.")
    impact: list[Impact] | None = None
    impact_at_least: Impact | None = strawberry.field(
        default=None, description="What asks as much as this word, or more; additions are equals."
    )
    material: bool = strawberry.field(default=False, description="Leave out what is noise.")


def record_filter(asked: Asked, given: EndpointFilter | None) -> Filter:
    """Return ``given`` as a filter over records. Raises BadParameterError, UnknownSourceError."""
    if given is None:
        return Filter()
    wanted = replace(
        _shared(given),
        scenarios=values("scenario", given.scenario),
        resolve=Resolve.TAGS in _given("resolve", given.resolve),
    )
    return check_filter(asked.reader, asked.sources, wanted)


def diff_filter(asked: Asked, given: DiffFilter | None) -> Wanted:
    """Return ``given`` as a filter over changes. Raises BadParameterError, UnknownSourceError."""
    if given is None:
        return Wanted()
    with naming("impactAtLeast", instead_of="impact_at_least"):
        impacts = impacts_asked(words("impact", given.impact, Impact), given.impact_at_least)
    records = check_filter(asked.reader, asked.sources, _shared(given))
    return Wanted(records, given.family, given.only, impacts, given.material)


def _shared(given: EndpointFilter | DiffFilter) -> Filter:
    return Filter(
        sources=values("source", given.source),
        services=values("service", given.service),
        tags=values("tag", given.tag),
        clouds=words("cloud", given.cloud, Cloud),
        regions=values("region", given.region),
        directions=words("direction", given.direction, Direction),
        kinds=words("kind", given.kind, Kind),
    )


def values(name: str, given: list[str] | None) -> tuple[str, ...]:
    """Return the texts given, sorted, unique. Raises BadParameterError for an empty one."""
    stripped = [value.strip() for value in _given(name, given)]
    if not all(stripped):
        raise BadParameterError(f"{name} has an empty value", parameter=name)
    return tuple(sorted(set(stripped)))


def words(name: str, given: list[Word] | None, type_: type[Word]) -> tuple[Word, ...]:
    """Return the words given, in the order of their vocabulary, each once. Raises BadParameterError."""
    found = _given(name, given)
    return tuple(word for word in type_ if word in found)


def _given(name: str, given: list[T] | None) -> list[T]:
    """Return what is given. Raises BadParameterError for a list with nothing in it: it would keep everything."""
    if given is not None and not given:
        raise BadParameterError(f"{name} is empty", parameter=name)
    return given or []
