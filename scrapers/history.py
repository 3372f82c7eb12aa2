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
import re
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import IO

from msgspec import Struct
from msgspec.structs import replace

from schema.document import Document, Provenance
from schema.errors import BadParameterError

_DATE = re.compile(r"(?<!\d)(20\d\d)([-_]?)(0[1-9]|1[0-2])\2([0-2]\d|3[01])(?:\d\d)?(?!\d)")
_MEDIA_TYPES = {".json": "application/json", ".md": "text/markdown", ".html": "text/html", ".htm": "text/html"}
_COPY_BYTES = 1 << 20


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
def opened_history(paths: tuple[Path, ...], *, git: bool = False, max_bytes: int = 32 << 20) -> Iterator[History]:
    """Give the files under ``paths`` for a block: files, folders, tar and zip archives; archives are unpacked aside.

    ``git``: each path is a file in a git working copy, and every state its main line had is a file of its own.

    Raises:
        BadParameterError: a path is not there, an archive is damaged, or git does not know the file.
    """
    with tempfile.TemporaryDirectory(prefix="catalog-import-") as aside:
        found = [one for place, path in enumerate(paths) for one in _found(path, Path(aside, str(place)), git=git)]
        dated, refused = [], []
        for file in found:
            if isinstance(file, HistoricFile):
                dated.append(file)
            elif problem := _problem(file, max_bytes):
                refused.append((file.name, problem))
            else:
                dated.append(HistoricFile(file.name, file.path, _date(file.name) or datetime.now(UTC)))
        yield History(_apart(dated), tuple(refused))


class _Found(Struct, frozen=True):
    name: str
    path: Path


def _found(path: Path, aside: Path, *, git: bool) -> Iterator[_Found | HistoricFile]:
    if git:
        yield from _git_states(path, aside)
    elif path.is_dir():
        for inner in sorted(path.rglob("*")):
            if inner.is_file() and not inner.name.startswith("."):
                yield from _unpacked(inner, f"{path.name}/{inner.relative_to(path)}", aside / str(inner.stat().st_ino))
    elif path.is_file():
        yield from _unpacked(path, path.name, aside)
    else:
        raise BadParameterError(f"{path} is not there", parameter="files", value=str(path))


def _unpacked(path: Path, name: str, aside: Path) -> Iterator[_Found]:
    """Yield the members of an archive, or the file itself."""
    try:
        if tarfile.is_tarfile(path):
            yield from _tar_members(path, name, aside)
        elif zipfile.is_zipfile(path):
            yield from _zip_members(path, name, aside)
        else:
            yield _Found(name, path)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise BadParameterError(f"{path} cannot be unpacked: {error}", parameter="files", value=str(path)) from error


def _tar_members(path: Path, name: str, aside: Path) -> Iterator[_Found]:
    with tarfile.open(path) as archive:
        for place, member in enumerate(archive):
            source = archive.extractfile(member) if member.isfile() else None
            if source:
                yield _copied(source, f"{name}/{member.name}", aside / str(place))


def _zip_members(path: Path, name: str, aside: Path) -> Iterator[_Found]:
    with zipfile.ZipFile(path) as archive:
        for place, member in enumerate(archive.infolist()):
            if not member.is_dir():
                with archive.open(member) as source:
                    yield _copied(source, f"{name}/{member.filename}", aside / str(place))


def _copied(source: IO[bytes], name: str, target: Path) -> _Found:
    """Copy a member under a name of our own: what it calls itself names no path here."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as copy:
        while data := source.read(_COPY_BYTES):
            copy.write(data)
    return _Found(name, target)


def _problem(file: _Found, max_bytes: int) -> str | None:
    if (size := file.path.stat().st_size) > max_bytes:
        return f"it has {size} bytes, more than {max_bytes}"
    return None if _date(file.name) else "its name holds no date, YYYY-MM-DD or YYYYMMDD"


def _date(name: str) -> datetime | None:
    """Return the last date that the file's own name holds; two more digits after it number a day's versions."""
    for found in reversed(list(_DATE.finditer(Path(name).name))):
        with contextlib.suppress(ValueError):
            return datetime(int(found[1]), int(found[3]), int(found[4]), tzinfo=UTC)
    return None


def _apart(files: list[HistoricFile]) -> tuple[HistoricFile, ...]:
    """Sort by time and name; files of one instant become a second apart, so that each was valid for a time."""
    ordered = sorted(files, key=lambda file: (file.at, Path(file.name).name))
    return tuple(
        replace(file, at=at + timedelta(seconds=place))
        for at, same in groupby(ordered, key=lambda file: file.at)
        for place, file in enumerate(same)
    )


def _git_states(path: Path, aside: Path) -> Iterator[HistoricFile]:
    """Yield each state that ``path`` had on the main line (first parents: what was published), through renames."""
    log = _git(path, "log", "--first-parent", "-m", "--follow", "--name-status", "--format=%x00%H %cI", "--", path.name)
    for place, entry in enumerate(log.decode().split("\0")[1:]):
        head, _, changes = entry.partition("\n")
        commit, _, committed_at = head.partition(" ")
        status, *names = changes.strip().split("\t")
        if not names or status == "D":
            continue
        target = aside / str(place)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_git(path, "show", f"{commit}:{names[-1]}"))
        at = datetime.fromisoformat(committed_at).astimezone(UTC)
        yield HistoricFile(f"{commit[:12]}/{Path(names[-1]).name}", target, at, commit)


def _git(path: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(path.parent), "-c", "core.quotePath=false", *arguments]
    try:
        return subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603 - no shell, our words
    except FileNotFoundError:
        raise BadParameterError(f"git or {path.parent} is not there", parameter="git", value=str(path)) from None
    except subprocess.CalledProcessError as error:
        problem = error.stderr.decode(errors="replace").strip()
        raise BadParameterError(f"git cannot read {path}: {problem}", parameter="git", value=str(path)) from error
