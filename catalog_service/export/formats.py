"""The formats an allowlist can be had in: one list, one renderer each.

In: a snapshot, the view chosen from it (`choose.chosen`) and the kinds wanted. Out: bytes. Called
by REST and the command line.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from catalog_service.catalog.select import Allowlist, allowlist
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import View
from catalog_service.export.choose import hint_of
from catalog_service.export.document import render_document
from catalog_service.export.table import render_table
from catalog_service.export.text import render_text
from schema.errors import BadParameterError, NoMatchError
from schema.words import Kind


class Format(Struct, frozen=True):
    """One format: its name in ``format=``, what it is called in HTTP, and its renderer."""

    name: str
    media_type: str
    render: Callable[[Snapshot, Allowlist, View], bytes]


_LISTED = (
    Format("txt", "text/plain", render_text),
    Format("csv", "text/csv", render_table),
    Format("json", "application/json", render_document),
)
FORMATS: tuple[str, ...] = tuple(one.name for one in _LISTED)
MEDIA_TYPES: tuple[str, ...] = tuple(one.media_type for one in _LISTED)
"""In the order of `FORMATS`."""


def render(name: str, snapshot: Snapshot, view: View, kinds: tuple[Kind, ...]) -> bytes:
    """Return the unique members of ``view`` in format ``name``; ``kinds`` says which (none: prefixes and names).

    Raises:
        BadParameterError: no format has this name.
        NoMatchError: there is no member to list.
    """
    return format_named(name).render(snapshot, members(snapshot, view, kinds), view)


def format_named(name: str) -> Format:
    """Return the format ``name``. Raises BadParameterError."""
    found = next((one for one in _LISTED if one.name == name), None)
    if found is None:
        message = f"{name!r} is not a format; there are {', '.join(FORMATS)}"
        raise BadParameterError(message, parameter="format", value=name, known=FORMATS)
    return found


def members(snapshot: Snapshot, view: View, kinds: tuple[Kind, ...]) -> Allowlist:
    """Return the unique members of ``view``, never none at all. Raises NoMatchError."""
    check_members(snapshot, view, kinds)
    return allowlist(view.records, kinds)


def check_members(snapshot: Snapshot, view: View, kinds: tuple[Kind, ...]) -> None:
    """Raise NoMatchError where ``view`` has no member of ``kinds`` (none: prefixes and names) to list."""
    listed = {Kind.PREFIX, Kind.FQDN}.intersection(kinds or Kind)
    if not any(listed.intersection(record.kinds) for record in view.records):
        message = f"the endpoint sets chosen hold no {' or '.join(kinds) or 'member'} to list"
        if view.missing:
            message += f", and nothing is read yet of {', '.join(view.missing)}"
        raise NoMatchError(message + hint_of(view), version=snapshot.version, missing=view.missing or None)
