"""Commands about API tokens: who may do what through the API."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta

import click

from catalog_service.access.issuing import NewToken, TokenDesk
from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.desk import name_argument
from catalog_service.cli.output import print_items, print_json, say
from catalog_service.cli.person import by_option, person
from catalog_service.cli.wiring import opened_store, utc_now
from schema.access import COMMAND_LINE, ApiToken, Scope
from schema.errors import BadParameterError

_SPAN = re.compile(r"(\d{1,5})([dh])", re.ASCII)


@click.group("token")
def token() -> None:
    """Tokens for the API: each lets its bearer do what its scopes say, until it expires or is revoked."""


@command("create")
@name_argument("name", "NAME")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(tuple(map(str, Scope))),
    multiple=True,
    required=True,
    help="What it lets its bearer do; may be given again. Each includes read, admin includes all.",
)
@click.option(
    "--expires", metavar="SPAN|DATE", help="From when on it is refused: 90d, 12h, a date or a date-time (UTC)."
)
@by_option
async def create(call: Call, *, name: str, scopes: tuple[str, ...], expires: str | None, who: str | None) -> int:
    """Make a token and print it, once: what is kept of it is its SHA-256."""
    wanted = NewToken(name, tuple(map(Scope, scopes)), _expiry(expires, utc_now()) if expires else None)
    async with opened_store(call.settings) as store:
        issued = await TokenDesk(store, utc_now, os.urandom).create(wanted, person(who), COMMAND_LINE)
    if call.as_json:
        print_json(issued)
        return exits.FINE
    made = issued.token
    until = f"until {made.expires_at:%Y-%m-%d %H:%MZ}" if made.expires_at else "until it is revoked"
    say(f"{made.id}, {made.name!r}: {', '.join(made.scopes)}, {until}; it is shown this once")
    click.echo(issued.secret)
    return exits.FINE


@command("list")
async def list_(call: Call) -> int:
    """List the tokens, the oldest first."""
    async with opened_store(call.settings) as store:
        found = await store.tokens.all()
    columns = ("id", "name", "scopes", "created", "by", "expires", "last used")
    print_items(found, columns, _row, "there are no tokens", as_json=call.as_json)
    return exits.FINE


@command("revoke")
@name_argument("id_", "ID")
@by_option
async def revoke(call: Call, *, id_: str, who: str | None) -> int:
    """Revoke a token for good: at once for what changes something, within 5 seconds for reads."""
    async with opened_store(call.settings) as store:
        gone = await TokenDesk(store, utc_now, os.urandom).revoke(id_, person(who), COMMAND_LINE)
    if call.as_json:
        print_json(gone)
    else:
        say(f"revoked {gone.id}, {gone.name!r}")
    return exits.FINE


def _expiry(text: str, now: datetime) -> datetime:
    """Return the moment that ``text`` names, UTC where it says no zone. Raises BadParameterError."""
    if span := _SPAN.fullmatch(text.strip().lower()):
        count = int(span[1])
        return now + (timedelta(days=count) if span[2] == "d" else timedelta(hours=count))
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        message = f"{text[:40]!r} is no expiry: 90d, 12h, 2027-11-23 or 2027-11-23T08:00Z"
        raise BadParameterError(message, parameter="expires", value=text[:40]) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _row(one: ApiToken) -> tuple[object, ...]:
    return one.id, one.name, ", ".join(one.scopes), one.created_at, one.created_by, one.expires_at, one.last_used_at


for _command in (create, list_, revoke):
    token.add_command(_command)
