"""The Dockerfile, executed without an engine: its own lines, in a folder that stands for the root of the image.

In: the Dockerfile, in the folder of what it may copy, and where to put the result. Out: what the last stage holds, and
what it says about running it. COPY, RUN, ENV, ARG and WORKDIR are done, the rest is read; an instruction that this does
not know is refused. Called by check_dockerfile.py.

The base image is played by a virtualenv at ``usr/local`` with pip in it, as in the official images of Python. Absolute
paths in RUN lines move under the folder (``/opt/catalog`` -> ``ROOT/opt/catalog``), but for those of the machine.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import translate
from pathlib import Path

_ABSOLUTE = re.compile(r"(?<![\w.:/*}-])/(?!(?:usr|bin|lib|etc|dev|proc)\b)(?=\w)")
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")
_EXEC_FORM = ("ENTRYPOINT", "CMD", "HEALTHCHECK", "VOLUME")
_TOLD = ("LABEL", "EXPOSE", "STOPSIGNAL", "USER")


class DockerfileError(Exception):
    """A line that this does not know, or one that failed."""


@dataclass
class Stage:
    """One stage: its root, its variables, and what was said about running it."""

    root: Path
    name: str = ""
    env: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    said: dict[str, str] = field(default_factory=dict)
    """The last LABEL, USER, VOLUME, STOPSIGNAL, HEALTHCHECK, ENTRYPOINT, CMD as written."""

    def run_form(self, instruction: str) -> list[str]:
        """Return the exec form of an ENTRYPOINT, CMD, HEALTHCHECK or VOLUME."""
        words: list[str] = json.loads(self.said[instruction][self.said[instruction].index("[") :])
        return words

    def moved(self, path: str) -> Path:
        """Return where an absolute or relative path of the image lies here."""
        return self.root / os.path.normpath(f"{self.workdir}/{path}" if not path.startswith("/") else path).lstrip("/")

    def variables(self) -> dict[str, str]:
        """Return the environment of the stage, its PATH under the root."""
        path = self.env.get("PATH", "") or "/usr/local/bin"
        moved = ":".join(str(self.root / part.lstrip("/")) for part in path.split(":") if part)
        return self.env | {"PATH": f"{moved}:/usr/bin:/bin"}


def executed(dockerfile: Path, root: Path, outside: dict[str, str]) -> Stage:
    """Execute ``dockerfile`` (its folder is the context) below ``root`` and return the last stage, which lies there.

    ``outside``: variables that RUN lines get besides the image's own, such as where to find wheels without a network.

    Raises:
        DockerfileError: an instruction is unknown, a file to copy is missing, or a command failed.
    """
    stages: list[Stage] = []
    base_arguments: dict[str, str] = {}
    for instruction, rest in instructions(dockerfile.read_text(encoding="utf-8")):
        if instruction == "ARG" and not stages:
            base_arguments.update([_argument(rest)])
        elif instruction == "FROM":
            _set_aside(stages)
            stages.append(_begun(rest, root, base_arguments))
        elif instruction == "COPY":
            _copy(stages, dockerfile.parent, shlex.split(_filled(rest, stages[-1])))
        elif instruction == "RUN":
            _run(stages[-1], rest, outside)
        else:
            _noted(stages[-1], instruction, rest)
    return stages[-1]


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield each instruction and the rest of its line, comments left out, continued lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        instruction, _, rest = line.strip().partition(" ")
        yield instruction.upper(), rest.strip()


def copied_files(context: Path) -> list[str]:
    """Return the files of the context that .dockerignore lets through, sorted; the last pattern that fits decides."""
    patterns = []
    for line in (context / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            kept = line.startswith("!")
            patterns.append((kept, re.compile(_pattern(line.lstrip("!").strip("/")))))
    hidden = [".git", ".venv", ".venv-deploy", ".venv-checkov"]  # all out by `*`; not to walk through them
    found = []
    for folder, below, names in os.walk(context):
        below[:] = [name for name in below if name not in hidden]
        for name in names:
            path = Path(folder, name).relative_to(context)
            fitting = [kept for kept, pattern in patterns if any(pattern.match(str(p)) for p in (path, *path.parents))]
            if not fitting or fitting[-1]:
                found.append(str(path))
    return sorted(found)


def _pattern(line: str) -> str:
    """Return a regular expression for a line of .dockerignore: ``**/`` is any folder, ``*`` stays within one."""
    anywhere, line = line.startswith("**/"), line.removeprefix("**/")
    body = translate(line).replace(".*", "[^/]*")
    return f"(?:.*/)?{body}" if anywhere else body


def _argument(rest: str) -> tuple[str, str]:
    name, _, default = rest.partition("=")
    return name, default


def _set_aside(stages: list[Stage]) -> None:
    """Move a finished stage out of the root: the next one has the same paths, as in an engine."""
    if stages:
        aside = stages[-1].root.with_name(f"{stages[-1].root.name}.{len(stages)}")
        stages[-1].root.rename(aside)
        stages[-1].root = aside


def _begun(rest: str, root: Path, base_arguments: dict[str, str]) -> Stage:
    image, _, name = rest.partition(" AS ")
    if not re.fullmatch(r"python:3\.\d+-slim(-\w+)?(@sha256:\w+)?", _filled_by(image, base_arguments)):
        raise DockerfileError(f"{image} is not an official slim image of Python, which is what this can play")
    root.mkdir()
    subprocess.run([sys.executable, "-m", "venv", root / "usr/local"], check=True)
    return Stage(root, name.strip(), env={"PATH": "/usr/local/bin"})


def _noted(stage: Stage, instruction: str, rest: str) -> None:
    if instruction == "ARG":
        stage.arguments.update([_argument(rest)])
    elif instruction == "ENV":
        for pair in shlex.split(rest):
            name, _, value = pair.partition("=")
            stage.env[name] = _filled(value, stage)
    elif instruction == "WORKDIR":
        stage.workdir = rest
        stage.moved(rest).mkdir(parents=True, exist_ok=True)
    elif instruction in _EXEC_FORM or instruction in _TOLD:
        stage.said[instruction] = rest
    else:
        raise DockerfileError(f"{instruction} is an instruction that this check does not know")


def _copy(stages: list[Stage], context: Path, words: list[str]) -> None:
    flags = dict(word.removeprefix("--").split("=", 1) for word in words if word.startswith("--"))
    *sources, target = [word for word in words if not word.startswith("--")]
    into = stages[-1].moved(target)
    if "from" in flags:
        whence = next(stage for stage in stages if stage.name == flags["from"])
        for source in sources:
            shutil.copytree(whence.moved(source), into, symlinks=True)
    else:
        _copy_context(context, sources, into, to_folder=target.endswith("/") or len(sources) > 1)
    if "chown" in flags and os.geteuid() == 0:
        user, group = (int(part) for part in flags["chown"].split(":"))
        for path in (into, *into.rglob("*")):
            os.chown(path, user, group, follow_symlinks=False)


def _copy_context(context: Path, sources: list[str], into: Path, *, to_folder: bool) -> None:
    files = copied_files(context)
    for source in sources:
        chosen = [name for name in files if name == source or name.startswith(f"{source}/")]
        if not chosen:
            raise DockerfileError(f"COPY {source}: not there, or .dockerignore leaves it out")
        for name in chosen:
            below = into / Path(source).name if name == source and to_folder else into / Path(name).relative_to(source)
            below.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(context / name, below)


def _run(stage: Stage, command: str, outside: dict[str, str]) -> None:
    moved = _ABSOLUTE.sub(f"{stage.root}/", command)
    done = subprocess.run(
        ["/bin/sh", "-euc", moved],
        cwd=stage.moved("."),
        env=outside | stage.arguments | stage.variables(),
        capture_output=True,
        text=True,
        check=False,
        umask=0o022,
    )
    if done.returncode:
        raise DockerfileError(f"RUN {moved}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")


def _filled(text: str, stage: Stage) -> str:
    return _filled_by(text, stage.arguments | stage.env)


def _filled_by(text: str, values: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda found: values.get(found[1] or found[2], ""), text)
