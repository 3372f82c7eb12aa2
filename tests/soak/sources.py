"""Two sources for the mixed load, as another distribution would add them: asked every few seconds, on loopback.

`installed` writes what makes them one; `bodies` is what their upstream has, one after the other.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from msgspec.structs import replace

from scrapers.sources import SOURCES as OURS
from scrapers.sources import source_named
from tests.local_source import body, fetch, local_source

WEEKLY = replace(
    source_named(OURS, "azure-service-tags-public"),
    name="soak-weekly",
    fetch=fetch,
    interval_s=4,
    url="https://x/weekly",
)
"""Real weeks of service tags; each is its own whole file."""
SMALL = replace(local_source("soak-small"), interval_s=3, url="https://x/small")
SOURCES = (WEEKLY, SMALL)
_ARCHIVES = ("Public-2024.tar.xz", "Public-2025.tar.xz")
_TAGS = 600


def installed(folder: Path) -> Path:
    """Make ``folder`` a place of PYTHONPATH that has the sources as an entry point."""
    information = folder / "soak-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: soak\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[catalog_service.sources]\nsoak = tests.soak.sources:SOURCES\n")
    return folder


def weeks(corpus: Path) -> Iterator[bytes]:
    """Yield real weekly files in order, or files of our own where there are none, and in any case after them."""
    for name in _ARCHIVES:
        if (path := corpus / "service-tags" / name).exists():
            with tarfile.open(path) as archive:
                for member in archive:
                    if file := archive.extractfile(member):
                        yield file.read()
    yield from map(_generated, count(1))


def small() -> Iterator[bytes]:
    """Yield documents of thirty tags, of which one is always new."""
    tags = {f"t{one}": [f"20.{one}.0.0/16"] for one in range(30)}
    for number in count():
        yield body({**tags, "new": [f"40.{number // 250}.{number % 250}.0/24"]})


def _generated(number: int) -> bytes:
    """Return a file of 600 tags with twenty prefixes each; every week six of them get another."""
    values = [_tag(at, number if at // 6 == number % (_TAGS // 6) else number - 1) for at in range(_TAGS)]
    return json.dumps({"changeNumber": 1000 + number, "cloud": "Public", "values": values}).encode()


def _tag(at: int, moved: int) -> dict[str, object]:
    last = moved // 100 if at % 6 else moved
    prefixes = [f"{20 + at // 250}.{at % 250}.{one}.0/24" for one in range(20)]
    prefixes.append(f"60.{at % 250}.{last % 250}.0/24")
    properties = {"changeNumber": 1, "region": "", "addressPrefixes": prefixes, "systemService": f"S{at}"}
    return {"name": f"S{at}", "id": f"S{at}", "properties": properties}
