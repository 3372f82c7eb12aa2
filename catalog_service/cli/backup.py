"""The commands that carry all that is stored away and bring it back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import click

from catalog_service.cli import exits
from catalog_service.cli.command import Call, command
from catalog_service.cli.output import print_json, say
from catalog_service.cli.person import by_option, person
from catalog_service.cli.wiring import any_store, utc_now
from catalog_service.store.backup import back_up
from catalog_service.store.backup_file import Written, check, replacing
from catalog_service.store.moment import is_empty
from catalog_service.store.restore import Restored
from catalog_service.store.restore import restore as bring_back
from schema.access import COMMAND_LINE
from schema.errors import CatalogError, StoreError
from schema.version import AuditEntry

_PIPE = "-"


@command("backup")
@click.argument("file", metavar="FILE")
async def backup(call: Call, *, file: str) -> int:
    """Write all that is stored into FILE (- is stdout), as of one moment, while the service goes on.

    Versions, documents, labels, subscriptions with their queues, tokens and the audit, in a form that any Redis takes
    back. FILE is replaced whole or not at all, and only you can read it: secrets in it are sealed or hashed, as they
    are in Redis, so keep the encryption key elsewhere.
    """
    async with any_store(call.settings) as store:
        if await is_empty(store):
            where = "this Redis" if call.settings.redis_url else call.settings.data_dir
            raise StoreError(f"{where} holds nothing yet, neither versions nor what people made: {file} is not written")
        with _target(file) as target:
            written = await back_up(store, target, utc_now())
    if file != _PIPE:
        _told(call, file, written)
    return exits.FINE


@command("restore")
@click.argument("file", metavar="FILE")
@click.option("--replace", is_flag=True, help="Put it in the place of all that the store holds now.")
@click.option("--check", "only_check", is_flag=True, help="Only tell whether FILE is whole and can be read.")
@by_option
async def restore(call: Call, *, file: str, replace: bool, only_check: bool, who: str | None) -> int:
    """Bring back what `backup` wrote into FILE (- is stdin).

    FILE is checked whole before anything is written: one that is cut off or altered, or that a newer release wrote, is
    refused. What is stored changes in one step. Restart the services afterwards: one that served a later version goes
    on serving it until the store has caught up.
    """
    with _source(file) as source:
        if only_check:
            _told(call, file, await asyncio.to_thread(check, source))
            return exits.FINE
        entry = AuditEntry(utc_now(), person(who), "restore", "store", "", "", COMMAND_LINE)
        async with any_store(call.settings) as store:
            restored = await bring_back(store, source, entry, replace_all=replace)
    if call.as_json:
        print_json(restored)
    else:
        _say_restored(file, restored)
    return exits.FINE


@contextlib.contextmanager
def _target(file: str) -> Iterator[IO[bytes]]:
    """Give where a backup is written; stdout gets it when it is whole."""
    if file != _PIPE:
        with replacing(Path(file)) as target:
            yield target
        return
    with tempfile.TemporaryFile() as target:
        yield target
        target.seek(0)
        try:
            shutil.copyfileobj(target, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        except BrokenPipeError:  # `command` knows what to do
            raise
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes at its end
            raise CatalogError(f"the backup cannot be written to stdout: {error.strerror}") from error


@contextlib.contextmanager
def _source(file: str) -> Iterator[IO[bytes]]:
    """Give the backup to read; what comes from a pipe is kept on the disk meanwhile, for its owner alone."""
    with contextlib.ExitStack() as stack:
        try:
            source = sys.stdin.buffer if file == _PIPE else stack.enter_context(Path(file).open("rb"))
            if file == _PIPE or not source.seekable():
                kept = stack.enter_context(tempfile.TemporaryFile())
                shutil.copyfileobj(source, kept)
                source = kept
        except OSError as error:
            raise CatalogError(f"{file} cannot be read: {error.strerror}") from error
        yield source


def _told(call: Call, file: str, written: Written) -> None:
    if call.as_json:
        print_json(written)
        return
    header = written.header
    say(f"{file}: {written.byte_count:,} bytes, as of {header.at:%Y-%m-%d %H:%M:%SZ}, newest version {header.head}")
    say(f"by release {header.release}, form {header.form}; whole")


def _say_restored(file: str, restored: Restored) -> None:
    header, before = restored.backup.header, restored.replaced_head
    say(f"restored {file}, {restored.backup.byte_count:,} bytes, as of {header.at:%Y-%m-%d %H:%M:%SZ}")
    say(f"versions: {restored.version_count}, the newest {header.head}" + (f" (before: {before})" if before else ""))
    say(f"subscriptions: {restored.subscription_count}")
    if before > header.head:
        say("the newest version is older than before: restart the services, and the next sync catches up")
