"""Who gives a command that is written down: ``--by``, else the user's name.

Called by `held`, `labels`, `prune` and `rollback`.
"""

from __future__ import annotations

import getpass

import click

from schema.errors import BadParameterError

_MOST = 80

by_option = click.option("--by", "who", metavar="NAME", help="Who wants it so, for the audit; default: your user name.")


def person(who: str | None) -> str:
    """Return the name that the audit gets. Raises BadParameterError for one that could forge a line of it."""
    if who and (name := who.strip()):
        if len(name) > _MOST or not name.isprintable():
            raise BadParameterError(f"--by is a name of up to {_MOST} characters", parameter="by")
        return name
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return "unknown"
