"""What a page's file was at each commit of a git working copy's main line. Called by `files`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from schema.errors import BadParameterError

_LOG = ("log", "--first-parent", "-m", "--follow", "--name-status", "-z", "--format=%x01%H %cI", "--")


class State(Struct, frozen=True):
    """A file as one commit left it. ``at`` is when it was committed, UTC."""

    name: str
    commit: str
    at: datetime
    body: bytes


def states(path: Path) -> Iterator[State]:
    """Yield each state that ``path`` had on the main line, oldest first, through renames.

    Of a merge only the result counts (first parents): what was published, not how it was drafted.

    Raises:
        BadParameterError: there is no git, no working copy, or no commit with this file.
    """
    if path.is_dir():
        raise BadParameterError(f"{path} is a folder: name the file in it", parameter="git", value=str(path))
    entries = _git(path, *_LOG, path.name).decode(errors="replace").split("\x01")[1:]
    if not entries:
        raise BadParameterError(f"git knows no commit of {path}", parameter="git", value=str(path))
    for entry in reversed(entries):
        head, status, *names = entry.rstrip("\n").split("\0")
        commit, _, committed_at = head.strip().partition(" ")
        named = [name for name in names if name]
        if named and status.strip() != "D":
            at = datetime.fromisoformat(committed_at).astimezone(UTC)
            yield State(named[-1], commit, at, _git(path, "show", f"{commit}:{named[-1]}"))


def _git(path: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(path.parent), "--literal-pathspecs", *arguments]
    try:
        return subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603 - no shell, our words
    except FileNotFoundError:
        raise BadParameterError(f"git or {path.parent} is not there", parameter="git", value=str(path)) from None
    except subprocess.CalledProcessError as error:
        problem = error.stderr.decode(errors="replace").strip()
        raise BadParameterError(f"git cannot read {path}: {problem}", parameter="git", value=str(path)) from error
