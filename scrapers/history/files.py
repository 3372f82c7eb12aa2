"""Files of an upstream's past: from archives, folders and a page's git history, oldest first.

In: what the operator names. Out: each file with the day upstream published it, told by the file's name
or by the commit. Called by the import command; nothing here is fetched.

    Public-2024.tar.xz  ->  ServiceTags_Public_20240506.json, valid from 2024-05-06
    limits/067_2020-02-24_9132c8c74c.md  ->  valid from 2020-02-24
    China_2018063000.json  ->  valid from 2018-06-30
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from schema.document import Document, Provenance
from schema.errors import BadParameterError
from scrapers.history.git import states
from scrapers.history.unpack import Member, unpacked

_DATE = re.compile(r"(?<!\d)(20\d\d)([-_]?)(0[1-9]|1[0-2])\2([0-2]\d|3[01])(?:\d\d)?(?!\d)")
_MEDIA_TYPES = {".json": "application/json", ".md": "text/markdown", ".html": "text/html", ".htm": "text/html"}


class HistoricFile(Struct, frozen=True):
    """One file and since when upstream had it, UTC; those of one day are a second apart, in their names' order."""

    name: str
    """For people and provenance: where the operator has it."""
    path: Path
    at: datetime
    upstream_version: str | None = None

    def document(self, read_at: datetime) -> Document:
        """Return the file as a document, read now."""
        body = self.path.read_bytes()
        provenance = Provenance(
            url=f"import:{self.name}",
            fetched_at=read_at,
            digest=f"sha256:{hashlib.sha256(body).hexdigest()}",
            media_type=_MEDIA_TYPES.get(Path(self.name).suffix.lower(), "application/octet-stream"),
            upstream_version=self.upstream_version,
            upstream_at=self.at,
        )
        return Document(body, provenance)


class History(Struct, frozen=True):
    """Files to import, oldest first, and those that cannot be: (name, reason)."""

    files: tuple[HistoricFile, ...]
    refused: tuple[tuple[str, str], ...]


@contextlib.contextmanager
def opened_history(
    paths: tuple[Path, ...], now: datetime, *, git: bool = False, max_bytes: int = 32 << 20
) -> Iterator[History]:
    """Give the files under ``paths`` for a block: files, folders, tar and zip archives; archives are unpacked aside.

    ``git``: each path is a file in a git working copy, and every state its main line had is a file of its own.

    Raises:
        BadParameterError: a path is not there, or git does not know the file.
    """
    with tempfile.TemporaryDirectory(prefix="catalog-import-") as aside:
        files: list[HistoricFile] = []
        refused: list[tuple[str, str]] = []
        for place, path in enumerate(paths):
            found = _git_files(path, Path(aside, str(place))) if git else _named_files(path, Path(aside), max_bytes)
            for file in found:
                if problem := _problem(file, now):
                    refused.append((_printable(file.name), problem))
                elif at := file.at or _date(file.name):
                    files.append(HistoricFile(_printable(file.name), file.path, at, file.commit))
        yield History(_apart(files), tuple(refused))


class _Found(Struct, frozen=True):
    name: str
    path: Path
    problem: str = ""
    at: datetime | None = None
    """When it was committed; None: its name says when."""
    commit: str | None = None


def _named_files(path: Path, aside: Path, max_bytes: int) -> list[_Found]:
    """Return the files of a path, by name."""
    if path.is_dir():
        inner = [one for one in path.rglob("*") if one.is_file() and not one.name.startswith(".")]
        members = [
            member
            for one in inner
            for member in unpacked(one, f"{path.name}/{one.relative_to(path)}", _room(aside), max_bytes)
        ]
    elif path.is_file():
        members = list(unpacked(path, path.name, _room(aside), max_bytes))
    else:
        raise BadParameterError(f"{path} is not there", parameter="files", value=str(path))
    return [_Found(one.name, one.path, one.problem) for one in sorted(members, key=_base_name)]


def _git_files(path: Path, aside: Path) -> Iterator[_Found]:
    aside.mkdir()
    for place, state in enumerate(states(path)):
        target = aside / str(place)
        target.write_bytes(state.body)
        name = f"{state.commit[:12]}/{Path(state.name).name}"
        yield _Found(name, target, at=state.at, commit=state.commit)


def _room(aside: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=aside))


def _base_name(member: Member) -> str:
    return Path(member.name).name


def _printable(name: str) -> str:
    """Return ``name`` as text that can be written down: file names may hold any byte."""
    return os.fsencode(name).decode(errors="replace")


def _problem(file: _Found, now: datetime) -> str | None:
    at = file.at or _date(file.name)
    if file.problem or at is None:
        return file.problem or "its name holds no date, YYYY-MM-DD or YYYYMMDD"
    return f"{at:%Y-%m-%d} lies ahead" if at > now else None


def _date(name: str) -> datetime | None:
    """Return the last date that the file's own name holds; two more digits after it number a day's versions."""
    for found in reversed(list(_DATE.finditer(Path(name).name))):
        with contextlib.suppress(ValueError):
            return datetime(int(found[1]), int(found[3]), int(found[4]), tzinfo=UTC)
    return None


def _apart(files: list[HistoricFile]) -> tuple[HistoricFile, ...]:
    """Sort by time, equal times as they came; each begins at least a second after the one before it."""
    apart: list[HistoricFile] = []
    for file in sorted(files, key=lambda file: file.at):
        earliest = apart[-1].at + timedelta(seconds=1) if apart else file.at
        apart.append(replace(file, at=max(file.at, earliest)))
    return tuple(apart)
