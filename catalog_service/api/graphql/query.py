"""GraphQL's query: the questions of REST, asked of the same `reads`.

An operation sees one version: what names no version is answered from the snapshot that was current when
it came in.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Annotated

import strawberry
from strawberry.types.field import StrawberryField

from catalog_service.api.graphql import change_types, history_types, reason_types, record_types, source_types
from catalog_service.api.graphql.acting import with_scope
from catalog_service.api.graphql.asked import Asked, Context
from catalog_service.api.graphql.conflict_pages import CONFLICTS_DEFAULT, CONFLICTS_MOST, ConflictPage, conflict_page
from catalog_service.api.graphql.filters import DiffFilter, EndpointFilter, diff_filter, record_filter, values, words
from catalog_service.api.graphql.limits import READS_ANEW
from catalog_service.api.graphql.nodes import Node, node
from catalog_service.api.graphql.pages import Page, Slice, answered, sliced
from catalog_service.api.graphql.record_pages import ENDPOINTS_DEFAULT, ENDPOINTS_MOST, EndpointPage, endpoint_page
from catalog_service.api.graphql.version_pages import VERSIONS_DEFAULT, VERSIONS_MOST, version_connection
from catalog_service.api.graphql.words import ConflictKind
from catalog_service.api.reads.allowlists import allowed as allowlisted
from catalog_service.api.reads.asked import check_ready, naming
from catalog_service.api.reads.biographies import biography
from catalog_service.api.reads.diffs import diff_between, diff_span
from catalog_service.api.reads.held import held_view
from catalog_service.api.reads.lookups import looked_up, looked_up_all
from catalog_service.api.reads.records import page_start
from catalog_service.api.reads.scenarios import scenario_views
from catalog_service.api.reads.sources import check_source, check_sources, source_views
from catalog_service.api.reads.versions import one_version
from catalog_service.catalog.regions import Regions, all_regions
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.export.document import AllowlistView
from catalog_service.views.biographies import Biography
from catalog_service.views.diffs import Diff, HeldView
from catalog_service.views.lookups import BulkLookup, Lookup
from catalog_service.views.records import Record, record_view
from catalog_service.views.scenarios import ScenarioView
from catalog_service.views.sources import SourceView
from schema.errors import BadParameterError
from schema.version import HeldVersion, Label, Version

_BULK_COST = 100_000
"""As many matches as one bulk answer may have."""
Resolver = Callable[..., Awaitable[object]]


def question(
    type_: object, description: str | None = None, *, first: int = 1, cost: int = READS_ANEW
) -> Callable[[Resolver], StrawberryField]:
    """Make a resolver a field of GraphQL type ``type_``, as `answered` does."""

    def made(resolver: Resolver) -> StrawberryField:
        told = with_scope(description, resolver.__name__)
        field: StrawberryField = answered(resolver, type_, told, first=first, cost=cost)
        return field

    return made


def _paged(default: int, most: int) -> str:
    return f"`first` is {default} unless told otherwise, and at most {most}."


@strawberry.type(description="The catalogue. `at` takes a number, latest, latest~1, a label, a date or a date-time.")
class Query:
    """The root."""

    @question(int, description="The newest version; 0 before the first.")
    async def catalog_version(self, info: Context) -> int:
        return info.context.snapshot.version

    @question(Node | None, description="What has this id; null when there is nothing (any more). `at`: of a record.")
    async def node(self, info: Context, id: strawberry.ID, at: str | None = None) -> object:  # noqa: A002
        return await node(info.context, id, await _snapshot(info.context, at))

    @question(list[source_types.Source] | None)
    async def sources(self, info: Context) -> tuple[SourceView, ...]:
        return await source_views(info.context.reader, info.context.sources)

    @question(source_types.Source | None)
    async def source(self, info: Context, name: str) -> SourceView:
        asked = info.context
        with naming("name"):
            found = check_source(asked.reader, asked.sources, name)
        return next(one for one in await source_views(asked.reader, asked.sources) if one.name == found)

    @question(
        change_types.VersionConnection | None,
        description=f"Newest first. {_paged(VERSIONS_DEFAULT, VERSIONS_MOST)}",
        first=VERSIONS_DEFAULT,
    )
    async def versions(
        self, info: Context, source: str | None = None, first: int | None = None, after: str | None = None
    ) -> Page:
        asked = info.context
        if source is not None:
            source = check_source(asked.reader, asked.sources, source)
        return await version_connection(asked.reader, source, first, after)

    @question(change_types.Version | None, description="By its number, or as `at` names one.")
    async def version(self, info: Context, number: int | None = None, at: str | None = None) -> Version:
        if (number is None) == (at is None):
            raise BadParameterError("version takes a number, or at", parameter="number")
        return await one_version(info.context.reader, str(number) if at is None else at)

    @question(
        record_types.EndpointSetConnection | None,
        description=f"Sorted by id. {_paged(ENDPOINTS_DEFAULT, ENDPOINTS_MOST)}",
        first=ENDPOINTS_DEFAULT,
    )
    async def endpoints(
        self,
        info: Context,
        filter: EndpointFilter | None = None,  # noqa: A002 - the argument's name in GraphQL
        at: str | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> EndpointPage:
        asked, wanted = info.context, record_filter(info.context, filter)
        part = sliced(first, after, last, before, default=ENDPOINTS_DEFAULT, most=ENDPOINTS_MOST)
        snapshot, low, high = await _cut(asked, wanted, at, part)
        return await asyncio.to_thread(endpoint_page, snapshot, asked.sources, wanted, part, low, high)

    @question(record_types.EndpointSet | None)
    async def endpoint(self, info: Context, id: strawberry.ID, at: str | None = None) -> Record:  # noqa: A002
        snapshot = await _snapshot(info.context, at)
        return record_view(snapshot, snapshot.endpoint_set(id))

    @question(change_types.Diff | None, description="What leads from one version to another.")
    async def diff(
        self,
        info: Context,
        since: Annotated[str, strawberry.argument(name="from")] = "latest~1",
        to: str = "latest",
        filter: DiffFilter | None = None,  # noqa: A002 - the argument's name in GraphQL
        *,
        space: Annotated[bool, strawberry.argument(description="Also the addresses gained and lost.")] = False,
    ) -> Diff:
        wanted = diff_filter(info.context, filter)
        first, last = await diff_span(info.context.reader, since, to)
        return await diff_between(info.context.reader, first, last, wanted, space=space)

    @question(record_types.Lookup | None, description="`query`: an address, a CIDR block, a name or a URL.")
    async def lookup(
        self,
        info: Context,
        query: str,
        filter: EndpointFilter | None = None,  # noqa: A002 - the argument's name in GraphQL
        at: str | None = None,
    ) -> Lookup:
        wanted, snapshot = record_filter(info.context, filter), await _ready(info.context, at)
        with naming("query", instead_of="q"):
            return await asyncio.to_thread(looked_up, snapshot, info.context.sources, query, wanted)

    @question(
        record_types.BulkLookup | None,
        description="Up to 10,000 lines as of `lookup`; give them as a variable.",
        cost=_BULK_COST,
    )
    async def lookup_many(
        self,
        info: Context,
        queries: list[str],
        filter: EndpointFilter | None = None,  # noqa: A002 - the argument's name in GraphQL
        at: str | None = None,
    ) -> BulkLookup:
        wanted, snapshot = record_filter(info.context, filter), await _ready(info.context, at)
        with naming("queries", instead_of="body"):
            return await asyncio.to_thread(looked_up_all, snapshot, info.context.sources, queries, wanted)

    @question(
        history_types.Biography | None,
        description="When a prefix, an address, a name, a URL's host or a record's id was listed. `on`: tell of a day.",
    )
    async def biography(
        self, info: Context, query: str, source: list[str] | None = None, on: str | None = None
    ) -> Biography:
        asked = info.context
        names = check_sources(asked.reader, asked.sources, values("source", source))
        with naming("query", instead_of="q"):
            return await biography(asked.reader, asked.sources, query, names, on)

    @question(record_types.Allowlist | None, description="Unique prefixes and names, never empty.")
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
        asked, wanted = info.context, record_filter(info.context, filter)
        snapshot = await _ready(asked, at)
        read = functools.partial(allowlisted, asked.reader, snapshot, asked.sources, wanted, partial=partial)
        return await asyncio.to_thread(read)

    @question(list[reason_types.Scenario] | None, description="The questions that the filter's `scenario` takes.")
    async def scenarios(self) -> tuple[ScenarioView, ...]:
        return scenario_views()

    @question(
        reason_types.ConflictConnection | None,
        description="Where sources disagree, and names that need a second look. "
        + _paged(CONFLICTS_DEFAULT, CONFLICTS_MOST),
        first=CONFLICTS_DEFAULT,
    )
    async def conflicts(
        self,
        info: Context,
        source: list[str] | None = None,
        kind: list[ConflictKind] | None = None,
        at: str | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> ConflictPage:
        asked = info.context
        names = check_sources(asked.reader, asked.sources, values("source", source))
        part = sliced(first, after, last, before, default=CONFLICTS_DEFAULT, most=CONFLICTS_MOST)
        snapshot = await _ready(asked, at)
        kinds = words("kind", kind, ConflictKind)
        return await asyncio.to_thread(conflict_page, snapshot, asked.sources, names, kinds, part)

    @question(source_types.Regions | None, description="The crosswalk of region spellings.")
    async def regions(self, info: Context, at: str | None = None) -> Regions:
        return all_regions(await _snapshot(info.context, at))

    @question(list[change_types.HeldVersion] | None, description="Waiting for a person, oldest first.")
    async def held(self, info: Context) -> tuple[HeldVersion, ...]:
        return await info.context.reader.store.sources.held()

    @question(change_types.HeldView | None)
    async def held_version(self, info: Context, id: strawberry.ID) -> HeldView:  # noqa: A002
        return await held_view(info.context.reader, id)

    @question(list[change_types.Label] | None, description="Sorted by name.")
    async def labels(self, info: Context) -> tuple[Label, ...]:
        return await info.context.reader.store.labels.all()


async def _snapshot(asked: Asked, at: str | None) -> Snapshot:
    return asked.snapshot if at is None else await asked.reader.at(at)


async def _ready(asked: Asked, at: str | None) -> Snapshot:
    """Return the snapshot asked for. Raises NotReadyError before the first version."""
    check_ready(asked.reader, at)
    return await _snapshot(asked, at)


async def _cut(asked: Asked, wanted: Filter, at: str | None, part: Slice) -> tuple[Snapshot, str, str]:
    """Return the snapshot of a page, and the ids it lies between. Raises BadParameterError, UnknownVersionError."""
    if not part.cursors:
        return await _snapshot(asked, at), "", ""
    found: dict[str, tuple[Snapshot, str]] = {}
    for name, cursor in part.cursors:
        with naming(name, instead_of="cursor"):
            found[name] = await page_start(asked.reader, wanted, at, cursor)
    (snapshot, _), *others = found.values()
    if any(other.point != snapshot.point for other, _ in others):
        raise BadParameterError("after and before belong to two versions", parameter="before")
    low, high = (found[name][1] if name in found else "" for name in ("after", "before"))
    return snapshot, low, high
