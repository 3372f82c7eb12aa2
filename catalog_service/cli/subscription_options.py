"""The flags that say what a subscription is to be, and those of its filter.

In: what was typed. Out: a `SubscriptionEdit` with what was given, a `WantedFilter`. Called by `subscriptions` and
`saved_filters`.
"""

from __future__ import annotations

import functools
from typing import Any

import click
from msgspec import UNSET, UnsetType

from catalog_service.catalog.select import Filter
from catalog_service.cli.command import Flag, Run, flagged, words
from catalog_service.cli.filters import PLACES, filter_options, kind
from catalog_service.subscriptions.wanted import Header, SubscriptionEdit, WantedDigest, WantedFilter
from schema.event import EventType
from schema.subscription import Channel, Envelope, Every, Payload, Signature, Weekday
from schema.words import Family, Impact, Kind, Only

_TYPES = tuple(type_ for type_ in EventType if type_ is not EventType.PING)
_EVENTS: tuple[Flag, ...] = (
    click.option("--type", "types", multiple=True, type=words(_TYPES), help=f"May be given again; else {_TYPES[0]}."),
    click.option("--family", type=words(Family), help="Of the prefixes to tell of."),
    click.option("--only", type=words(Only), help="Members added, or members removed."),
    click.option(
        "--impact", "impacts", multiple=True, type=words(Impact), help="Microsoft's word; may be given again."
    ),
    click.option("--impact-at-least", type=words(Impact), help="What asks as much as this word, or more."),
    click.option(
        "--material", is_flag=True, help="Without counters, wording and prefixes that are only cut otherwise."
    ),
)


def event_filter_options(run: Run) -> Run:
    """Give a command the flags of a filter, and what they ask for as ``wanted``; None where none was given."""

    @functools.wraps(run)
    async def typed(call: object, *, wanted: Filter, **given: Any) -> int:
        names = ("types", "family", "only", "impacts", "impact_at_least", "material")
        own = {name: given.pop(name) for name in names}
        return await run(call, wanted=_filter(wanted, own), **given)

    places = filter_options(*PLACES, kind(Kind, "Of the members to tell of; may be given again."))
    return flagged(places(typed), _EVENTS)


def _filter(places: Filter, own: dict[str, Any]) -> WantedFilter | None:
    if places == Filter() and not any(own.values()):
        return None
    return WantedFilter(
        types=tuple(map(EventType, own["types"])) or WantedFilter().types,
        sources=places.sources,
        services=places.services,
        tags=places.tags,
        clouds=places.clouds,
        regions=places.regions,
        directions=places.directions,
        kinds=places.kinds,
        family=Family(own["family"] or Family.BOTH),
        only=Only(own["only"]) if own["only"] else None,
        impacts=tuple(map(Impact, own["impacts"])),
        impact_at_least=Impact(own["impact_at_least"]) if own["impact_at_least"] else None,
        material=own["material"],
    )


def _weekly(_context: click.Context, _option: click.Parameter, given: str | None) -> tuple[Weekday, str] | None:
    """Return day and time of ``monday@08:00``."""
    if given is None:
        return None
    day, _, at = given.lower().partition("@")
    found = [weekday for weekday in Weekday if len(day) > 1 and weekday.startswith(day)]
    if len(found) != 1 or not at:
        raise click.BadParameter("it is a day and a time, such as monday@08:00")
    return found[0], at


def _given(_context: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    """Refuse an empty text: a variable of a shell that is not set must not ask for everything, at once."""
    if given is not None and not given.strip():
        raise click.BadParameter("it is empty")
    return given


def _headers(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> tuple[Header, ...]:
    """Return headers of ``Name: value``; an error says nothing of the value."""
    pairs = [text.partition(":") for text in given]
    if not all(name and colon for name, colon, _ in pairs):
        raise click.BadParameter("it is a name, a colon and a value")
    return tuple(Header(name.strip(), value.strip()) for name, _, value in pairs)


_SUBSCRIPTION: tuple[Flag, ...] = (
    click.option("--channel", type=words(Channel), help="How it is told; default: webhook."),
    click.option("--description", help="For people."),
    click.option(
        "--filter",
        "saved_filter",
        metavar="NAME",
        callback=_given,
        help="A saved filter, in place of the flags of one.",
    ),
    click.option("--daily", metavar="HH:MM", callback=_given, help="Once a day, all in one message."),
    click.option("--weekly", metavar="DAY@HH:MM", callback=_weekly, help="Once a week, all in one message."),
    click.option(
        "--zone",
        metavar="NAME",
        callback=_given,
        help="Of --daily and --weekly, such as Europe/Berlin; default: UTC.",
    ),
    click.option("--settle", metavar="SECONDS", type=int, help="Changes within these are told as one."),
    click.option("--thin/--full", "thin", default=None, help="Counts and links alone, or the changes themselves."),
    click.option("--cloudevents/--standard", "cloudevents", default=None, help="The body of a webhook."),
    click.option("--sign", "signatures", multiple=True, type=words(Signature), help="How; may be given again."),
    click.option(
        "--header",
        "headers",
        metavar="'NAME: VALUE'",
        multiple=True,
        callback=_headers,
        help="Sent with a webhook; may be given again. Others on this machine may see what is typed.",
    ),
)


def subscription_options(run: Run) -> Run:
    """Give a command every flag of a subscription, and what was given as ``wanted``, a `SubscriptionEdit`."""

    @functools.wraps(run)
    async def typed(call: object, *, wanted: WantedFilter | None, **given: Any) -> int:
        names = ("channel", "description", "saved_filter", "daily", "weekly", "zone", "settle", "thin")
        own = {name: given.pop(name) for name in (*names, "cloudevents", "signatures", "headers")}
        return await run(call, wanted=_edit(wanted, own), **given)

    return event_filter_options(flagged(typed, _SUBSCRIPTION))


def _edit(filter_: WantedFilter | None, own: dict[str, Any]) -> SubscriptionEdit:
    told = {name: own[name] for name in ("description", "saved_filter") if own[name] is not None}
    return SubscriptionEdit(
        **told,
        channel=Channel(own["channel"]) if own["channel"] else UNSET,
        filter=filter_ or UNSET,
        settle_s=UNSET if own["settle"] is None else own["settle"],
        digest=_digest(own["daily"], own["weekly"], own["zone"]),
        payload=UNSET if own["thin"] is None else Payload.THIN if own["thin"] else Payload.FULL,
        envelope=UNSET
        if own["cloudevents"] is None
        else Envelope.CLOUDEVENTS
        if own["cloudevents"]
        else Envelope.STANDARD,
        signatures=tuple(map(Signature, own["signatures"])) or UNSET,
        headers=own["headers"] or UNSET,
    )


def _digest(daily: str | None, weekly: tuple[Weekday, str] | None, zone: str | None) -> WantedDigest | UnsetType:
    if daily and weekly:
        raise click.UsageError("a digest is sent --daily or --weekly")
    if zone and not (daily or weekly):
        raise click.UsageError("--zone is of --daily or --weekly")
    zone = zone or WantedDigest(Every.DAILY).zone
    if weekly:
        day, at = weekly
        return WantedDigest(Every.WEEKLY, at, zone, day)
    return WantedDigest(Every.DAILY, daily, zone) if daily else UNSET
