"""The README's tables, made from the code: ``python docs/tables.py [--check]``.

Between ``<!-- table: NAME -->`` and ``<!-- end -->`` stands what this prints, and ``make check`` fails where it
does not.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from catalog_service.settings import PREFIX, Settings
from scrapers.sources import SOURCES

README = Path(__file__).resolve().parents[1] / "README.md"
_MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> int:
    """Write the tables into the README, or with --check say whether they are up to date."""
    before = README.read_text(encoding="utf-8")
    after = _MARKED.sub(lambda found: found[1] + "\n".join(_TABLES[found[2]]()) + "\n" + found[3], before)
    if "--check" in sys.argv:
        if before != after:
            print("README.md is out of date: run `make contracts`", file=sys.stderr)
        return before != after
    README.write_text(after, encoding="utf-8")
    return 0


def _sources() -> Iterator[str]:
    yield "| source | what | cloud | asked every | address |"
    yield "|---|---|---|---|---|"
    for source in SOURCES:
        yield (
            f"| `{source.name}` | {source.title} | `{source.cloud}` | {source.interval_s // 3600} h "
            f"| {source.url.removeprefix('https://')} |"
        )


def _settings() -> Iterator[str]:
    yield "| environment, or key in the TOML file | default | what |"
    yield "|---|---|---|"
    for name, field in Settings.model_fields.items():
        default = "" if field.default_factory or field.default is None else f"`{field.default}`"
        shown = "" if default == "``" else default
        yield f"| `{PREFIX}{name.upper()}`, `{name}` | {shown} | {field.description} |"


_TABLES = {"sources": _sources, "settings": _settings}

if __name__ == "__main__":
    sys.exit(main())
