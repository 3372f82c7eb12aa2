"""GraphQL's query: the questions of REST, asked of the same `reads`.

A request sees one version: what names no version is answered from the snapshot that was current when
it came in.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import strawberry
from msgspec import Struct
from strawberry.types import Info
from strawberry.types.field import StrawberryField

from catalog_service.api.graphql import change_types, reason_types, record_types, source_types
from catalog_service.api.graphql.words import Cloud, ConflictKind, Direction, Kind, Resolve
from catalog_service.api.reads.allowlists import allowed
from catalog_service.api.reads.asked import Sources, check_ready, naming
from catalog_service.api.reads.conflicts import conflicts_at
from catalog_service.api.reads.diffs import diff_between, diff_span
from catalog_service.api.reads.held import held_view
from catalog_service.api.reads.lookups import check_place, looked_up
from catalog_service.api.reads.records import page_start, record_page
from catalog_service.api.reads.scenarios import check_scenarios, scenario_views
from catalog_service.api.reads.sources import check_sources, source_views
from catalog_service.api.reads.versions import one_version, version_page
from catalog_service.catalog.conflict import Conflicts
from catalog_service.catalog.regions import Regions, all_regions
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.export.document import AllowlistView
from catalog_service.reader import Reader
from catalog_service.views.changes import Diff, HeldView, VersionPage
from catalog_service.views.lookups import Lookup
from catalog_service.views.records import Record, RecordPage, record_view
from catalog_service.views.scenarios import ScenarioView
from catalog_service.views.sources import SourceView
from schema.errors import BadParameterError
from schema.version import HeldVersion, Version

FIRST_DEFAULT, FIRST_MOST = 50, 500
T = TypeVar("T")


class Asked(Struct, frozen=True):
    """What a request's resolvers work with."""

    reader: Reader
    sources: Sources
    snapshot: Snapshot
    """The current one when the request came in."""


Context = Info[Asked, None]
Resolver = Callable[..., Awaitable[object]]


def _question(type_: object, description: str | None = None) -> Callable[[Resolver], StrawberryField]:
    """Make a resolver a field of GraphQL type ``type_``, whatever Struct it returns."""
    return lambda resolver: strawberry.field(resolver, graphql_type=type_, description=description)


@strawberry.input(description="Empty fields keep everything; several values of one field are alternatives.")
class EndpointFilter:
    """The filter of `endpoints` and `allowlist`."""

    source: list[str] | None = None
    service: list[str] | None = strawberry.field(
        default=None, description="A service, or a title such as `AzureConnectors.WestEurope`."
    )
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


@strawberry.type(description="The catalogue. `at` takes a number, latest, latest~1, a date or a date-time.")
class Query:
    """The root."""

    @_question(int, description="The newest version; 0 before the first.")
    async def catalog_version(self, info: Context) -> int:
        return info.context.snapshot.version

    @_question(list[source_types.Source] | None)
    async def sources(self, info: Context) -> tuple[SourceView, ...]:
        return await source_views(info.context.reader, info.context.sources)

    @_question(change_types.VersionPage | None, description="Newest first.")
    async def versions(
        self, info: Context, source: str | None = None, first: int = FIRST_DEFAULT, after: str | None = None
    ) -> VersionPage:
        asked = info.context
        if source:
            (source,) = check_sources(asked.reader, asked.sources, (source,))
        with naming("after", instead_of="cursor"):
            return await version_page(asked.reader, source, _first(first), after)

    @_question(change_types.Version | None)
    async def version(self, info: Context, number: int) -> Version:
        return await one_version(info.context.reader, str(number))

    @_question(record_types.EndpointSetPage | None, description="Sorted by id.")
    async def endpoints(
        self,
        info: Context,
        filter: EndpointFilter | None = None,  # noqa: A002 - the argument's name in GraphQL
        at: str | None = None,
        first: int = FIRST_DEFAULT,
        after: str | None = None,
    ) -> RecordPage:
        asked, wanted = info.context, _filter(info.context, filter)
        snapshot, start = await _page_start(asked, wanted, at, after)
        return await asyncio.to_thread(record_page, snapshot, asked.sources, wanted, start, _first(first))

    @_question(record_types.EndpointSet | None)
    async def endpoint(self, info: Context, id: str, at: str | None = None) -> Record:  # noqa: A002
        snapshot = await _snapshot(info.context, at)
        return record_view(snapshot, snapshot.endpoint_set(id))

    @_question(change_types.Diff | None, description="What leads from one version to another.")
    async def diff(
        self,
        info: Context,
        since: Annotated[str, strawberry.argument(name="from")] = "latest~1",
        to: str = "latest",
        source: list[str] | None = None,
    ) -> Diff:
        asked, wanted = info.context, _values("source", source)
        wanted = check_sources(asked.reader, asked.sources, wanted)
        first, last = await diff_span(asked.reader, since, to)
        return await diff_between(asked.reader, first, last, wanted)

    @_question(record_types.Lookup | None, description="`query`: an address, a CIDR block or a name.")
    async def lookup(
        self,
        info: Context,
        query: str,
        at: str | None = None,
        scenario: list[str] | None = None,
        region: list[str] | None = None,
        cloud: list[Cloud] | None = None,
    ) -> Lookup:
        wanted = _filter(info.context, EndpointFilter(scenario=scenario, region=region, cloud=cloud))
        check_place(wanted)
        check_ready(info.context.reader, at)
        snapshot = await _snapshot(info.context, at)
        with naming("query", instead_of="q"):
            return await asyncio.to_thread(looked_up, snapshot, info.context.sources, query, wanted)

    @_question(record_types.Allowlist | None, description="Unique prefixes and names, never empty.")
    async def allowlist(
        self,
        info: Context,
        filter: EndpointFilter | None = None,  # noqa: A002 - the argument's name in GraphQL
        at: str | None = None,
        *,
        partial: Annotated[
            bool, strawberry.argument(description="Without pages of scenarios that nothing was published of yet.")
        ] = False,
    ) -> AllowlistView:
        wanted = _filter(info.context, filter)
        check_ready(info.context.reader, at)
        snapshot = await _snapshot(info.context, at)
        asked = info.context
        read = functools.partial(allowed, asked.reader, snapshot, asked.sources, wanted, partial=partial)
        return await asyncio.to_thread(read)

    @_question(list[reason_types.Scenario] | None, description="The questions that the filter's `scenario` takes.")
    async def scenarios(self) -> tuple[ScenarioView, ...]:
        return scenario_views()

    @_question(reason_types.Conflicts | None, description="Where sources disagree, and names that need a second look.")
    async def conflicts(
        self,
        info: Context,
        source: list[str] | None = None,
        kind: list[ConflictKind] | None = None,
        at: str | None = None,
    ) -> Conflicts:
        asked = info.context
        sources = check_sources(asked.reader, asked.sources, _values("source", source))
        kinds = tuple(one for one in ConflictKind if one in _given("kind", kind))
        check_ready(asked.reader, at)
        snapshot = await _snapshot(asked, at)
        return await asyncio.to_thread(conflicts_at, snapshot, asked.sources, sources, kinds)

    @_question(source_types.Regions | None, description="The crosswalk of region spellings.")
    async def regions(self, info: Context) -> Regions:
        return all_regions(info.context.snapshot)

    @_question(list[change_types.HeldVersion] | None, description="Waiting for a person, oldest first.")
    async def held(self, info: Context) -> tuple[HeldVersion, ...]:
        return await info.context.reader.store.sources.held()

    @_question(change_types.HeldView | None)
    async def held_version(self, info: Context, id: str) -> HeldView:  # noqa: A002
        return await held_view(info.context.reader, id)


async def _snapshot(asked: Asked, at: str | None) -> Snapshot:
    return asked.snapshot if at is None else await asked.reader.at(at)


async def _page_start(asked: Asked, wanted: Filter, at: str | None, after: str | None) -> tuple[Snapshot, str]:
    if at is None and after is None:
        return asked.snapshot, ""
    with naming("after", instead_of="cursor"):
        return await page_start(asked.reader, wanted, at, after)


def _first(first: int) -> int:
    if not 1 <= first <= FIRST_MOST:
        raise BadParameterError(f"first is a number from 1 to {FIRST_MOST}", parameter="first", value=first)
    return first


def _filter(asked: Asked, given: EndpointFilter | None) -> Filter:
    """Return ``given`` as REST would read it: sorted, unique. Raises BadParameterError, UnknownSourceError."""
    if given is None:
        return Filter()
    return Filter(
        sources=check_sources(asked.reader, asked.sources, _values("source", given.source)),
        services=_values("service", given.service),
        clouds=tuple(cloud for cloud in Cloud if cloud in _given("cloud", given.cloud)),
        regions=_values("region", given.region),
        directions=tuple(direction for direction in Direction if direction in _given("direction", given.direction)),
        kinds=tuple(kind for kind in Kind if kind in _given("kind", given.kind)),
        scenarios=check_scenarios(_values("scenario", given.scenario)),
        resolve=Resolve.TAGS in _given("resolve", given.resolve),
    )


def _values(name: str, values: list[str] | None) -> tuple[str, ...]:
    stripped = [value.strip() for value in _given(name, values)]
    if not all(stripped):
        raise BadParameterError(f"{name} has an empty value", parameter=name)
    return tuple(sorted(set(stripped)))


def _given(name: str, values: list[T] | None) -> list[T]:
    """Return ``values``. Raises BadParameterError for a list with nothing in it: it would keep everything."""
    if values is not None and not values:
        raise BadParameterError(f"{name} is empty", parameter=name)
    return values or []
