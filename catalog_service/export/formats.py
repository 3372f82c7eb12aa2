"""The formats an allowlist can be had in: one list, one renderer each.

In: a snapshot, the view chosen from it (`choose.chosen`), the kinds wanted and the options. Out: a `File`. Called by
REST and the command line. A new format is a module with its `Format`, a line here and a parser in the tests.
"""

from __future__ import annotations

from msgspec import Struct

from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import View
from catalog_service.export.cisco_asa import CISCO_ASA
from catalog_service.export.document import JSON, AllowlistView, allowlist_view
from catalog_service.export.format import Cut, Format
from catalog_service.export.fortigate import FORTIGATE_FQDN, FORTIGATE_IP
from catalog_service.export.ipset import IPSET
from catalog_service.export.lines import NDJSON
from catalog_service.export.nftables import NFTABLES
from catalog_service.export.options import PLAIN, Options
from catalog_service.export.panos import PANOS_IP, PANOS_URL
from catalog_service.export.prepare import prepared
from catalog_service.export.table import CSV
from catalog_service.export.text import TXT
from catalog_service.export.tfvars import TFVARS
from schema.errors import BadParameterError
from schema.words import Kind

LISTED: tuple[Format, ...] = (
    TXT,
    CSV,
    JSON,
    NDJSON,
    PANOS_IP,
    PANOS_URL,
    FORTIGATE_IP,
    FORTIGATE_FQDN,
    NFTABLES,
    IPSET,
    CISCO_ASA,
    TFVARS,
)
"""The first of a media type is the one that Accept asks for."""
FORMATS: tuple[str, ...] = tuple(one.name for one in LISTED)
MEDIA_TYPES: tuple[str, ...] = tuple(one.media_type for one in LISTED)
"""In the order of `FORMATS`."""


class File(Struct, frozen=True):
    """A list as a file, and what was cut from it."""

    data: bytes
    name: str
    """With the extension of its format."""
    cut: Cut


def render(name: str, snapshot: Snapshot, view: View, kinds: tuple[Kind, ...], options: Options = PLAIN) -> File:
    """Return the unique members of ``view`` in format ``name``; ``kinds`` says which (none: prefixes and names).

    Raises:
        BadParameterError, NoMatchError, OverLimitError: as `prepared`; or no format has this name.
    """
    format_ = format_named(name)
    content = prepared(format_, snapshot, view, kinds, options)
    return File(format_.render(content), f"{content.name}.{format_.extension}", content.cut)


def document(snapshot: Snapshot, view: View, kinds: tuple[Kind, ...]) -> AllowlistView:
    """Return what format ``json`` says, whole, as the Struct that it is. Raises as `render`."""
    return allowlist_view(prepared(JSON, snapshot, view, kinds, PLAIN))


def format_named(name: str) -> Format:
    """Return the format ``name``. Raises BadParameterError."""
    found = next((one for one in LISTED if one.name == name.lower()), None)
    if found is None:
        message = f"{name!r} is not a format; there are {', '.join(FORMATS)}"
        raise BadParameterError(message, parameter="format", value=name, known=FORMATS)
    return found
