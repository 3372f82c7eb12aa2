"""The report of a soak: a row for each fault that was played, rendered into docs/reliability.md.

Each test of this folder keeps its row in build/soak, so that one may be run again by itself; the document is made anew
from all rows at the end of each run.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import jinja2
import msgspec
from msgspec import Struct

from catalog_service.store.server_process import program

ROOT = Path(__file__).resolve().parents[2]
ROWS = ROOT / "build" / "soak"
DOCUMENT = ROOT / "docs" / "reliability.md"
TEMPLATE = Path(__file__).with_name("reliability.md.j2")
ORDER = (
    "kills", "torn", "schedulers-2", "schedulers-4", "leases-alone", "clock", "disk", "redis-killed", "redis", "failover", "upstream", "garbage",
    "attack", "load",
)  # fmt: skip


class Row(Struct, frozen=True):
    """What came of one fault."""

    name: str
    fault: str
    runs: int
    held: str
    """What held, as a sentence."""
    kills: int = 0
    lost: int = 0
    duplicated: int = 0
    refused: int = 0
    seconds: float = 0.0
    facts: Mapping[str, str] = {}
    """Further numbers, told below the table."""
    at: str = ""


def duplicated(violations: Iterable[str]) -> int:
    """Return how many of ``violations`` say that something was told under two ids or acknowledged twice."""
    return sum(one.endswith((" ids", " times")) for one in violations)


def keep(row: Row) -> None:
    """Keep ``row`` as the newest of its name."""
    ROWS.mkdir(parents=True, exist_ok=True)
    dated = msgspec.structs.replace(row, at=f"{datetime.now(UTC):%Y-%m-%d %H:%M}")
    (ROWS / f"{row.name}.json").write_bytes(msgspec.json.encode(dated))


def write() -> None:
    """Write the document from the rows that are kept."""
    found = [ROWS / f"{name}.json" for name in ORDER]
    rows = [msgspec.json.decode(path.read_bytes(), type=Row) for path in found if path.exists()]
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, autoescape=False, trim_blocks=True, keep_trailing_newline=True
    )
    template = environment.from_string(TEMPLATE.read_text())
    DOCUMENT.write_text(template.render(rows=rows, machine=_machine()))


def _machine() -> dict[str, str]:
    server = Path(program()).name
    return {
        "release": version("catalog-service"),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "server": server,
    }
