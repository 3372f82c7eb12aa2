"""The program ``catalog-service``: its commands, and what an error looks like to the person who typed.

In: arguments. Out: an exit code (`exits`). Errors of the catalogue are one clear line and their
reasons, never a traceback unless ``--verbose`` asks for it.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

import click
from redis.exceptions import RedisError

from catalog_service.cli import exits
from catalog_service.cli.audit import audit
from catalog_service.cli.backup import backup, restore
from catalog_service.cli.catalog import sources, versions
from catalog_service.cli.command import shared_flags
from catalog_service.cli.diffs import diff
from catalog_service.cli.documents import document, import_, reparse
from catalog_service.cli.export import export
from catalog_service.cli.fsck import fsck
from catalog_service.cli.held import held
from catalog_service.cli.history import history
from catalog_service.cli.labels import label
from catalog_service.cli.lookup import lookup
from catalog_service.cli.notify import notify
from catalog_service.cli.output import say
from catalog_service.cli.prune import prune
from catalog_service.cli.regions import regions
from catalog_service.cli.rollback import rollback
from catalog_service.cli.saved_filters import filter_
from catalog_service.cli.scenarios import conflicts, scenarios
from catalog_service.cli.serve import run, serve
from catalog_service.cli.signing_keys import signing_keys
from catalog_service.cli.subscriptions import subscription
from catalog_service.cli.sync import mirror, sync
from catalog_service.cli.token import token
from schema.errors import CatalogError

_COMMANDS = (
    run,
    serve,
    notify,
    sync,
    sources,
    versions,
    diff,
    lookup,
    history,
    regions,
    scenarios,
    conflicts,
    export,
    held,
    label,
    subscription,
    filter_,
    signing_keys,
    token,
    rollback,
    prune,
    audit,
    mirror,
    import_,
    document,
    reparse,
    backup,
    restore,
    fsck,
)


@click.group("catalog-service", epilog=exits.HELP)
@shared_flags
@click.version_option(package_name="catalog-service", message="%(prog)s %(version)s")
def cli(**_flags: object) -> None:
    """One versioned catalogue of the network endpoints that Power Automate, Microsoft 365 and Azure need.

    Flags go before environment variables (CATALOG_*), those before the settings file, that before
    defaults. The flags below may stand after a command's name too.
    """


for _command in _COMMANDS:
    cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program on ``arguments`` (default: the process's) and return its exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = cli.main(given, prog_name="catalog-service", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return exits.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the last resort of the process
        return _report(error, verbose="--verbose" in given)
    return code if isinstance(code, int) else exits.FINE


def _report(error: Exception, *, verbose: bool) -> int:
    code = exits.exit_code(error)
    if verbose:
        traceback.print_exception(error)
    if isinstance(error, CatalogError):
        say(f"error: {error}")
        reasons = error.facts.get("reasons")
        for reason in reasons if isinstance(reasons, tuple) else ():
            say(f"  - {reason}")
    elif isinstance(error, RedisError):
        say(f"error: Redis does not answer: {error}")
    else:
        say(f"error: unexpected {type(error).__name__}: {error}" + ("" if verbose else " (--verbose shows where)"))
    return code
