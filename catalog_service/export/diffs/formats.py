"""The formats a diff can be had in: one list, one renderer each.

In: a `Diff` as published. Out: bytes. ``json`` is the contract, the others say the same for people and spreadsheets;
none of them lets text of an upstream pass for syntax. Called by REST and the command line.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Struct

from catalog_service.export.diffs.markdown import render_markdown
from catalog_service.export.diffs.table import render_table
from catalog_service.export.diffs.unified import render_unified
from catalog_service.views.diffs import Diff
from schema.errors import BadParameterError


class DiffFormat(Struct, frozen=True):
    """One format: its name in ``format=``, what it is called in HTTP, and its renderer."""

    name: str
    media_type: str
    render: Callable[[Diff], bytes]


DIFF_FORMATS = (
    DiffFormat("json", "application/json", msgspec.json.encode),
    DiffFormat("markdown", "text/markdown", render_markdown),
    DiffFormat("text", "text/plain", render_unified),
    DiffFormat("csv", "text/csv", render_table),
)


def diff_format_named(name: str) -> DiffFormat:
    """Return the format ``name``. Raises BadParameterError."""
    found = next((one for one in DIFF_FORMATS if one.name == name.lower()), None)
    if found is None:
        known = tuple(one.name for one in DIFF_FORMATS)
        message = f"{name!r} is not a format of diffs; there are {', '.join(known)}"
        raise BadParameterError(message, parameter="format", value=name[:80], known=known)
    return found
