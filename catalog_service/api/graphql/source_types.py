"""GraphQL's types of sources and of the region crosswalk."""

from __future__ import annotations

from datetime import datetime

import strawberry

from catalog_service.api.graphql.asked import Context
from catalog_service.api.graphql.change_types import Counts, VersionConnection
from catalog_service.api.graphql.nodes import Node
from catalog_service.api.graphql.pages import Page, answered
from catalog_service.api.graphql.version_pages import VERSIONS_DEFAULT, version_connection
from catalog_service.api.graphql.words import Cloud
from catalog_service.views.sources import SourceView


async def _versions(
    info: Context, parent: strawberry.Parent[SourceView], first: int | None = None, after: str | None = None
) -> Page:
    return await version_connection(info.context.reader, parent.name, first, after)


def _source_id(parent: strawberry.Parent[SourceView]) -> strawberry.ID:
    return strawberry.ID(parent.name)


@strawberry.type(description="What is read, and how it is: the last good version is served whatever the status.")
class Source(Node):
    id: strawberry.ID = strawberry.field(resolver=_source_id, description="Its name.")
    name: str
    title: str
    cloud: Cloud
    url: str
    interval_s: int
    archive: bool = strawberry.field(description="Upstream is closed: history only.")
    status: str = strawberry.field(description="ok, never, failing, held, rejected, stale or archive.")
    degraded: bool = strawberry.field(description="What is served may be behind upstream.")
    fresh: bool = strawberry.field(
        description="What is served was confirmed as upstream's within `freshWithinS` seconds; true of an archive."
    )
    fresh_within_s: int = strawberry.field(description="The objective, in seconds.")
    age_s: int | None = strawberry.field(
        description="When degraded: seconds since what is served was known to be what upstream has."
    )
    version: int | None
    upstream_version: str | None
    upstream_at: datetime | None
    counts: Counts | None
    checked_at: datetime | None
    ok_at: datetime | None
    failures: int
    error: str | None
    error_code: str | None
    reasons: list[str] = strawberry.field(description="Why the last document could not be parsed.")
    stale_since: datetime | None
    held: str | None = strawberry.field(description="Id of the version that waits for a person.")
    versions: VersionConnection | None = answered(
        _versions, VersionConnection | None, "By upstream's dates, newest first.", first=VERSIONS_DEFAULT
    )

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Tell a source from other nodes."""
        return isinstance(value, SourceView)


@strawberry.type(description="An Azure region. `code` is its ARM name, or the only name upstream gave it.")
class Region:
    code: str
    name: str
    clouds: list[Cloud]
    geography: str | None = strawberry.field(description="Code of the Power Platform geography at home there.")
    staging: bool = strawberry.field(description="Not for customers: a canary, a stage, or a region never opened.")
    spellings: list[str] = strawberry.field(description="Further spellings, besides code and name.")


@strawberry.type(description="A Power Platform geography.")
class Geography:
    code: str
    name: str
    clouds: list[Cloud]
    regions: list[str] = strawberry.field(description="Codes of its Azure regions; empty where none is documented.")
    spellings: list[str] = strawberry.field(description="Further spellings, besides code and name.")


@strawberry.type(description="A spelling of a source's records that the crosswalk does not know; kept as written.")
class UnknownRegion:
    spelling: str
    source: str
    endpoint_set_count: int


@strawberry.type(description="Every region and geography; case, white space, hyphens and dots do not count.")
class Regions:
    version: int
    regions: list[Region]
    geographies: list[Geography]
    unknown: list[UnknownRegion]
