"""A backup as a file: what is in it, whether it is whole.

    {"format":1,"release":"0.1.0","form":2,"at":"2026-11-23T12:00:00Z","head":41}    one line of JSON
    portions: each its length in 4 bytes and MessagePack                             one frame of zstd
    000000000212 and the SHA-256 of all before it                                    one line of 78 characters

A portion is a part of one key as its logical content, so a backup fits any release and shape of Redis. Nothing of a
file is believed before its checksum. Called by the command line, with `backup` and `restore`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec
import zstandard
from msgspec import Struct

from catalog_service.store import keys
from catalog_service.store.migrate import FORMAT as FORM
from catalog_service.store.shape import Kind
from schema.errors import CatalogError, CorruptContentError, StoreError

FORMAT = 1
"""The format of the file that this release writes; it reads none that is newer."""
_LEVEL = 3
_MOST_BYTES = 512 << 20
_LINE_BYTES = 4096
_END_BYTES = 12 + 1 + 64 + 1
_CHUNK = 1 << 20
_LAST = bytes(4)
"""In place of a portion's length: there is none after it."""


class Header(Struct, frozen=True):
    """What a backup says of itself."""

    format: int
    release: str
    form: int
    """Of the stored data (`migrate.FORMAT`)."""
    at: datetime
    """When it was taken, UTC; all in it is as of then."""
    head: int
    """The newest live version then."""


class Portion(Struct, frozen=True, array_like=True):
    """Some of what a key holds, or all of it."""

    key: str
    kind: Kind
    entries: tuple[tuple[bytes, ...], ...]
    """Of a string its value; of a hash field and value; of a zset member and score; of a set and of a list, which is
    in one portion, the member; of a stream the id, then fields and values."""


class Written(Struct, frozen=True):
    """A backup that is on the disk."""

    header: Header
    portion_count: int
    byte_count: int


_header = msgspec.json.Decoder(Header)
_portion = msgspec.msgpack.Decoder(Portion)
_encoder = msgspec.msgpack.Encoder()


async def write(file: IO[bytes], header: Header, portions: AsyncIterator[Portion]) -> Written:
    """Write a backup into ``file``, from where it stands."""
    out, count = _Summed(file), 0
    out.write(msgspec.json.encode(header) + b"\n")
    with zstandard.ZstdCompressor(level=_LEVEL).stream_writer(out, closefd=False) as packed:  # type: ignore[arg-type]  # it writes alone
        async for portion in portions:
            data = _encoder.encode(portion)
            packed.write(len(data).to_bytes(4, "big") + data)
            count += 1
        packed.write(_LAST)
    out.write(f"{count:012d} ".encode())
    out.write(out.sum.hexdigest().encode() + b"\n")
    return Written(header, count, out.byte_count)


def check(file: IO[bytes]) -> Written:
    """Return what the whole of ``file`` is.

    Raises:
        CorruptContentError: it is no backup, cut off or altered.
        StoreError: its format or form is newer than this release's.
    """
    header = _read_header(file)
    if header.format > FORMAT:
        raise _newer("format", header.format, FORMAT, header)
    size = file.seek(0, os.SEEK_END)
    count = _checked_sum(file, size)
    if header.form > FORM:
        raise _newer("form", header.form, FORM, header)
    if sum(1 for _ in portions_of(file)) != count:
        raise CorruptContentError("the backup does not hold as many portions as it says")
    return Written(header, count, size)


def portions_of(file: IO[bytes]) -> Iterator[Portion]:
    """Yield the portions of ``file``, which was checked. Raises CorruptContentError."""
    file.seek(0)
    file.readline(_LINE_BYTES)
    try:
        with zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=False, closefd=False) as packed:
            while (length := packed.read(4)) != _LAST:
                yield _decoded(packed, int.from_bytes(length, "big"))
    except (zstandard.ZstdError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CorruptContentError(f"the backup cannot be read: {error}") from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Give a file that takes the place of ``path`` when the block ends well, and else is gone; only its owner reads it.

    Raises:
        CatalogError: it cannot be written.
    """
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "w+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            _sync_directory(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise CatalogError(f"{path} cannot be written: {error}") from error


class _Summed:
    """A file and the SHA-256 of what was written into it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sum = hashlib.sha256()
        self.byte_count = 0

    def write(self, data: bytes) -> int:
        self.sum.update(data)
        self.byte_count += len(data)
        return self._file.write(data)


def _newer(what: str, found: int, known: int, header: Header) -> StoreError:
    message = (
        f"the backup has {what} {found}, release {header.release} wrote it, and this release reads {what}s up to "
        f"{known}: restore it with that release or a later one"
    )
    return StoreError(message, found=found, known=known)


def _read_header(file: IO[bytes]) -> Header:
    file.seek(0)
    try:
        return _header.decode(file.readline(_LINE_BYTES))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CorruptContentError("this is no backup of the catalogue: it does not begin as one") from error


def _checked_sum(file: IO[bytes], size: int) -> int:
    """Return the count at the end of ``file``. Raises CorruptContentError."""
    file.seek(max(0, size - _END_BYTES))
    end = file.read(_END_BYTES)
    count, _, told = end.partition(b" ")
    file.seek(0)
    found, left = hashlib.sha256(), size - _END_BYTES + len(count) + 1
    while left > 0 and (data := file.read(min(_CHUNK, left))):
        found.update(data)
        left -= len(data)
    if told != found.hexdigest().encode() + b"\n" or not count.isdigit():
        raise CorruptContentError("the backup is cut off or was altered: its checksum is another")
    return int(count)


def _decoded(packed: zstandard.ZstdDecompressionReader, length: int) -> Portion:
    data = packed.read(length) if 0 < length <= _MOST_BYTES else b""
    if not data or len(data) != length:
        raise CorruptContentError("the backup is cut off within a portion")
    portion = _portion.decode(data)
    if not portion.key.startswith(f"{keys.TAG}:"):
        raise CorruptContentError(f"the backup has a key that is not the catalogue's: {portion.key[:80]!r}")
    return portion


def _sync_directory(directory: Path) -> None:
    """Have the new name on the disk too."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
