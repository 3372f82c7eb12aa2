"""The part of GraphQL's mutations about subscriptions: the desk's verbs, for who may."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import strawberry

from catalog_service.api.actions import Acting
from catalog_service.api.graphql import subscriber_types
from catalog_service.api.graphql.acting import allowed, busy, named_here
from catalog_service.api.graphql.asked import Context
from catalog_service.api.graphql.mutation import action
from catalog_service.api.graphql.subscriber_inputs import (
    NewSubscriberInput,
    ReplayInput,
    SavedFilterInput,
    SubscriberEdit,
    edit_of,
    wanted,
)
from catalog_service.subscriptions.wanted import NewFilter, NewSubscription, Replay
from catalog_service.views.subscriptions import Created, Rotated, SubscriptionView
from schema.subscription import SavedFilter

_ONE = subscriber_types.Subscriber | None


@strawberry.type(name="Mutation")
class SubscriberMutation:
    """Joined to the root by `schema`."""

    @action(subscriber_types.CreatedSubscriber | None, "Subscribe: the receiver is sent a challenge first.")
    async def create_subscription(
        self,
        info: Context,
        input: NewSubscriberInput,  # noqa: A002 - the argument's name in GraphQL
        by: str | None = None,
    ) -> Created:
        async with _ordering(info) as acting:
            return await acting.desk.create(wanted(input, NewSubscription), acting.by(by))

    @action(_ONE, "Change a subscription; another address or channel is sent a challenge first.")
    async def edit_subscription(
        self,
        info: Context,
        id: strawberry.ID,  # noqa: A002
        input: SubscriberEdit,  # noqa: A002
        by: str | None = None,
    ) -> SubscriptionView:
        async with _ordering(info) as acting:
            return await acting.desk.edit(id, edit_of(input), acting.by(by))

    @action(_ONE, "Show that a receiver wants it: `code` is what it was sent.")
    async def verify_subscription(
        self,
        info: Context,
        id: strawberry.ID,  # noqa: A002
        code: str,
        by: str | None = None,
    ) -> SubscriptionView:
        async with _ordering(info) as acting:
            return await acting.desk.verify(id, code, acting.by(by))

    @action(strawberry.ID | None, "Send a ping, or the challenge again; the id of its delivery.")
    async def test_subscription(self, info: Context, id: strawberry.ID, by: str | None = None) -> str:  # noqa: A002
        async with _ordering(info) as acting:
            return await acting.desk.test(id, acting.by(by))

    @action(_ONE, "Hold back what is to be told: it waits.")
    async def pause_subscription(self, info: Context, id: strawberry.ID, by: str | None = None) -> SubscriptionView:  # noqa: A002
        async with _ordering(info) as acting:
            return await acting.desk.pause(id, acting.by(by))

    @action(_ONE, "Tell a paused or disabled one again, what waits first.")
    async def resume_subscription(self, info: Context, id: strawberry.ID, by: str | None = None) -> SubscriptionView:  # noqa: A002
        async with _ordering(info) as acting:
            return await acting.desk.resume(id, acting.by(by))

    @action(strawberry.ID | None, "Delete a subscription, with what waits and its log; its id.")
    async def delete_subscription(self, info: Context, id: strawberry.ID, by: str | None = None) -> str:  # noqa: A002
        async with _ordering(info) as acting:
            await acting.desk.delete(id, acting.by(by))
            return id

    @action(subscriber_types.RotatedSecret | None, "Give a webhook a new secret; the one before signs on for 24 hours.")
    async def rotate_secret(self, info: Context, id: strawberry.ID, by: str | None = None) -> Rotated:  # noqa: A002
        async with _ordering(info) as acting:
            return await acting.desk.rotate(id, acting.by(by))

    @action(int | None, "Tell again; how many events or deliveries that is.")
    async def replay(
        self,
        info: Context,
        id: strawberry.ID,  # noqa: A002
        input: ReplayInput,  # noqa: A002
        by: str | None = None,
    ) -> int:
        async with _ordering(info) as acting:
            return await acting.desk.replay(id, wanted(input, Replay), acting.by(by))

    @action(subscriber_types.SavedFilter | None, "Save a filter, in place of one with its name.")
    async def save_filter(
        self,
        info: Context,
        name: str,
        input: SavedFilterInput,  # noqa: A002
        by: str | None = None,
    ) -> SavedFilter:
        async with _ordering(info) as acting:
            return await acting.desk.save_filter(name, wanted(input, NewFilter), acting.by(by))

    @action(subscriber_types.SavedFilter | None, "Delete a saved filter that no subscription uses.")
    async def delete_filter(self, info: Context, name: str, by: str | None = None) -> SavedFilter:
        async with _ordering(info) as acting:
            return await acting.desk.delete_filter(name, acting.by(by))


@contextlib.asynccontextmanager
async def _ordering(info: Context) -> AsyncIterator[Acting]:
    """Give what may be done for a block."""
    with named_here(), busy():
        yield await allowed(info)
