"""What is shipped: a lock without addresses, a wheel with everything in it, the commands a stranger types."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from catalog_service.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PROJECT["dependency-groups"]
LOCK = (ROOT / "requirements.lock").read_text()
GRAPHIQL = ROOT / "catalog_service" / "api" / "graphiql"


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", one)[0].lower().replace("_", "-") for one in requirements}


def ran(*arguments: str, cwd: Path = ROOT, **environment: str) -> str:
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, check=True, capture_output=True, text=True, timeout=120
    ).stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked."""
    built, unpacked = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("unpacked")
    ran("-m", "hatchling", "build", "-t", "wheel", "-d", str(built))
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(unpacked)
    return unpacked


def test_the_lock_pins_every_package_by_hash_and_holds_no_address() -> None:
    """An install is the same everywhere, and from whatever index a site has."""
    assert not re.search(r"https?://", LOCK)
    packages = re.split(r"\n(?=\S)", LOCK.strip())
    assert len(packages) > 30
    assert [package for package in packages if "==" not in package or "--hash=sha256:" not in package] == []


def test_the_lock_holds_all_that_is_declared() -> None:
    """Runtime, development and build: nothing is fetched beside the lock."""
    declared = PROJECT["project"]["dependencies"] + GROUPS["build"] + PROJECT["build-system"]["requires"]
    declared += [one for one in GROUPS["dev"] if one != {"include-group": "build"}]
    assert names(declared) <= names(LOCK.splitlines())


def test_the_npm_lock_pins_every_package_by_hash_and_holds_no_address() -> None:
    """GraphiQL is built of the same files everywhere, from whatever registry a site has."""
    lock = (GRAPHIQL / "web" / "package-lock.json").read_text()
    assert "://" not in lock
    packages = {name: one for name, one in json.loads(lock)["packages"].items() if name}
    assert len(packages) > 50
    assert [name for name, one in packages.items() if not one["integrity"].startswith("sha512-")] == []


def test_what_the_build_hook_needs_is_in_the_lock() -> None:
    """`make install` and the Dockerfile build GraphiQL without asking an index for anything that no lock pins."""
    (required,) = re.findall(
        r"^REQUIREMENTS = \[(.*?)^\]", (GRAPHIQL / "web" / "hook.py").read_text(), re.DOTALL | re.MULTILINE
    )
    requirements = re.findall(r'"(.+?)",$', required, re.MULTILINE)
    assert len(requirements) == 2
    assert set(requirements) <= set(GROUPS["build"])
    assert {"include-group": "build"} in GROUPS["dev"]
    for lock in (LOCK, (ROOT / ".ci" / "build.lock").read_text()):
        assert all(requirement.partition(";")[0] in lock for requirement in requirements)


def test_the_package_named_schema_on_the_index_is_not_ours() -> None:
    """The words are in this project; an unrelated package has the same name."""
    assert "schema" not in names(LOCK.splitlines())


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    """Data files of the demo and of the pages too; no tests, no bench, nothing of what GraphiQL is built from."""
    for package in ("schema", "scrapers", "catalog_service"):
        ours = {path.relative_to(ROOT) for path in (ROOT / package).rglob("*") if path.is_file()}
        expected = {path for path in ours if "__pycache__" not in path.parts and ROOT / path.parent != GRAPHIQL / "web"}
        shipped = {path.relative_to(wheel) for path in (wheel / package).rglob("*") if path.is_file()}
        assert expected - shipped == set()
    for left_out in ("tests", "bench", (GRAPHIQL / "web").relative_to(ROOT)):
        assert not (wheel / left_out).exists()
    assert list(wheel.rglob("node_modules")) == []


def test_the_wheel_holds_graphiql_and_needs_nothing_for_it(wheel: Path) -> None:
    """The built files are in it, no dependency brings them."""
    built = wheel / GRAPHIQL.relative_to(ROOT) / "built"
    assert {"app.css.gz", "app.js.gz"} <= {path.name for path in built.iterdir()}
    (metadata,) = wheel.glob("*.dist-info/METADATA")
    assert "graphiql" not in metadata.read_text().partition("\n\n")[0]


def test_the_installed_program_runs_from_anywhere(wheel: Path, tmp_path: Path) -> None:
    """Without the checkout: the wheel's own files say their version and build the demo."""
    shown = ran("-m", "catalog_service", "--version", cwd=tmp_path, PYTHONPATH=str(wheel))
    assert shown == f"catalog-service {PROJECT['project']['version']}\n"
    code = "import pathlib, scrapers.demo as demo; print(demo.__file__, len(demo.demo_folders(pathlib.Path('d'))))"
    where, count = ran("-c", code, cwd=tmp_path, PYTHONPATH=str(wheel)).split()
    assert Path(where).is_relative_to(wheel)
    assert int(count) >= 3


def test_the_console_script_is_the_program() -> None:
    """``catalog-service`` and ``python -m catalog_service`` are one."""
    script = Path(sys.executable).with_name("catalog-service")
    shown = subprocess.run([script, "--help"], check=True, capture_output=True, text=True, timeout=60).stdout
    assert shown == ran("-m", "catalog_service", "--help")


def test_make_knows_the_commands_of_the_house() -> None:
    """install, run, test, check, bench, contracts; CI calls the same."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
    assert targets >= {"install", "run", "test", "check", "bench", "contracts", "lock", "clean"}
    run = ROOT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    called = re.findall(r"^make (\w+)$", run.read_text(), flags=re.MULTILINE)
    assert called == ["check", "test"]


def test_the_image_and_what_deploys_it_say_the_version() -> None:
    """Dockerfile, compose.yaml and chart name the release that the project is."""
    version = PROJECT["project"]["version"]
    said = {
        "Dockerfile": f"ARG VERSION={version}\n",
        "compose.yaml": f"catalog-service:{version}}}\n",
        "helm/catalog-service/Chart.yaml": f"appVersion: {version}\n",
    }
    told = {name: (ROOT / name).read_text().replace('"', "") for name in said}
    assert [name for name, text in said.items() if text not in told[name]] == []


def test_compose_passes_every_setting_that_it_does_not_decide() -> None:
    """What stands in .env reaches the program: serve is given every setting, and .env.example names what may be there."""
    given = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["serve"]["environment"]
    decided = {"redis_username", "redis_sentinel_username", "redis_sentinel_password"} | {
        *("redis_tls_ca", "redis_tls_cert", "redis_tls_key", "data_dir", "host", "port"),
    }
    assert {f"CATALOG_{name.upper()}" for name in Settings.model_fields.keys() - decided} - given.keys() == set()
    passed = {name for value in given.values() for name in re.findall(r"\$\{([A-Z_]+)", value)}
    assert passed == set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
