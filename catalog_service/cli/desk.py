"""The desk of subscriptions for a command, and the names it is asked for.

Called by `subscriptions`, `deliveries`, `saved_filters` and `signing_keys`.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import click

from catalog_service.access.identity import Identity
from catalog_service.cli.command import Call, Flag
from catalog_service.cli.telling import desk_of
from catalog_service.cli.wiring import known_sources, opened_store
from catalog_service.subscriptions.desk import Desk
from schema.access import COMMAND_LINE, Scope


@contextlib.asynccontextmanager
async def opened_desk(call: Call) -> AsyncIterator[Desk]:
    """Give the desk over the store for a block. Raises as `opened_store` and `known_sources`."""
    sources = known_sources(call.settings)
    async with opened_store(call.settings) as store:
        yield desk_of(store, call.settings, sources).opened_for(Identity(COMMAND_LINE, frozenset(Scope)))


def name_argument(name: str, metavar: str) -> Flag:
    """Return an argument that names something in the store; bytes that are no text become ``?``, which name nothing."""
    return click.argument(name, metavar=metavar, callback=lambda _context, _argument, given: _text(given))


def _text(given: str) -> str:
    return given.encode(errors="replace").decode()


SUBSCRIPTION = name_argument("id_", "ID")
