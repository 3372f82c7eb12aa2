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
from schema.version import Point

_MAX_LENGTH = 1000


class Cursor(Struct, frozen=True, array_like=True):
    """The page after ``after``, of a list at one point of the catalogue."""

    point: Point
    after: str
    query: str
    """Digest of which list it is, and its filter."""
    content: str
    """Digest of what it was cut from, where that may become another: at a date, for a mirror. Empty elsewhere."""


def encode_cursor(kind: str, point: Point, after: str, wanted: Filter, content: str = "") -> str:
    """Return the token of the page after ``after`` in the list ``kind``, of ``content`` alone if given."""
    data = msgspec.json.encode(Cursor(point, after, _query(kind, wanted), _digest(content.encode()) if content else ""))
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode_cursor(kind: str, token: str, wanted: Filter) -> Cursor:
    """Return what ``token`` says.

    Raises:
        BadParameterError: it is no cursor, or one of another list or filter.
    """
    try:
        if len(token) > _MAX_LENGTH:
            raise ValueError(token)
        cursor = msgspec.json.decode(
            base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True), type=Cursor
        )
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise BadParameterError("this is not a cursor of this catalogue", parameter="cursor") from None
    if cursor.query != _query(kind, wanted):
        raise BadParameterError("this cursor belongs to another filter", parameter="cursor")
    return cursor


def is_of(cursor: Cursor, content: str) -> bool:
    """Tell whether the page before was cut from ``content``."""
    return cursor.content == _digest(content.encode())


def check_content(cursor: Cursor, content: str) -> None:
    """Raise BadParameterError where ``content`` is not what the page before was cut from."""
    if cursor.content and not is_of(cursor, content):
        message = "the catalogue has learned more of that date since the page before: begin anew"
        raise BadParameterError(message, parameter="cursor")


def _query(kind: str, wanted: Filter) -> str:
    return _digest(kind.encode() + msgspec.json.encode(wanted))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
