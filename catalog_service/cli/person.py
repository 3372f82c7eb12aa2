"""Who gives a command that is written down: ``--by``, else the user's name.

Called by every command that changes something.
"""

from __future__ import annotations

import getpass

import click

from catalog_service.store import audit

by_option = click.option("--by", "who", metavar="NAME", help="Who wants it so, for the audit; default: your user name.")


def person(who: str | None) -> str:
    """Return the name that the audit gets. Raises BadParameterError for one that could forge a line of it."""
    if who and who.strip():
        return audit.person(who)
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return "unknown"
