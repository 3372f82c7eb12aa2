"""JSON downloads: refuse what came back instead of the file, and name every row that cannot be read.

In: the bytes of an answer and the types they should hold. Out: those values, or ParseError. Called
by the parsers of both JSON families; 45 stored answers of one service-tag log were error pages,
``ServerBusy`` XML with a byte order mark, or nothing at all (sources.md T2).
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from schema.errors import ParseError

T = TypeVar("T")
_BOM = b"\xef\xbb\xbf"
_SHOWN = 80


def json_bytes(body: bytes, *, url: str, min_bytes: int) -> bytes:
    """Return ``body`` without its byte order mark.

    Raises:
        ParseError: it is empty, HTML, XML or smaller than ``min_bytes``.
    """
    text = body.removeprefix(_BOM).strip()
    start = text[:_SHOWN].decode(errors="replace")
    if not text:
        raise refused(url, ("the body is empty",))
    if text.startswith(b"<"):
        kind = "XML" if text.startswith(b"<?xml") else "HTML"
        raise refused(url, (f"the body is {kind}, not JSON: {start!r}",))
    if len(text) < min_bytes:
        raise refused(url, (f"the body is too small: {len(text)} bytes, at least {min_bytes} expected: {start!r}",))
    return text


def rows(values: list[msgspec.Raw], row: type[T], *, where: str) -> tuple[list[T], tuple[str, ...]]:
    """Decode rows one by one: those that can be read, and a reason for each that cannot."""
    decoder = msgspec.json.Decoder(row)
    read: list[T] = []
    reasons: list[str] = []
    for number, value in enumerate(values):
        try:
            read.append(decoder.decode(value))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            shown = bytes(value)[:_SHOWN].decode(errors="replace")
            reasons.append(f"{where}[{number}]: {error}: {' '.join(shown.split())}")
    return read, tuple(reasons)


def refused(url: str, reasons: tuple[str, ...]) -> ParseError:
    """Return the error that lists every reason a document is not what it should be."""
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return ParseError(f"{url}: {reasons[0]}{more}", reasons=reasons, url=url)
