"""``/v1/subscriptions/{id}/...``: what an operator has done to one subscription, a verb an address, each by POST."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.context import Context
from catalog_service.api.rest.acting import BY, OF_A_BODY, answered, asked_by, body_of, desk_for
from catalog_service.api.rest.operation import Handler, Operation
from catalog_service.api.rest.subscriptions import ID
from catalog_service.subscriptions.wanted import Replay
from catalog_service.views.subscriptions import Rotated, SubscriptionView


class Verification(Struct, frozen=True, forbid_unknown_fields=True):
    """The code of a challenge, as the receiver was sent it."""

    code: str


class Tested(Struct, frozen=True):
    """A ping that is on its way."""

    delivery: str
    """Its id: in the log as soon as it was sent."""


class Replayed(Struct, frozen=True):
    """What a replay came to."""

    queued_count: int
    """Events, or deliveries, that are told again; 0: nothing matches."""


async def verify_subscription(context: Context, request: Request) -> Response:
    """Verify a subscription by the code that its receiver was sent; what is verified already stays as it is."""
    desk = desk_for(context, request)
    code = (await body_of(request, Verification)).code
    return answered(await desk.verify(request.path_params["id"], code, asked_by(request)))


async def test_subscription(context: Context, request: Request) -> Response:
    """Send a ping before all that waits, whatever the status; to an unverified subscription its challenge again."""
    desk = desk_for(context, request)
    return answered(Tested(await desk.test(request.path_params["id"], asked_by(request))), 202)


async def pause_subscription(context: Context, request: Request) -> Response:
    """Hold an active subscription back; what happens meanwhile waits for it."""
    desk = desk_for(context, request)
    return answered(await desk.pause(request.path_params["id"], asked_by(request)))


async def resume_subscription(context: Context, request: Request) -> Response:
    """Let a paused or disabled subscription be told again, what waits first."""
    desk = desk_for(context, request)
    return answered(await desk.resume(request.path_params["id"], asked_by(request)))


async def rotate_secret(context: Context, request: Request) -> Response:
    """Give a webhook a new secret, shown once; the one before signs too for 24 hours."""
    desk = desk_for(context, request)
    return answered(await desk.rotate(request.path_params["id"], asked_by(request)))


async def replay_events(context: Context, request: Request) -> Response:
    """Tell a subscription again: one delivery, the versions from one to another, or all since a moment.

    Exactly one of the three, of at most 1,000 events. Each is told by itself behind what waits, under the id it had
    when it was told first.
    """
    desk = desk_for(context, request)
    wanted = await body_of(request, Replay)
    return answered(Replayed(await desk.replay(request.path_params["id"], wanted, asked_by(request))), 202)


def _order(
    verb: str,
    handle: Handler,
    answer: type,
    *,
    status: int = 200,
    body: Struct | None = None,
    problem: int = 409,
) -> Operation:
    return Operation(
        f"/v1/subscriptions/{{id}}/{verb}",
        handle,
        answer,
        (ID, BY),
        (404, problem, *(OF_A_BODY if body else ()), 503),
        method="POST",
        body=body,
        status=status,
    )


_SINCE = Replay(since=datetime(2026, 11, 23, 8, tzinfo=UTC))

OPERATIONS = (
    _order("verify", verify_subscription, SubscriptionView, body=Verification("mfrggzdfmztwq2lk")),
    _order("test", test_subscription, Tested, status=202),
    _order("pause", pause_subscription, SubscriptionView),
    _order("resume", resume_subscription, SubscriptionView),
    _order("rotate", rotate_secret, Rotated),
    _order("replay", replay_events, Replayed, status=202, body=_SINCE, problem=410),
)
