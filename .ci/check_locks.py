"""The locks agree: ``check_locks.py``.

What the image is made of (`.ci/runtime.lock`, `.ci/build.lock`) is cut out of requirements.lock, digest by digest, so
that what is tested is what runs; each dependency of pyproject.toml is in it; no lock holds an address. `make lock`
makes them all. Called by ``make check``.
"""

from __future__ import annotations

import re
import sys
import tomllib
from itertools import chain
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
WHOLE = REPOSITORY / "requirements.lock"
PARTS = (REPOSITORY / ".ci/runtime.lock", REPOSITORY / ".ci/build.lock")
WEB = REPOSITORY / "catalog_service/api/graphiql/web/package-lock.json"


def main() -> int:
    """Return 0, or say what does not agree and return 1."""
    wrong = [*_differing(), *_missing(), *_addresses()]
    for line in wrong:
        print(f"{line}: run `make lock`", file=sys.stderr)
    return bool(wrong)


def _differing() -> list[str]:
    whole = _pins(WHOLE)
    parts = [(path, pin, digests) for path in PARTS for pin, digests in _pins(path).items()]
    return [
        f"{path.name} and requirements.lock disagree on {pin}"
        for path, pin, digests in parts
        if whole.get(pin) != digests
    ]


def _pins(lock: Path) -> dict[str, frozenset[str]]:
    """Return ``name==version`` and the digests of its files."""
    blocks = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip())
    return {block.split()[0]: frozenset(re.findall(r"--hash=(\S+)", block)) for block in blocks}


def _missing() -> list[str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = chain(project["dependencies"], *project["optional-dependencies"].values())
    names = {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in asked}
    locked = {pin.partition("==")[0] for pin in _pins(PARTS[0])}
    return [f"runtime.lock lacks {name}" for name in sorted(names - locked)]


def _addresses() -> list[str]:
    locks = (WHOLE, WEB, *sorted((REPOSITORY / ".ci").glob("*.lock")))
    return [f"{path.name} holds an address" for path in locks if "://" in path.read_text(encoding="utf-8")]


if __name__ == "__main__":
    sys.exit(main())
