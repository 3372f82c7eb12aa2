"""Weekly Public service-tag files to measure on: real ones where the corpus is there, else made up.

The made-up ones have the measured shape (sources.md T1, T3): 3,100 tags, 100,000 tag-prefix pairs,
26 % IPv6, some 50 tags changed a week.
"""

from __future__ import annotations

import json
import random
import tarfile
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus" / "service-tags"
YEARS = ("Public-2024.tar.xz", "Public-2025.tar.xz")
_TAGS, _PAIRS, _V6_SHARE, _CHANGED, _SEED = 3_100, 100_000, 0.26, 50, 20_261_123


def weeks(count: int) -> tuple[str, list[bytes]]:
    """Return what the files are, and the newest ``count`` of them in order."""
    if all((CORPUS / year).is_file() for year in YEARS):
        return "real Public files", _real()[-count:]
    return "made-up files of the real shape", _made(count)


def _real() -> list[bytes]:
    files: dict[str, bytes] = {}
    for year in YEARS:
        with tarfile.open(CORPUS / year) as archive:
            for member in archive:
                if (data := archive.extractfile(member)) is not None:
                    files[Path(member.name).name] = data.read()
    return [files[name] for name in sorted(files)]


def _made(count: int) -> list[bytes]:
    chance = random.Random(_SEED)
    tags = [_tag(number, chance) for number in range(_TAGS)]
    made = []
    for week in range(count):
        for tag in chance.sample(tags, _CHANGED):
            prefixes = tag["properties"]["addressPrefixes"]
            prefixes[chance.randrange(len(prefixes))] = _v4(chance)
            tag["properties"]["changeNumber"] += 1
        made.append(json.dumps({"changeNumber": week, "cloud": "Public", "values": tags}, indent=2).encode())
    return made


def _tag(number: int, chance: random.Random) -> dict[str, Any]:
    size = 14_000 if number == 0 else max(1, int(chance.expovariate(_TAGS / (_PAIRS - 14_000))))
    prefixes = {_v6(chance) if chance.random() < _V6_SHARE else _v4(chance) for _ in range(size)}
    name = f"Service{number // 40}.region{number % 40}"
    properties = {
        "changeNumber": 1,
        "region": f"region{number % 40}",
        "regionId": number % 40,
        "platform": "Azure",
        "systemService": f"Service{number // 40}",
        "addressPrefixes": sorted(prefixes),
        "networkFeatures": ["API", "NSG"],
    }
    return {"name": name, "id": name, "properties": properties}


def _v4(chance: random.Random) -> str:
    first, last = chance.choice((13, 20, 40, 52)), chance.randrange(16) * 16
    return f"{first}.{chance.randrange(256)}.{chance.randrange(256)}.{last}/28"


def _v6(chance: random.Random) -> str:
    return f"2603:1000:{chance.randrange(1, 65536):x}:{chance.randrange(1, 65536):x}::/64"
