"""Cursors: where the next page starts, as an opaque token.

A cursor names the point it was given at, so that pages fit together while versions move, and the
filter it was given for, so that it cannot be used with another one by mistake.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

import msgspec
from msgspec import Struct

from catalog_service.catalog.select import Filter
from schema.errors import BadParameterError

_MAX_LENGTH = 1000


class Cursor(Struct, frozen=True, array_like=True):
    """The page after ``after`` at point ``at`` of the catalogue; of versions, after number ``at``."""

    at: str
    after: str
    filter: str
    """Digest of the filter."""


def encode_cursor(at: str, after: str, wanted: Filter) -> str:
    """Return the token of the page after ``after``."""
    data = msgspec.json.encode(Cursor(at, after, _digest(wanted)))
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode_cursor(token: str, wanted: Filter) -> Cursor:
    """Return what ``token`` says.

    Raises:
        BadParameterError: it is no cursor, or one of another filter.
    """
    try:
        if len(token) > _MAX_LENGTH:
            raise ValueError(token)
        cursor = msgspec.json.decode(
            base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True), type=Cursor
        )
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise BadParameterError("this is not a cursor of this catalogue", parameter="cursor") from None
    if cursor.filter != _digest(wanted):
        raise BadParameterError("this cursor belongs to another filter", parameter="cursor")
    return cursor


def _digest(wanted: Filter) -> str:
    return hashlib.sha256(msgspec.json.encode(wanted)).hexdigest()[:16]
