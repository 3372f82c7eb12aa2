"""GraphQL's mutations: what may be done beyond reading, for who shows a token with the scope (`scopes`).

By POST with the header `Authorization: Bearer`, or on a websocket that showed the token at its beginning; never by
GET, nor with credentials that browsers send by themselves.
"""

from __future__ import annotations

from collections.abc import Callable

import strawberry
from strawberry.types.field import StrawberryField

from catalog_service.access.scopes import needed
from catalog_service.api.actions import Ran
from catalog_service.api.graphql import change_types
from catalog_service.api.graphql.acting import allowed, busy, with_scope
from catalog_service.api.graphql.asked import Context
from catalog_service.api.graphql.query import Resolver
from catalog_service.api.reads.asked import naming
from catalog_service.api.reads.sources import check_source
from schema.access import Scope
from schema.version import HeldVersion, Label, Version


@strawberry.type(description="What one run of a source came to.")
class SyncOutcome:
    source: str
    result: str = strawberry.field(description="committed, unchanged, stale, rejected, held, failed or busy.")
    version: int | None
    held: str | None = strawberry.field(description="Id of the version that waits for a person.")
    code: str | None
    message: str | None
    reasons: list[str]


def action(type_: object, description: str) -> Callable[[Resolver], StrawberryField]:
    """Make a resolver a mutation of GraphQL type ``type_``, whose description tells the scope it needs."""

    def made(resolver: Resolver) -> StrawberryField:
        if needed(resolver.__name__) is Scope.READ:
            raise LookupError(f"{resolver.__name__} stands in no line of access.scopes")
        told = with_scope(description, resolver.__name__)
        return strawberry.mutation(resolver, graphql_type=type_, description=told)

    return made


@strawberry.type(
    description="What may be done with the header `Authorization: Bearer TOKEN`, if it has the field's scope. "
    "`by`: on whose behalf, for the audit, which tells of the token besides; by default the token's name."
)
class Mutation:
    """The root."""

    @action(SyncOutcome | None, "Ask a source once, and publish what is new.")
    async def sync(self, info: Context, source: str, by: str | None = None) -> Ran:
        acting = await allowed(info)
        name, who = _source(info, source), acting.by(by)
        with busy():
            return await acting.actions.sync(name, who, acting.token)

    @action(change_types.Version | None, "Publish a held version; null: what is served has become equal to it.")
    async def accept_held(self, info: Context, id: strawberry.ID, by: str | None = None) -> Version | None:  # noqa: A002
        acting = await allowed(info)
        with busy():
            return await acting.actions.accept(id, acting.by(by), acting.token)

    @action(change_types.HeldVersion | None, "Turn a held version down; it can still be accepted.")
    async def reject_held(self, info: Context, id: strawberry.ID, by: str | None = None) -> HeldVersion:  # noqa: A002
        acting = await allowed(info)
        with busy():
            return await acting.actions.reject(id, acting.by(by), acting.token)

    @action(
        change_types.Label | None,
        "Give a version a name, or move it there. `at`: a number, latest, latest~N or a label.",
    )
    async def set_label(self, info: Context, name: str, at: str = "latest", by: str | None = None) -> Label:
        acting = await allowed(info)
        number = await info.context.reader.number(at)
        return await acting.actions.set_label(name, number, acting.by(by), acting.token)

    @action(change_types.Label | None, "Delete a label.")
    async def delete_label(self, info: Context, name: str, by: str | None = None) -> Label:
        acting = await allowed(info)
        return await acting.actions.delete_label(name, acting.by(by), acting.token)

    @action(
        change_types.Version | None,
        "Publish what a source's version `to` held as a new version; null: what is served is equal to it.",
    )
    async def rollback(self, info: Context, source: str, to: int, by: str | None = None) -> Version | None:
        acting = await allowed(info)
        name, who = _source(info, source), acting.by(by)
        with busy(), naming("to"):
            return await acting.actions.rollback(name, to, who, acting.token)


def _source(info: Context, name: str) -> str:
    return check_source(info.context.reader, info.context.sources, name)
