"""``/v1/subscriptions``: who is told what, for who may: listed, made, changed and deleted."""

from __future__ import annotations

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.context import Context
from catalog_service.api.rest.acting import BY, OF_A_BODY, answered, asked_by, body_of, desk_for, done
from catalog_service.api.rest.operation import Operation, in_path
from catalog_service.subscriptions.wanted import NewSubscription, SubscriptionEdit, WantedDigest, WantedFilter
from catalog_service.views.subscriptions import Created, SubscriptionView
from schema.event import EventType
from schema.subscription import Channel, Every, Payload
from schema.words import Cloud

ID = in_path("id", "Of a subscription.", "sub_mfrggzdfmztwq2lk")


class SubscriptionList(Struct, frozen=True):
    """``/v1/subscriptions``, oldest first."""

    items: tuple[SubscriptionView, ...]


async def subscriptions(context: Context, request: Request) -> Response:
    """The subscriptions of your token, with the scope `operate` everybody's, and how each is, oldest first.

    A token's are those that it made, or one of its name that was revoked. Of others' each operation says that there is
    none, with a 404.
    """
    desk = desk_for(context, request)
    return answered(SubscriptionList(await desk.subscriptions()))


async def create_subscription(context: Context, request: Request) -> Response:
    """Make a subscription; the answer shows its secret once and never again.

    It is unverified, and told nothing, until its receiver answers the challenge that it is sent: a webhook in its
    answer, who reads a chat or a mailbox by the code in the message.
    """
    desk = desk_for(context, request)
    created = await desk.create(await body_of(request, NewSubscription), asked_by(request))
    return answered(created, 201, location=f"subscriptions/{created.subscription.id}")


async def subscription(context: Context, request: Request) -> Response:
    """One subscription and how it is."""
    desk = desk_for(context, request)
    return answered(await desk.subscription(request.path_params["id"]))


async def edit_subscription(context: Context, request: Request) -> Response:
    """Change a subscription: what is left out stays as it is.

    A field that is given is taken whole: a filter takes the place of the one before, it is not merged into it. Another
    address or channel is unverified, with a new challenge.
    """
    desk = desk_for(context, request)
    changes = await body_of(request, SubscriptionEdit)
    return answered(await desk.edit(request.path_params["id"], changes, asked_by(request)))


async def delete_subscription(context: Context, request: Request) -> Response:
    """Delete a subscription, what waits for it and its log."""
    desk = desk_for(context, request)
    await desk.delete(request.path_params["id"], asked_by(request))
    return done()


_NEW = NewSubscription(
    Channel.WEBHOOK,
    "https://hooks.example.com/catalog",
    description="Firewall of the plant in Freiberg",
    filter=WantedFilter(types=(EventType.COMMITTED, EventType.HELD), clouds=(Cloud.PUBLIC,), material=True),
)
_EDIT = SubscriptionEdit(digest=WantedDigest(Every.DAILY, zone="Europe/Berlin"), payload=Payload.THIN)

OPERATIONS = (
    Operation("/v1/subscriptions", subscriptions, SubscriptionList, problems=(503,)),
    Operation(
        "/v1/subscriptions",
        create_subscription,
        Created,
        (BY,),
        (*OF_A_BODY, 422, 503),
        method="POST",
        body=_NEW,
        status=201,
    ),
    Operation("/v1/subscriptions/{id}", subscription, SubscriptionView, (ID,), (404, 503)),
    Operation(
        "/v1/subscriptions/{id}",
        edit_subscription,
        SubscriptionView,
        (ID, BY),
        (404, 409, *OF_A_BODY, 422, 503),
        method="PATCH",
        body=_EDIT,
    ),
    Operation(
        "/v1/subscriptions/{id}",
        delete_subscription,
        (),
        (ID, BY),
        (404, 409, 503),
        method="DELETE",
        status=204,
    ),
)
