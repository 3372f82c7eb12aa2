"""``/subscriptions`` and ``/subscriptions/{id}``: who is told what, and how that goes; for the scope ``subscribe``.

In: the desk's views. Out: pages that nobody keeps, neither a browser nor this service. They change nothing: what can be
done is shown as commands. So Basic credentials will do, with any name and a token as the password.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.access.identity import BASIC_CHALLENGE, check_scope, identity_of
from catalog_service.access.scopes import needed
from catalog_service.api.pages.errors import failed
from catalog_service.api.pages.links import diff_link
from catalog_service.api.pages.page import HEADERS, MEDIA_TYPE, Pages, given_of
from catalog_service.api.parameters import one
from catalog_service.subscriptions.desk import Desk
from catalog_service.subscriptions.filters import Saved, filter_of, filters_by_name
from catalog_service.views.subscriptions import DeliveryView, SubscriptionView
from schema.errors import BadParameterError, ForbiddenError, UnauthenticatedError
from schema.event import EventType, place_of
from schema.subscription import Digest, EventFilter, Every, Status
from schema.words import Family

_NEEDED = needed("subscriptions")
_LOG_IN = (
    f"this page needs a token with the scope {_NEEDED}: log in with any name and the token as the password, "
    "or send it in the header `Authorization: Bearer TOKEN`"
)
_ON_A_PAGE = 100
_DELIVERIES_ON_A_PAGE = 25
_TYPES = {
    EventType.COMMITTED: "versions",
    EventType.HELD: "held versions",
    EventType.DEGRADED: "degraded sources",
    EventType.RECOVERED: "recovered sources",
    EventType.DISABLED: "disabled subscriptions",
}


class Wanted(Struct, frozen=True):
    """What a subscription is told, in words."""

    types: str
    rest: tuple[str, ...]
    """What it takes besides, each in words; none: all of them."""


class Shown(Struct, frozen=True):
    """A subscription as the pages show it."""

    view: SubscriptionView
    wanted: Wanted
    mode: str
    is_failing: bool
    """What is sent to it does not arrive."""


class Logged(Struct, frozen=True):
    """A delivery as the pages show it."""

    view: DeliveryView
    diff: str | None
    """Where its versions are compared, relative to the service; None: it is about no version."""


async def subscriptions(pages: Pages, request: Request) -> Response:
    """Answer with every subscription that who asks may know of, oldest first."""

    async def answer(desk: Desk) -> Response:
        after = one(given_of(request, "after"), "after")
        found, saved = await desk.subscriptions(), await filters_by_name(pages.context.reader.store)
        rest = _past(found, after)
        shown = tuple(_shown(view, saved) for view in rest[:_ON_A_PAGE])
        return _page(
            pages,
            request,
            "subscriptions.html",
            shown=shown,
            after=after,
            next=rest[_ON_A_PAGE - 1].id if len(rest) > _ON_A_PAGE else None,
            total=len(found),
            statuses=Counter(view.status for view in found),
            failing_count=sum(map(_is_failing, found)),
        )

    return await _for_who_may(pages, request, answer)


async def subscription(pages: Pages, request: Request) -> Response:
    """Answer with a subscription and a page of its delivery log, newest first."""

    async def answer(desk: Desk) -> Response:
        id_, before = request.path_params["id"], one(given_of(request, "before"), "before")
        view = await desk.subscription(id_)
        found = await desk.deliveries(id_, _DELIVERIES_ON_A_PAGE, before)
        return _page(
            pages,
            request,
            "subscription.html",
            shown=_shown(view, await filters_by_name(pages.context.reader.store)),
            deliveries=tuple(Logged(item, _diff(item)) for item in found.items),
            before=before,
            next=found.next,
            base_url=pages.context.base_url,
        )

    return await _for_who_may(pages, request, answer)


async def _for_who_may(pages: Pages, request: Request, answer: Callable[[Desk], Awaitable[Response]]) -> Response:
    """Answer who may; a browser asks others for a name and a password.

    Raises:
        ForbiddenError: this is a demo, or the token lacks the scope.
    """
    actions = pages.context.actions
    if pages.demo or actions is None:
        raise ForbiddenError("this is a demo: it tells nobody anything, and has no subscriptions")
    identity = identity_of(request.scope)
    try:
        check_scope(identity, _NEEDED)
    except UnauthenticatedError:
        refused = failed(pages, request, UnauthenticatedError(_LOG_IN))
        refused.headers["WWW-Authenticate"] = BASIC_CHALLENGE
        return refused
    return await answer(actions.desk.opened_for(identity))


def _page(pages: Pages, request: Request, template: str, **values: object) -> Response:
    headers = {**dict(HEADERS), "Cache-Control": "no-store"}
    return Response(pages.html(request, template, **values), headers=headers, media_type=MEDIA_TYPE)


def _past(found: tuple[SubscriptionView, ...], after: str | None) -> tuple[SubscriptionView, ...]:
    """Return what comes after the subscription ``after``, everything without one. Raises BadParameterError."""
    if after is None:
        return found
    place = next((place for place, view in enumerate(found) if view.id == after), None)
    if place is None:
        raise BadParameterError(f"there is no subscription {after[:80]!r} to go on after", parameter="after")
    return found[place + 1 :]


def _shown(view: SubscriptionView, saved: Saved) -> Shown:
    return Shown(view, _wanted(filter_of(view, saved)), _mode(view), _is_failing(view))


def _is_failing(view: SubscriptionView) -> bool:
    return view.status is not Status.DISABLED and view.health.failing_since is not None


def _wanted(wanted: EventFilter) -> Wanted:
    types = ", ".join(_TYPES.get(type_, type_) for type_ in wanted.types)
    return Wanted(types or "everything that happens", tuple(_limits(wanted)))


def _limits(wanted: EventFilter) -> Iterator[str]:
    """Yield each condition of ``wanted`` but its types, in words."""
    several: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("source", wanted.sources),
        ("service", wanted.services),
        ("service tag", wanted.tags),
        ("cloud", wanted.clouds),
        ("region", wanted.regions),
        ("direction", wanted.directions),
        ("kind", wanted.kinds),
        ("impact", wanted.impacts),
    )
    yield from (f"{name} {' or '.join(values)}" for name, values in several if values)
    if wanted.impact_at_least:
        yield f"impact at least {wanted.impact_at_least}"
    if wanted.family is not Family.BOTH:
        yield f"IPv{wanted.family} prefixes alone"
    if wanted.only:
        yield f"only what is {wanted.only}"
    if wanted.material:
        yield "without noise"


def _mode(view: SubscriptionView) -> str:
    if view.digest:
        return _digest(view.digest)
    if not view.settle_s:
        return "each version"
    span = f"{view.settle_s} s" if view.settle_s % 60 else f"{view.settle_s // 60} min"
    return f"what a source changes within {span} as one"


def _digest(digest: Digest) -> str:
    day = f", {digest.weekday.capitalize()}" if digest.every is Every.WEEKLY else ""
    return f"{digest.every} digest{day} at {digest.at} {digest.zone}"


def _diff(view: DeliveryView) -> str | None:
    """Return the page of the versions that ``view`` is about: of its source's, where it names one."""
    first, last = place_of(view.first or ""), place_of(view.last or "")
    if first is None or last is None:
        return None
    since = first.version if first.notice else first.version - 1  # a notice stands after its version
    return diff_link(since, last.version, source=view.source) if since < last.version else None
