"""Files as the tools themselves take them: nft and ipset in a network namespace of their own, where there are any."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from catalog_service.catalog.view import Entry, View
from catalog_service.export.formats import render
from catalog_service.export.options import PART_MOST, Options, Overflow, Ranges
from schema.prefix import canonical_prefixes
from tests.catalogs import SEED, row, snapshot_of
from tests.device_lists import addresses

_S = 20


def ran(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``script`` in ``folder``, as root of a network of its own."""
    command = ["unshare", "--map-root-user", "--net", "sh", "-e", "-c", script]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_S, check=False)


def needs(tool: str, probe: str) -> pytest.MarkDecorator:
    """Return the mark of a test that is skipped where ``tool`` is not there, or may not do what ``probe`` does."""
    there = shutil.which("unshare") and shutil.which(tool) and ran(probe, Path("/")).returncode == 0
    return pytest.mark.skipif(not there, reason=f"{tool} is not there, or may do nothing here")


def drawn(seed: int) -> tuple[str, ...]:
    """Return prefixes of both families, some in others, some next to each other."""
    dice = random.Random(seed)
    four = [f"20.{dice.randrange(64)}.{dice.randrange(4) * 64}.0/{dice.choice((18, 20, 24))}" for _ in range(200)]
    single = [f"20.70.1.{dice.randrange(256)}/32" for _ in range(200)]
    six = [f"2603:{dice.randrange(16):x}000::/{dice.choice((20, 24, 40, 128))}" for _ in range(50)]
    return canonical_prefixes([*four, *single, *six])


def written(folder: Path, name: str, format_: str, prefixes: tuple[str, ...], options: Options) -> None:
    snapshot = snapshot_of((row(SEED, "drawn", prefixes=prefixes),))
    view = View(tuple(map(Entry, snapshot.endpoint_sets)))
    (folder / name).write_bytes(render(format_, snapshot, view, (), options).data)


@needs("nft", "nft list tables")
@pytest.mark.parametrize("ranges", Ranges)
def test_nft_replaces_one_list_by_the_next(tmp_path: Path, ranges: Ranges) -> None:
    """Loaded over another and over itself, the sets hold the addresses of the last list and no others."""
    lists = drawn(1), drawn(2)
    for number, prefixes in enumerate(lists):
        written(tmp_path, f"{number}.nft", "nftables", prefixes, Options(name="ms-365", ranges=ranges))
    script = "for n in 0 1 1; do nft -f $n.nft; done; nft -j list ruleset"
    done = ran(script, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    sets = [one["set"] for one in json.loads(done.stdout)["nftables"] if "set" in one]
    assert [one["name"] for one in sets] == ["ms-365_v4", "ms-365_v6"]
    held = [_block(element) for one in sets for element in one["elem"]]
    assert addresses(held) == addresses(lists[1])


def _block(element: str | dict[str, object]) -> str:
    match element:
        case {"prefix": {"addr": address, "len": length}}:
            return f"{address}/{length}"
        case {"range": [first, last]}:
            return f"{first}-{last}"
    return str(element)


@needs("ipset", "ipset list -n; ipset create probe hash:net")
def test_ipset_swaps_one_list_for_the_next(tmp_path: Path) -> None:
    """Restored over another and over itself, the sets hold the entries of the last list and no others."""
    lists = drawn(1), drawn(2)
    for number, prefixes in enumerate(lists):
        written(tmp_path, f"{number}.ipset", "ipset", prefixes, Options(name="ms-365"))
    done = ran("for n in 0 1 1; do ipset restore -f $n.ipset; done; ipset save", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"^create (\S+)", done.stdout, re.MULTILINE) == ["ms-365-v4", "ms-365-v6"]
    held = re.findall(r"^add \S+ (\S+)", done.stdout, re.MULTILINE)
    assert canonical_prefixes(held) == lists[1]


@needs("ipset", "ipset list -n; ipset create probe hash:net")
def test_ipset_takes_the_longest_name_there_may_be(tmp_path: Path) -> None:
    """That of the last of all parts, with what the swap adds to it."""
    prefixes = tuple(f"20.{number >> 8}.{number & 255}.0/24" for number in range(PART_MOST))
    options = Options(name="x" * 19, overflow=Overflow.SPLIT, limit=1, part=PART_MOST)
    written(tmp_path, "last.ipset", "ipset", prefixes, options)
    done = ran("ipset restore -f last.ipset; ipset save", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"add {'x' * 19}_{PART_MOST}-v4 20.3.231.0/24" in done.stdout
