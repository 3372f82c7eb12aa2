"""Commands about subscriptions: who is told of what happens, made, changed and looked after by a person.

What was told, and telling it again, is in `deliveries`.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable

import click
from msgspec import UNSET
from msgspec.structs import asdict, replace

from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.deliveries import deliveries, delivery, replay, test
from catalog_service.cli.desk import SUBSCRIPTION, name_argument, opened_desk
from catalog_service.cli.output import print_items, print_json, print_table, say
from catalog_service.cli.person import by_option, person
from catalog_service.cli.saved_filters import filter_in_words
from catalog_service.cli.subscription_options import subscription_options
from catalog_service.subscriptions.desk import Desk
from catalog_service.subscriptions.vault import VARIABLE
from catalog_service.subscriptions.wanted import NewSubscription, SubscriptionEdit
from catalog_service.views.subscriptions import SubscriptionView
from schema.subscription import Channel, Digest, Every

_EXAMPLES = """\b
Examples:
  catalog-service subscription add https://hooks.example.com/catalog --material --cloud public
  catalog-service subscription add https://hooks.slack.com/services/... --channel slack --weekly monday@08:00
  catalog-service subscription add mailto:ops@example.com --channel email --daily 07:30 --zone Europe/Berlin
  catalog-service subscription add - --channel slack < address.txt"""
_MOST_READ = 4096
_ONCE = "the secret is shown this once: receivers verify signatures with it"
_SENT_BY = "it is sent by `catalog-service run` or `catalog-service notify`, as soon as one of them runs"


@click.group("subscription")
def subscription() -> None:
    """Who is told of what happens: webhooks, chats and mailboxes."""


def _address(_context: click.Context, _given: click.Parameter, url: str | None) -> str | None:
    """Return the address; for ``-`` the first line of stdin, which no list of processes shows."""
    if url != "-":
        return url
    if line := sys.stdin.buffer.readline(_MOST_READ).decode(errors="replace").strip():
        return line
    raise click.BadParameter("the first line on stdin is no address")


@command("add", epilog=_EXAMPLES)
@click.argument("url", callback=_address)
@subscription_options
@by_option
async def add(call: Call, *, url: str, wanted: SubscriptionEdit, who: str | None) -> int:
    """Subscribe URL, and print the secret of a webhook, which is shown this once.

    URL is an https address; mailto: and addresses for e-mail; an address of apprise's; or - to take it from the first
    line on stdin: addresses of chats are secrets, and a command shows in the list of processes and in the history of
    the shell. Without a filter every version is told.
    """
    given = {name: value for name, value in asdict(wanted).items() if value is not UNSET}
    new = NewSubscription(**{"channel": Channel.WEBHOOK, **given, "url": url})
    async with opened_desk(call) as desk:
        made = await desk.create(new, person(who))
    if call.as_json:
        print_json(made)
        return exits.FINE
    say(f"{made.subscription.id}: {made.subscription.channel} {made.subscription.url}")
    say(f"{made.subscription.status}: {made.subscription.hint}")
    say(_SENT_BY)
    if made.secret:
        say(_ONCE)
        click.echo(made.secret)
    return exits.FINE


@command("list")
async def list_(call: Call) -> int:
    """List the subscriptions, the oldest first."""
    async with opened_desk(call) as desk:
        found = await desk.subscriptions()
    columns = ("id", "channel", "to", "status", "waiting", "dead", "failing since", "description")
    print_items(found, columns, _row, "there are no subscriptions", as_json=call.as_json)
    return exits.FINE


@command("show")
@SUBSCRIPTION
async def show(call: Call, *, id_: str) -> int:
    """Show a subscription and how it is."""
    async with opened_desk(call) as desk:
        found = await desk.subscription(id_)
    return _print(call, found)


@command("edit")
@SUBSCRIPTION
@click.option(
    "--url", callback=_address, help="Another address, - for one on stdin: its receiver is sent a challenge first."
)
@subscription_options
@click.option("--at-once", is_flag=True, help="No digest any more: each version by itself.")
@click.option("--no-headers", is_flag=True, help="Send none any more.")
@by_option
async def edit(
    call: Call,
    *,
    id_: str,
    url: str | None,
    wanted: SubscriptionEdit,
    at_once: bool,
    no_headers: bool,
    who: str | None,
) -> int:
    """Change what is given of a subscription; the rest stays.

    The flags of a filter are taken as a whole: what was asked for before is forgotten. So are headers.
    """
    for is_given, other, flags in (
        (at_once, wanted.digest, "--at-once and a digest"),
        (no_headers, wanted.headers, "--no-headers and --header"),
    ):
        if is_given and other is not UNSET:
            raise click.UsageError(f"{flags} exclude each other")
    wanted = replace(
        wanted,
        url=UNSET if url is None else url,
        digest=None if at_once else wanted.digest,
        headers=() if no_headers else wanted.headers,
    )
    if wanted == SubscriptionEdit():
        raise click.UsageError("nothing is to be changed: give a flag")
    return await _ordered(call, lambda desk: desk.edit(id_, wanted, person(who)))


@command("verify")
@SUBSCRIPTION
@name_argument("code", "CODE")
@by_option
async def verify(call: Call, *, id_: str, code: str, who: str | None) -> int:
    """Verify a subscription by the CODE that its receiver was sent."""
    return await _ordered(call, lambda desk: desk.verify(id_, code, person(who)))


@command("pause")
@SUBSCRIPTION
@by_option
async def pause(call: Call, *, id_: str, who: str | None) -> int:
    """Hold a subscription back: what happens meanwhile waits."""
    return await _ordered(call, lambda desk: desk.pause(id_, person(who)))


@command("resume")
@SUBSCRIPTION
@by_option
async def resume(call: Call, *, id_: str, who: str | None) -> int:
    """Tell a paused or disabled subscription again, what waits first."""
    return await _ordered(call, lambda desk: desk.resume(id_, person(who)))


@command("delete")
@SUBSCRIPTION
@by_option
async def delete(call: Call, *, id_: str, who: str | None) -> int:
    """Delete a subscription, with what waits for it and its log."""
    async with opened_desk(call) as desk:
        await desk.delete(id_, person(who))
    if call.as_json:
        print_json({"id": id_})
    else:
        say(f"deleted {id_}")
    return exits.FINE


@command("rotate")
@SUBSCRIPTION
@by_option
async def rotate(call: Call, *, id_: str, who: str | None) -> int:
    """Give a webhook a new secret and print it; the one before signs too for 24 hours."""
    async with opened_desk(call) as desk:
        rotated = await desk.rotate(id_, person(who))
    if call.as_json:
        print_json(rotated)
    else:
        say(f"{_ONCE}; the one before signs too until {rotated.previous_until:%Y-%m-%d %H:%MZ}")
        click.echo(rotated.secret)
    return exits.FINE


@command("reseal")
@by_option
async def reseal(call: Call, *, who: str | None) -> int:
    """Seal all secrets with the first key of CATALOG_ENCRYPTION_KEY, so that older keys can be dropped.

    To replace a key: set CATALOG_ENCRYPTION_KEY=NEW,OLD wherever the service runs, and restart it; reseal; then set
    NEW alone. Subscriptions are told meanwhile as ever.
    """
    async with opened_desk(call) as desk:
        count = await desk.reseal(person(who))
    if call.as_json:
        print_json({"resealed_count": count})
    else:
        say(f"{count} sealed anew: all is sealed with the first key of {VARIABLE}, others can be dropped from it")
    return exits.FINE


async def _ordered(call: Call, order: Callable[[Desk], Awaitable[SubscriptionView]]) -> int:
    """Give the desk an order, and tell what became of the subscription."""
    async with opened_desk(call) as desk:
        view = await order(desk)
    if call.as_json:
        print_json(view)
    else:
        say(f"{view.id}: {view.status}{f', {view.hint}' if view.hint else ''}")
    return exits.FINE


def _print(call: Call, one: SubscriptionView) -> int:
    if call.as_json:
        print_json(one)
        return exits.FINE
    rows: tuple[tuple[str, object], ...] = (
        ("to", f"{one.channel} {one.url}"),
        ("description", one.description),
        ("status", one.status),
        ("why", one.why),
        ("filter", f"saved as {one.saved_filter}" if one.saved_filter else filter_in_words(one.filter)),
        ("digest", _digest_in_words(one.digest) if one.digest else None),
        ("settle", f"{one.settle_s} s"),
        ("message", f"{one.payload}, {one.envelope}"),
        ("signatures", one.signatures),
        ("headers", one.headers),
        ("waiting", one.waiting_count),
        ("next", one.next_at),
        ("delivered", one.health.delivered_count),
        ("dead", one.dead_count),
        ("lost of a full queue", one.dropped_count or None),
        ("last success", one.health.succeeded_at),
        ("failing since", one.health.failing_since),
        ("last error", one.health.error),
        ("made", f"{one.created_at:%Y-%m-%d %H:%MZ} by {one.created_by}"),
        ("owner", one.owner and f"token {one.owner}"),
    )
    print_table(("subscription", one.id), (row for row in rows if row[1] not in (None, "", ())))
    if one.hint:
        say(one.hint)
    return exits.FINE


def _digest_in_words(digest: Digest) -> str:
    day = f" on {digest.weekday}" if digest.every is Every.WEEKLY else ""
    return f"{digest.every}{day} at {digest.at}, {digest.zone}"


def _row(one: SubscriptionView) -> tuple[object, ...]:
    return (
        *(one.id, one.channel, one.url, one.status, one.waiting_count, one.dead_count),
        *(one.health.failing_since, one.description),
    )


for _command in (
    *(add, list_, show, edit, verify, test, pause, resume, delete, rotate, reseal),
    *(deliveries, delivery, replay),
):
    subscription.add_command(_command)
