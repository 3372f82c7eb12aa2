"""The command that prints what signatures of webhooks are verified with."""

from __future__ import annotations

import click

from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.desk import opened_desk
from catalog_service.cli.output import print_json, print_table
from catalog_service.cli.person import by_option, person


@command("signing-keys")
@click.option("--renew", is_flag=True, help="Sign with a new key from now on: receivers have to be given it at once.")
@by_option
async def signing_keys(call: Call, *, renew: bool, who: str | None) -> int:
    """Print the public keys that signatures v1a of webhooks are verified with: any of them.

    --renew also helps where the encryption key was lost, and with it the signing key.
    """
    async with opened_desk(call) as desk:
        found = (await desk.renew_signing_key(person(who)),) if renew else await desk.signing_keys()
    if call.as_json:
        print_json({"items": found})
    else:
        print_table(("key", "algorithm"), ((one.public, one.algorithm) for one in found))
    return exits.FINE
