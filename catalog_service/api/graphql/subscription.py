"""GraphQL's subscription: every version as it is committed, from where the client left off.

The same over websockets (graphql-transport-ws) and as SSE. Each answer says in `extensions.since` where to go on
after a break, each event of SSE in its id, too.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import strawberry
from msgspec import Struct
from strawberry.types.field import StrawberryField

from catalog_service.api.graphql import change_types, pages
from catalog_service.api.graphql.asked import Asked, Context
from catalog_service.api.graphql.filters import values
from catalog_service.api.reads.sources import check_sources
from schema.change import Summary
from schema.errors import BadParameterError
from schema.event import Place
from schema.version import Version

_MOST_DIGITS = 9


class Commit(Struct, frozen=True):
    """One event."""

    version: Version

    @property
    def summary(self) -> Summary:
        """Counts of what it changed."""
        return self.version.summary


async def _changes(
    info: Context,
    parent: strawberry.Parent[Commit],
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> pages.Page:
    return await change_types.changes_of(info, parent.version, first, after, last, before)


@strawberry.type(description="A version that was committed, and what it changed in its source.")
class Committed:
    version: change_types.Version
    summary: change_types.Summary
    changes: change_types.PlainChangeConnection | None = pages.answered(
        _changes, change_types.PlainChangeConnection | None, "As `version.changes`.", first=change_types.CHANGES_DEFAULT
    )


def _stream(type_: object, description: str) -> Callable[[Callable[..., object]], StrawberryField]:
    return lambda resolver: strawberry.subscription(resolver, graphql_type=type_, description=description)


@strawberry.type(description="What happens.")
class Subscription:
    """The root."""

    @_stream(
        Committed,
        "Every version after `since`, in order, none lost and none twice; without it those that come from "
        "now on. Each answer's `extensions.since` is what to give after a break. `source`: of these alone.",
    )
    async def committed(
        self, info: Context, since: int | None = None, source: list[str] | None = None
    ) -> AsyncGenerator[Commit]:
        asked = info.context
        sources = check_sources(asked.reader, asked.sources, values("source", source))
        resumed = _resumed(asked, since)
        start = asked.snapshot.version if resumed is None else resumed
        await asked.door.hub.check(Place(start))
        if asked.door.begins and not asked.door.begins.done():
            asked.door.begins.set_result(start)
        return _commits(asked, start, sources)


def _resumed(asked: Asked, since: int | None) -> int | None:
    """Return where to begin: a browser that comes back names the last event, and asks as it did at first."""
    last = asked.door.headers.get("last-event-id", "")
    if not last:
        return since
    if not (last.isascii() and last.isdigit() and len(last) <= _MOST_DIGITS):
        raise BadParameterError("Last-Event-ID is the number of a version", parameter="Last-Event-ID")
    return int(last)


async def _commits(asked: Asked, since: int, sources: tuple[str, ...]) -> AsyncGenerator[Commit]:
    async with aclosing(asked.door.hub.versions(since, asked.door.let_in)) as versions:
        async for version in versions:
            if not sources or version.source in sources:
                await asked.door.let_in()
                asked.since = version.version
                yield Commit(version)
