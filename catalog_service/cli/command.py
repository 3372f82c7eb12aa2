"""A command out of a coroutine: shared flags, settings, logging, an event loop that signals end.

A command is ``async def name(call: Call, **its own options) -> exit code``. Flags of the program may
stand before or after the command's name; the later one counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
from msgspec import Struct
from uvicorn.loops.auto import auto_loop_factory

from catalog_service.cli import exits
from catalog_service.cli.logs import configure_logs
from catalog_service.settings import CONFIG_VARIABLE, Settings, load_settings
from catalog_service.tracing import tracing

Run = Callable[..., Awaitable[int]]
Flag = Callable[[Callable[..., Any]], Callable[..., Any]]
_THREADS_S = 2.0
"""For what threads still have to do when all else has ended."""


class Call(Struct, frozen=True):
    """What every command is given."""

    settings: Settings
    as_json: bool
    """Print the contract's JSON on stdout, and nothing else."""


_SHARED = (
    click.option("--config", help=f"Settings file, TOML. [env: {CONFIG_VARIABLE}]"),
    click.option("--redis-url", help="A Redis to use instead of the embedded server. [env: CATALOG_REDIS_URL]"),
    click.option("--data-dir", help="Where the embedded server keeps its data. [env: CATALOG_DATA_DIR]"),
    click.option("--mirror", help="Folder or address with copies of the sources. [env: CATALOG_MIRROR]"),
    click.option("--json", "as_json", is_flag=True, default=None, help="JSON for machines instead of tables."),
    click.option("--verbose", is_flag=True, default=None, help="Log everything, show tracebacks."),
)


def shared_flags(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give ``function`` the flags that every command and the program itself take."""
    return flagged(function, _SHARED)


def flagged(function: Callable[..., Any], flags: Sequence[Flag]) -> Callable[..., Any]:
    """Give ``function`` the ``flags``, in their order."""
    return functools.reduce(lambda decorated, flag: flag(decorated), reversed(flags), function)


def command(name: str, *, serving: bool | str = False, epilog: str | None = None) -> Callable[[Run], click.Command]:
    """Make a coroutine function the command ``name``; a ``serving`` one ends well when asked to stop.

    ``serving`` may name the flag that makes it one.
    """

    def decorate(run: Run) -> click.Command:
        @functools.wraps(run)
        def invoke(**given: object) -> int:
            merged = _merged(click.get_current_context(), given)
            serves = bool(given[serving]) if isinstance(serving, str) else serving
            call = _call(merged, serving=serves)
            own = {key: value for key, value in given.items() if key not in _FLAGS}
            try:
                with tracing(on=call.settings.tracing):
                    return run_async(run(call, **own), serving=serves)
            except BrokenPipeError:  # the reader of our output went away; the interpreter flushes once more at its end
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                return exits.BROKEN_PIPE

        return click.command(name, epilog=epilog)(shared_flags(invoke))

    return decorate


def listed(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values of an option, repeated or separated by commas, as REST takes them: sorted, unique."""
    values = [part.strip() for value in given for part in value.split(",")]
    if not all(values):
        raise click.BadParameter("it has an empty value")
    return tuple(sorted(set(values)))


def words(vocabulary: Iterable[StrEnum]) -> click.Choice[str]:
    """Return the choice among ``vocabulary`` as it is written; click itself would offer Python's names."""
    return click.Choice([word.value for word in vocabulary], case_sensitive=False)


at_option = click.option("--at", metavar="VERSION", help="A number, latest, latest~N, a label, a date or a date-time.")
"""Which version a command reads, for `Reader.at`."""


def run_async(work: Awaitable[int], *, serving: bool = False) -> int:
    """Return what ``work`` returns; SIGINT and SIGTERM cancel it, once in order, again for good.

    A serving process does not wait for threads that never end, as those of a parser that hangs: it exits all the same.
    """
    with contextlib.ExitStack() as ended, asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        code = runner.run(_until_signal(work, serving=serving))
        if serving:
            last = threading.Timer(_THREADS_S, os._exit, (code,))
            last.daemon = True
            last.start()
            ended.callback(last.cancel)  # once the runner has waited for them
        return code


async def _until_signal(work: Awaitable[int], *, serving: bool) -> int:
    task, caught = asyncio.ensure_future(work), list[int]()

    def stop(number: int) -> None:
        caught.append(number)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not caught:
            raise
        return exits.FINE if serving else 128 + caught[0]


_OPTIONS = frozenset({"config", "as_json", "verbose"})
_FLAGS = _OPTIONS | Settings.model_fields.keys()


def _merged(context: click.Context, given: dict[str, object]) -> dict[str, object]:
    """Return the flags that were given, those after the command's name over those before it."""
    before: dict[str, object] = context.find_root().params
    return {
        key: value for flags in (before, given) for key, value in flags.items() if key in _FLAGS and value is not None
    }


def _call(flags: dict[str, object], *, serving: bool) -> Call:
    config = str(flags.get("config") or os.environ.get(CONFIG_VARIABLE) or "")
    own = {key: value for key, value in flags.items() if key not in _OPTIONS}
    settings = load_settings(own, Path(config) if config else None)
    level = "debug" if flags.get("verbose") else settings.log_level or ("info" if serving else "error")
    configure_logs(level, settings.log_format)
    return Call(settings, as_json=bool(flags.get("as_json")))
