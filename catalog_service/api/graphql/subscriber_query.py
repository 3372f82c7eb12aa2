"""The part of GraphQL's query about subscriptions; these need their scope, as in REST."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC

import strawberry

from catalog_service.api.cursors import decode_cursor, encode_cursor
from catalog_service.api.graphql import subscriber_types
from catalog_service.api.graphql.acting import allowed
from catalog_service.api.graphql.asked import Context
from catalog_service.api.graphql.pages import Page, page, sliced
from catalog_service.api.graphql.query import question
from catalog_service.api.reads.asked import naming
from catalog_service.catalog.select import Filter
from catalog_service.views.subscriptions import SigningKeyView, SubscriptionView
from schema.subscription import SavedFilter
from schema.version import Point

SUBSCRIBERS_DEFAULT, SUBSCRIBERS_MOST = 100, 500
_KIND = "subscriptions"


@strawberry.type(name="Query")
class SubscriberQuery:
    """Joined to the root by `schema`."""

    @question(
        subscriber_types.SubscriberConnection | None,
        description="Your token's subscriptions, with the scope `operate` everybody's, oldest first. "
        f"`first` is {SUBSCRIBERS_DEFAULT} unless told otherwise, and at most {SUBSCRIBERS_MOST}.",
        first=SUBSCRIBERS_DEFAULT,
    )
    async def subscriptions(self, info: Context, first: int | None = None, after: str | None = None) -> Page:
        desk = (await allowed(info)).desk
        most = sliced(first, after, None, None, default=SUBSCRIBERS_DEFAULT, most=SUBSCRIBERS_MOST).first
        with naming("after"):
            place = decode_cursor(_KIND, after, Filter()).after if after is not None else ""
        return _page(await desk.subscriptions(), place, most or SUBSCRIBERS_DEFAULT)

    @question(subscriber_types.Subscriber | None)
    async def subscription(self, info: Context, id: strawberry.ID) -> SubscriptionView:  # noqa: A002
        return await (await allowed(info)).desk.subscription(id)

    @question(list[subscriber_types.SavedFilter] | None, description="Sorted by name; streams and feeds take them too.")
    async def saved_filters(self, info: Context) -> tuple[SavedFilter, ...]:
        return await info.context.reader.store.saved_filters.all()

    @question(
        list[subscriber_types.SigningKey] | None, description="Public halves of the keys that signatures `v1a` are of."
    )
    async def signing_keys(self, info: Context) -> tuple[SigningKeyView, ...]:
        actions = info.context.door.actions  # a demo has none: it signs nothing
        return await actions.desk.signing_keys() if actions else ()


def _page(every: tuple[SubscriptionView, ...], place: str, most: int) -> Page:
    """Return those after ``place``, a place that may be nobody's any more."""
    start = bisect_right(every, place, key=_place)
    found = every[start : start + most]
    return page(
        found,
        tuple(map(_place, found)),
        lambda place: encode_cursor(_KIND, Point(0), place, Filter()),
        len(every),
        before=start > 0,
        after=start + most < len(every),
    )


def _place(one: SubscriptionView) -> str:
    return f"{one.created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f} {one.id}"
