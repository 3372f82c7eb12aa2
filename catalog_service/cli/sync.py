"""Commands that ask upstreams: sync once or for as long as it runs, fill a mirror."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from pathlib import Path

import click
from msgspec import Struct
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.logs import tell
from catalog_service.cli.output import print_json, print_table
from catalog_service.cli.person import person
from catalog_service.cli.side import side_port, worker_life
from catalog_service.cli.wiring import chosen_sources, opened_store, opened_upstream, utc_now
from catalog_service.settings import Settings
from catalog_service.store.connect import Store
from catalog_service.sync.asked import sync_asked
from catalog_service.sync.run import Outcome
from catalog_service.sync.scheduler import keep_synced
from schema.access import COMMAND_LINE
from schema.errors import BadParameterError
from scrapers.mirror import fill
from scrapers.source import Source, synced
from scrapers.sources import source_named
from scrapers.upstream import Upstream


class _Ran(Struct, frozen=True):
    outcome: Outcome
    seconds: float


@command("sync", serving="every")
@click.argument("names", metavar="[SOURCE]...", nargs=-1)
@click.option("--every", is_flag=True, help="Ask each at its interval, until stopped.")
async def sync(call: Call, *, names: tuple[str, ...], every: bool) -> int:
    """Ask every source, or those named, once, and publish what is new.

    Exits with 4 when a version is held, else with 3 when a source failed. With --every it goes on until stopped, and
    ends with 0; several may run, on the same --redis-url.
    """
    known = chosen_sources(call.settings)
    sources = tuple(source_named(known, name) for name in dict.fromkeys(names)) or synced(known)
    if closed := [source.name for source in sources if source.archive]:
        message = f"{', '.join(closed)} is an archive: upstream is closed, `import` takes its files"
        raise BadParameterError(message, parameter="source")
    async with opened_store(call.settings) as store, opened_upstream(call.settings, sources) as upstream:
        if every:
            await _keep(sources, upstream, store, call.settings)
            return exits.FINE
        ran = await _run_all(sources, upstream, store)
    outcomes = tuple(one.outcome for one in ran)
    if call.as_json:
        print_json(outcomes)
    else:
        print_outcomes(outcomes, tuple(one.seconds for one in ran))
    return sync_exit_code(outcomes)


@command("mirror")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
async def mirror(call: Call, *, folder: Path) -> int:
    """Copy what every source reads into a folder, for --mirror on a site without internet.

    A copy is replaced only by a document that could be read and parsed.
    """
    sources = synced(chosen_sources(call.settings))
    with _progress() as progress:
        progress.add_task("filling", name=str(folder))
        async with opened_upstream(call.settings, sources) as upstream:
            filled = await fill(folder, upstream, sources, utc_now())
    if call.as_json:
        print_json(filled)
    else:
        rows = ((one.source, "failed" if one.error else "copied", len(one.files), one.error) for one in filled)
        print_table(("source", "result", "files", "message"), rows)
    return exits.FAILED if any(one.error for one in filled) else exits.FINE


def print_outcomes(outcomes: tuple[Outcome, ...], seconds: tuple[float, ...] = ()) -> None:
    """Print what runs came to; ``seconds`` is how long each took, where that is of interest."""
    columns = ("source", "result", "version", "prefixes", "fqdns", "seconds", "message")
    print_table(columns, map(_row, outcomes, seconds or [None] * len(outcomes)))


def sync_exit_code(outcomes: tuple[Outcome, ...]) -> int:
    """Return 4 if any is held, else 3 if any failed, else 0."""
    results = {outcome.result for outcome in outcomes}
    return exits.HELD if "held" in results else exits.FAILED if "failed" in results else exits.FINE


async def _keep(sources: tuple[Source, ...], upstream: Upstream, store: Store, settings: Settings) -> None:
    """Sync ``sources`` until asked to stop."""
    tell(f"syncing {len(sources)} sources")
    async with side_port(settings, worker_life(store, tuple(source.info for source in sources))):
        await keep_synced(sources, upstream, store, utc_now, random.random, settings.versions_kept, settings.grace_s)


async def _run_all(sources: tuple[Source, ...], upstream: Upstream, store: Store) -> list[_Ran]:
    with _progress() as progress:
        return await asyncio.gather(*(_run_one(source, upstream, store, progress) for source in sources))


async def _run_one(source: Source, upstream: Upstream, store: Store, progress: Progress) -> _Ran:
    task = progress.add_task("syncing", total=1, name=source.name)
    started = time.perf_counter()
    outcome = await sync_asked(source, upstream, store, utc_now, person(None), COMMAND_LINE, always=False)
    progress.update(task, description=outcome.result, completed=1)
    return _Ran(outcome, time.perf_counter() - started)


def _progress() -> Progress:
    """Return the display of running work: on a terminal's stderr, nowhere else."""
    columns = (SpinnerColumn(finished_text="-"), TextColumn("{task.fields[name]}"), TextColumn("{task.description}"))
    console = Console(file=sys.stderr, highlight=False, markup=False)
    return Progress(*columns, TimeElapsedColumn(), console=console, transient=True, disable=not sys.stderr.isatty())


def _row(outcome: Outcome, seconds: float | None) -> tuple[object, ...]:
    counts = outcome.summary
    prefixes = f"+{counts.prefixes_added} -{counts.prefixes_removed}" if counts else None
    fqdns = f"+{counts.fqdns_added} -{counts.fqdns_removed}" if counts else None
    failed = outcome.message if outcome.result == "failed" else None
    message = ": ".join(filter(None, (failed, "; ".join(outcome.reasons)))) or outcome.message
    taken = None if seconds is None else f"{seconds:.1f}"
    return (outcome.source, outcome.result, outcome.version, prefixes, fqdns, taken, message)
