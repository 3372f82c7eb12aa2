"""The command that looks whether all that is stored holds together."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.output import print_json, say
from catalog_service.cli.person import by_option, person
from catalog_service.cli.wiring import any_store, utc_now
from catalog_service.store import fsck as checks

_CODES = """\b
Exit codes:
  0  clean, or all that was found is repaired
  3  something is left"""


@command("fsck", epilog=_CODES)
@click.option("--repair", is_flag=True, help="Mend what can be worked out from what is whole; never anything else.")
@by_option
async def fsck(call: Call, *, repair: bool, who: str | None) -> int:
    """Look whether all that is stored holds together, while the service goes on.

    Every version is rebuilt and compared with its digest; chains, counts, indexes, the changeset stream, held versions,
    labels, documents, subscriptions, queues, logs, tokens and the audit are compared with each other. Each repair is
    one step with its audit entry, taken only if nothing moved meanwhile.
    """
    told = _progress()
    async with any_store(call.settings) as store:
        report = await checks.fsck(store, utc_now, repair_by=person(who) if repair else None, told=told)
    told("")
    if call.as_json:
        print_json(report)
    else:
        _say(report)
    return exits.FINE if report.is_clean else exits.FAILED


def _progress() -> Callable[[str], None]:
    """Return what tells a terminal how far it is, in place of what it told before."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda text: click.echo(f"\r\x1b[K{text}\r", err=True, nl=False)


def _say(report: checks.Report) -> None:
    for one in report.findings:
        say(f"{one.state}: {one.problem}")
        say(f"  - {one.way_out}")
    left = sum(one.state != "repaired" for one in report.findings)
    mendable = sum(one.state == "repairable" for one in report.findings)
    say(f"{report.version_count} versions: " + (f"{left} findings left" if left else "all holds together"))
    if mendable:
        say(f"--repair mends {mendable} of them")
