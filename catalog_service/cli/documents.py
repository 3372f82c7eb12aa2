"""Commands on kept documents: show one, read one again, import files of the past."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.output import print_json, print_table, say, write_whole
from catalog_service.cli.person import by_option, person
from catalog_service.cli.sync import print_outcomes, sync_exit_code
from catalog_service.cli.wiring import chosen_sources, opened_reader, opened_store, utc_now
from catalog_service.export.diffs.telling import in_words
from catalog_service.sync.asked import import_asked, reparse_asked
from catalog_service.sync.history import Imported
from schema.access import COMMAND_LINE
from scrapers.history.files import opened_history
from scrapers.sources import source_named


@command("document")
@click.argument("digest")
@click.option(
    "--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write it here; default: stdout."
)
async def document(call: Call, *, digest: str, output: Path | None) -> int:
    """Print a kept document, byte for byte as it was fetched; with --json, where it came from.

    DIGEST stands in the provenance of every record; its first eight digits are enough.
    """
    async with opened_reader(call.settings) as reader:
        kept = await reader.store.documents.get(digest)
    if call.as_json:
        print_json({"source": kept.source, "provenance": kept.document.provenance})
    elif output:
        write_whole(output, kept.document.body)
    else:
        sys.stdout.buffer.write(kept.document.body)
        sys.stdout.buffer.flush()
    return exits.FINE


@command("reparse")
@click.argument("name", metavar="SOURCE")
@by_option
async def reparse(call: Call, *, name: str, who: str | None) -> int:
    """Read again what a source said last, from the kept document: nothing is fetched.

    For after a parser was mended. What is new goes the way of every sync: published, or held for a person.
    """
    source = source_named(chosen_sources(call.settings), name)
    async with opened_store(call.settings) as store:
        outcome = await reparse_asked(source, store, utc_now, person(who), COMMAND_LINE)
    if call.as_json:
        print_json(outcome)
    else:
        print_outcomes((outcome,))
    return sync_exit_code((outcome,))


@command("import")
@click.argument("name", metavar="SOURCE")
@click.argument("paths", metavar="FILES...", nargs=-1, required=True, type=click.Path(exists=False, path_type=Path))
@click.option("--git", is_flag=True, help="Each of FILES is a file in a git working copy: import its history.")
@by_option
async def import_(call: Call, *, name: str, paths: tuple[Path, ...], git: bool, who: str | None) -> int:
    """Import the past of a source from files, folders, tar and zip archives, or a page's git history.

    A file's name holds the day upstream published it (2024-05-06 or 20240506). Imported versions answer
    at=DATE; the newest version stays what it is, and nobody is notified. What is known already is skipped.
    Exits with 3 when a file was refused.
    """
    source, by = source_named(chosen_sources(call.settings), name), person(who)
    with (
        opened_history(paths, utc_now(), git=git, max_bytes=call.settings.fetch_max_bytes) as history,
        _progress() as progress,
    ):
        task = progress.add_task("importing", total=len(history.files))
        async with opened_store(call.settings) as store:
            done = await import_asked(
                source, history.files, store, utc_now, by, COMMAND_LINE, lambda _: progress.advance(task)
            )
    refused = tuple(Imported(file, "refused", reasons=(reason,)) for file, reason in history.refused)
    _report(call, (*done, *refused))
    return exits.FAILED if any(one.result == "refused" for one in (*done, *refused)) else exits.FINE


def _report(call: Call, files: tuple[Imported, ...]) -> None:
    if call.as_json:
        print_json(files)
        return
    told = [one for one in files if one.result != "unchanged"]
    rows = (
        (one.name, one.at, one.result, one.version, in_words(one.summary) if one.summary else "; ".join(one.reasons))
        for one in told
    )
    print_table(("file", "valid from", "result", "version", "changes"), rows)
    counts = {result: sum(one.result == result for one in files) for result in ("imported", "unchanged", "refused")}
    say(", ".join(f"{count} {result}" for result, count in counts.items()))


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
