"""Files out of archives, copied aside under names of our own. Called by `files`.

Nothing of an archive is trusted: what a member calls itself names no path here, links are left out, and
both a member and an archive may unpack to so many bytes and no more.
"""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from msgspec import Struct

_COPY_BYTES = 1 << 20
_MAX_ARCHIVE_BYTES = 8 << 30
_DAMAGED = (
    *(tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, OSError, ValueError),
    *(RuntimeError, NotImplementedError),  # what zipfile says of an encrypted member and of an unknown method
)


class Member(Struct, frozen=True):
    """A file, and for people where it is from; ``problem`` says why it cannot be used."""

    name: str
    path: Path
    problem: str = ""


def unpacked(path: Path, name: str, aside: Path, max_bytes: int) -> Iterator[Member]:
    """Yield the members of an archive, or the file itself; what is damaged comes last, with its problem."""
    count = size = 0
    try:
        for member in _members(path, name, aside, max_bytes):
            count, size = count + 1, size + member.path.stat().st_size
            if size > _MAX_ARCHIVE_BYTES:
                raise ValueError(f"it unpacks to more than {_MAX_ARCHIVE_BYTES} bytes")
            yield member
    except _DAMAGED as error:
        yield Member(name, path, f"it cannot be unpacked: {error or type(error).__name__}")
    else:
        if not count:
            yield Member(name, path, "the archive holds no file")


def _members(path: Path, name: str, aside: Path, max_bytes: int) -> Iterator[Member]:
    if tarfile.is_tarfile(path):
        yield from _tar_members(path, name, aside, max_bytes)
    elif zipfile.is_zipfile(path):
        yield from _zip_members(path, name, aside, max_bytes)
    else:
        size = path.stat().st_size
        yield Member(name, path, _too_large(max_bytes) if size > max_bytes else "")


def _tar_members(path: Path, name: str, aside: Path, max_bytes: int) -> Iterator[Member]:
    with tarfile.open(path) as archive:
        for place, member in enumerate(archive):
            source = archive.extractfile(member) if member.isfile() else None
            if source:
                yield _copied(source, f"{name}/{member.name}", aside / str(place), max_bytes)


def _zip_members(path: Path, name: str, aside: Path, max_bytes: int) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for place, member in enumerate(archive.infolist()):
            if not member.is_dir():
                with archive.open(member) as source:
                    yield _copied(source, f"{name}/{member.filename}", aside / str(place), max_bytes)


def _copied(source: IO[bytes], name: str, target: Path, max_bytes: int) -> Member:
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with target.open("wb") as copy:
        while data := source.read(_COPY_BYTES):
            size += len(data)
            if size > max_bytes:
                return Member(name, target, _too_large(max_bytes))
            copy.write(data)
    return Member(name, target)


def _too_large(max_bytes: int) -> str:
    return f"it has more than {max_bytes} bytes"
