"""GraphQL's mutations: what an operator may have done, for who shows the token (`actions`) in a header.

By POST, or on a websocket whose handshake had that header, which no page of a browser can send; never by GET.
"""

from __future__ import annotations

from collections.abc import Callable

import strawberry
from strawberry.types.field import StrawberryField

from catalog_service.api.actions import OPERATOR, Ran
from catalog_service.api.graphql import change_types
from catalog_service.api.graphql.acting import allowed, busy
from catalog_service.api.graphql.asked import Context
from catalog_service.api.graphql.query import Resolver
from catalog_service.api.reads.asked import naming
from catalog_service.api.reads.sources import check_source
from catalog_service.store.audit import person
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
    """Make a resolver a mutation of GraphQL type ``type_``."""
    return lambda resolver: strawberry.mutation(resolver, graphql_type=type_, description=description)


@strawberry.type(description="What an operator may do: with the header `Authorization: Bearer TOKEN`. `by`: who asks.")
class Mutation:
    """The root."""

    @action(SyncOutcome | None, "Ask a source once, and publish what is new.")
    async def sync(self, info: Context, source: str) -> Ran:
        actions, name = allowed(info), _source(info, source)
        with busy():
            return await actions.sync(name)

    @action(change_types.Version | None, "Publish a held version; null: what is served has become equal to it.")
    async def accept_held(self, info: Context, id: strawberry.ID, by: str = OPERATOR) -> Version | None:  # noqa: A002
        actions = allowed(info)
        with busy():
            return await actions.accept(id, person(by))

    @action(change_types.HeldVersion | None, "Turn a held version down; it can still be accepted.")
    async def reject_held(self, info: Context, id: strawberry.ID, by: str = OPERATOR) -> HeldVersion:  # noqa: A002
        actions = allowed(info)
        with busy():
            return await actions.reject(id, person(by))

    @action(
        change_types.Label | None,
        "Give a version a name, or move it there. `at`: a number, latest, latest~N or a label.",
    )
    async def set_label(self, info: Context, name: str, at: str = "latest", by: str = OPERATOR) -> Label:
        actions = allowed(info)
        return await actions.set_label(name, await info.context.reader.number(at), person(by))

    @action(change_types.Label | None, "Delete a label.")
    async def delete_label(self, info: Context, name: str, by: str = OPERATOR) -> Label:
        return await allowed(info).delete_label(name, person(by))

    @action(
        change_types.Version | None,
        "Publish what a source's version `to` held as a new version; null: what is served is equal to it.",
    )
    async def rollback(self, info: Context, source: str, to: int, by: str = OPERATOR) -> Version | None:
        actions, name = allowed(info), _source(info, source)
        who = person(by)
        with busy(), naming("to"):
            return await actions.rollback(name, to, who)


def _source(info: Context, name: str) -> str:
    return check_source(info.context.reader, info.context.sources, name)
