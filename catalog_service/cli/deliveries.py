"""Commands about what one subscription was told: the log, a test, telling again. Part of the group `subscription`."""

from __future__ import annotations

from datetime import datetime

import click

from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.desk import SUBSCRIPTION, name_argument, opened_desk
from catalog_service.cli.output import print_items, print_json, print_table, say
from catalog_service.cli.person import by_option, person
from catalog_service.subscriptions.shown import A_PAGE, MOST_A_PAGE
from catalog_service.subscriptions.wanted import Replay
from catalog_service.views.subscriptions import DeliveryView
from schema.subscription import Attempt


def _moment(_context: click.Context, _option: click.Parameter, given: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(given) if given else None
    except ValueError:
        raise click.BadParameter("it is a moment, such as 2026-11-23T08:00:00Z") from None


@command("test")
@SUBSCRIPTION
@by_option
async def test(call: Call, *, id_: str, who: str | None) -> int:
    """Send a ping before all that waits; to an unverified subscription its challenge again."""
    async with opened_desk(call) as desk:
        sent = await desk.test(id_, person(who))
    if call.as_json:
        print_json({"delivery": sent})
    else:
        say(f"{sent} is on its way: `catalog-service subscription delivery {id_} {sent}` tells how it went")
    return exits.FINE


@command("deliveries")
@SUBSCRIPTION
@click.option("--limit", type=click.IntRange(1, MOST_A_PAGE), default=A_PAGE, show_default=True, help="How many.")
async def deliveries(call: Call, *, id_: str, limit: int) -> int:
    """List what a subscription was told, the newest first."""
    async with opened_desk(call) as desk:
        found = await desk.deliveries(id_, limit)
    columns = ("id", "type", "about", "source", "state", "when", "attempts", "last answer", "next")
    print_items(found.items, columns, _row, f"{id_} was told nothing yet", as_json=call.as_json)
    return exits.FINE


@command("delivery")
@SUBSCRIPTION
@name_argument("delivery_id", "DELIVERY")
async def delivery(call: Call, *, id_: str, delivery_id: str) -> int:
    """Show a delivery and its attempts."""
    async with opened_desk(call) as desk:
        one = await desk.delivery(id_, delivery_id)
    if call.as_json:
        print_json(one)
        return exits.FINE
    say(f"{one.id}: {' '.join(filter(None, (one.type, _about(one))))}, {one.state}")
    rows = ((each.at, f"{each.latency_ms} ms", _outcome(each), each.answer) for each in one.attempts)
    print_table(("attempt", "took", "outcome", "answer"), rows)
    return exits.FINE


@command("replay")
@SUBSCRIPTION
@click.option("--delivery", "delivery_id", metavar="DELIVERY", help="This one.")
@click.option("--from", "from_version", metavar="VERSION", type=int, help="The versions from this one ...")
@click.option("--to", "to_version", metavar="VERSION", type=int, help="... to this one; else to the newest.")
@click.option("--since", metavar="MOMENT", callback=_moment, help="All since then: 2026-11-23T08:00:00Z.")
@by_option
async def replay(
    call: Call,
    *,
    id_: str,
    delivery_id: str | None,
    from_version: int | None,
    to_version: int | None,
    since: datetime | None,
    who: str | None,
) -> int:
    """Tell a subscription again: a delivery, the versions from one to another, or all since a moment."""
    wanted = Replay(delivery_id, from_version, to_version, since)
    async with opened_desk(call) as desk:
        count = await desk.replay(id_, wanted, person(who))
    if call.as_json:
        print_json({"queued_count": count})
    else:
        say(f"{count} waits to be told again" if count == 1 else f"{count} wait to be told again")
    return exits.FINE


def _row(one: DeliveryView) -> tuple[object, ...]:
    last = _outcome(one.attempts[-1]) if one.attempts else None
    return (
        *(one.id, one.type, _about(one), one.source, one.state, one.settled_at),
        len(one.attempts),
        last,
        one.next_at,
    )


def _about(one: DeliveryView) -> str | None:
    return one.first if one.first == one.last else f"{one.first} to {one.last}"


def _outcome(attempt: Attempt) -> str:
    return " ".join(filter(None, (str(attempt.status or ""), attempt.error))) or "sent"
