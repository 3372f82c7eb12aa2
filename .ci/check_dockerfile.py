"""What the Dockerfile makes is what it promises: ``check_dockerfile.py TOOLS [--fetch]``.

TOOLS is the folder with what has to be fetched beforehand; ``--fetch`` fills it (wheels of both locks, npm's cache).
Without that no network is used: the Dockerfile is executed twice (dockerfile.py), both results have to be equal, and
the last one is used as its user, with nothing to write but its volumes. Called by ``make check-deploy``.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path

from dockerfile import DockerfileError, Stage, copied_files, executed

REPOSITORY = Path(__file__).resolve().parents[1]
LOCKS = (REPOSITORY / ".ci/build.lock", REPOSITORY / ".ci/runtime.lock")
OURS = {"catalog_service", "schema", "scrapers"}
UNWANTED = re.compile(r"(pip[\d.]*|setuptools|uvx?|hatch\w*|gcc|g\+\+|cc|c\+\+|make|node|np[mx]|pytest|mypy|ruff)")
PIP = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check")
OF_THE_MACHINE = ("PYTHON", "PIP_", "CATALOG_", "VIRTUAL")
START_TIMEOUT_S, GRACE_S = 180.0, 15.0


def main() -> int:
    """Fetch, or check and say what was proven; a failure is one sentence and code 1."""
    tools = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="image-") as folder:
        Path(folder).chmod(0o755)  # the image's user passes through
        dockerfile, root = _context(Path(folder, "context")), Path(folder, "root")
        try:
            if "--fetch" in sys.argv:
                _fetch(dockerfile, root, tools)
            else:
                _check(dockerfile, root, tools)
        except (DockerfileError, AssertionError) as error:
            print(f"Dockerfile: {error}", file=sys.stderr)
            return 1
    return 0


def _context(folder: Path) -> Path:
    """Copy what an engine would be sent, so that edits meanwhile change nothing; return the Dockerfile in it."""
    for name in (*copied_files(REPOSITORY), "Dockerfile", ".dockerignore"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / name, folder / name)
    return folder / "Dockerfile"


def _fetch(dockerfile: Path, root: Path, tools: Path) -> None:
    """Download the wheels, and execute the Dockerfile once with a network: npm's cache then has what it asks for."""
    for lock in LOCKS:
        into = ("--only-binary", ":all:", "--dest", tools / "wheels")
        subprocess.run([*PIP, "--require-hashes", *into, "-r", lock], check=True)
    executed(dockerfile, root, _outside(tools))


def _outside(tools: Path, *, offline: bool = False) -> dict[str, str]:
    """Return the variables for RUN lines: wheels out of ``tools`` alone, npm's packages too where ``offline``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OF_THE_MACHINE)}
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tools / "wheels"), "PIP_CONFIG_FILE": os.devnull}
    return kept | pip | {"npm_config_cache": str(tools / "npm"), "npm_config_offline": str(offline).lower()}


def _check(dockerfile: Path, root: Path, tools: Path) -> None:
    first = _built(dockerfile, root, tools)[1]
    stage, second = _built(dockerfile, root, tools)
    differing = sorted(path for path in first.keys() | second.keys() if first.get(path) != second.get(path))
    assert not differing, f"two builds differ in {differing[:10]}"
    print(f"Dockerfile: built twice offline, {len(first)} equal files, {_megabytes(root / 'opt'):.0f} MB in /opt")
    _nothing_more(stage)
    _used(stage)
    fallback = next(root.glob("opt/catalog/lib/*/site-packages/catalog_service/api/graphiql/built/fallback.txt"), None)
    if fallback:
        print(f"Dockerfile: note: {fallback.read_text(encoding='utf-8').splitlines()[0]}")


def _built(dockerfile: Path, root: Path, tools: Path) -> tuple[Stage, dict[str, str]]:
    for path in root.parent.glob("root*"):
        shutil.rmtree(path)
    stage = executed(dockerfile, root, _outside(tools, offline=True))
    return stage, _content(root / "opt")


def _content(folder: Path) -> dict[str, str]:
    """Return what each path below ``folder`` is: its mode, and the digest of a file or where a link leads."""
    content = {}
    for path in sorted(folder.rglob("*")):
        held = str(path.readlink()) if path.is_symlink() else ""
        if path.is_file() and not held:
            held = hashlib.sha256(path.read_bytes()).hexdigest()
        content[str(path.relative_to(folder))] = f"{path.lstat().st_mode:o} {held}"
    return content


def _megabytes(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*")) / 1e6


def _nothing_more(stage: Stage) -> None:
    """The result holds what the lock names and the service, and none of the tools that made it."""
    [packages] = stage.root.glob("opt/catalog/lib/*/site-packages")
    installed = {one.metadata["Name"].lower().replace("_", "-") for one in distributions(path=[str(packages)])}
    locked = set(re.findall(r"^([a-z0-9-]+)==", LOCKS[1].read_text(encoding="utf-8"), re.MULTILINE))
    assert installed <= locked | {"catalog-service"}, f"not of the lock: {sorted(installed - locked)}"
    base = next(stage.root.glob("usr/local/lib/*/site-packages"))
    tools = [path for path in (*packages.iterdir(), *base.iterdir()) if UNWANTED.fullmatch(path.name)]
    tools += [path for path in stage.root.glob("*/**/bin/*") if UNWANTED.fullmatch(path.name)]
    assert not tools, f"left in the result: {tools}"
    [ours] = [one for one in distributions(path=[str(packages)]) if one.metadata["Name"] == "catalog-service"]
    tops = {file.parts[0] for file in ours.files or () if not file.parts[0].endswith(".dist-info")} - {".."}
    assert tops == OURS, f"the wheel holds {sorted(tops)}"
    print(f"Dockerfile: {len(installed)} packages of the lock, no pip, no build tools, no tests")


def _used(stage: Stage) -> None:
    """Started as its user on a read-only application, it answers, is healthy and ends with 0; nothing was written."""
    application = stage.root / "opt"
    _read_only(application)
    before = _content(application)
    unreadable = [path for path, held in before.items() if int(held.split()[0], 8) & 0o004 == 0]
    assert not unreadable, f"the image's user cannot read {unreadable[:10]}"
    data, temporary = stage.moved(stage.env["CATALOG_DATA_DIR"]), stage.moved(stage.env["HOME"])
    (empty := temporary / "empty-mirror").mkdir(parents=True)
    temporary.chmod(0o1777)
    port = _free_port()
    settings = {"CATALOG_PORT": str(port), "CATALOG_HOST": "127.0.0.1", "CATALOG_MIRROR": str(empty)}
    settings |= {"CATALOG_DATA_DIR": str(data), "HOME": str(temporary), "TMPDIR": str(temporary)}
    program = stage.run_form("ENTRYPOINT")
    said = _as_user(stage, [*program, "--version"], settings).communicate()[0]
    assert said.startswith("catalog-service"), f"--version says {said}"
    with _running(_as_user(stage, [*program, *stage.run_form("CMD"), "--demo-if-unreachable"], settings)):
        _until(lambda: _status(port, "/readyz") == 200, "ready")
        assert _status(port, "/healthz") == 200, "/healthz is not 200"
        health = _as_user(stage, stage.run_form("HEALTHCHECK"), settings)
        assert health.wait(GRACE_S) == 0, f"the health check fails: {health.communicate()}"
    dead = _as_user(stage, stage.run_form("HEALTHCHECK"), settings)
    assert dead.wait(GRACE_S) != 0, "the health check is well though nothing runs"
    assert _content(application) == before, "the application's folder was written to"
    print(f"Dockerfile: {said.strip()}, as user {stage.said['USER']}: ready, healthy, ended by SIGTERM with 0")


def _read_only(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)


def _as_user(stage: Stage, command: list[str], settings: dict[str, str]) -> subprocess.Popen[str]:
    """Start ``command`` as the image's user; who is not root here is no more than that anyway.

    It may read everything, since the Python that plays the base image may lie in somebody's home, and write nothing.
    """
    user, group = stage.said["USER"].split(":")
    ids = ("--reuid", user, "--regid", group, "--clear-groups", "--no-new-privs")
    reads = ("--inh-caps", "-all,+dac_read_search", "--ambient-caps", "+dac_read_search")
    as_user = ("setpriv", *ids, *reads) if os.geteuid() == 0 else ()
    found = shutil.which(command[0], path=stage.variables()["PATH"])
    return subprocess.Popen(
        [*as_user, found or command[0], *command[1:]],
        env=stage.variables() | settings,
        cwd=stage.moved("."),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def _running(process: subprocess.Popen[str]) -> Iterator[None]:
    """Run a block beside ``process``; SIGTERM then has to end it with 0 in its grace."""
    try:
        yield
        process.send_signal(signal.SIGTERM)
        code = process.wait(GRACE_S)
        assert code == 0, f"SIGTERM ended the service with {code}"
    except (AssertionError, subprocess.TimeoutExpired) as error:
        process.kill()
        raise AssertionError(f"{error}; it said:\n{process.communicate()[0]}") from None


def _until(fine: Callable[[], bool], what: str) -> None:
    ends_at = time.monotonic() + START_TIMEOUT_S
    while not fine():
        assert time.monotonic() < ends_at, f"not {what} after {START_TIMEOUT_S:.0f} s"
        time.sleep(0.2)


def _status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
