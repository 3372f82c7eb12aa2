"""kill -9 at every step of fetch, parse, commit, fan-out and delivery."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from catalog_service.store.connect import Store
from tests.soak.kills import Outcome
from tests.soak.report import ROOT, Row, duplicated, keep

pytestmark = pytest.mark.soak
RUNS = 200
STAGES = ("fetch", "parse", "commit", "fan-out", "delivery")
FLOOR = 20
"""Kills of each stage at least (limits-and-faults.md C2)."""


def run(socket: Path, runs: int, variant: str) -> Outcome:
    """Run tests/soak/kills.py; its outcome is shown where a test fails."""
    command = [sys.executable, "-m", "tests.soak.kills", str(socket), str(runs), variant]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    print(done.stdout.splitlines()[-1])
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Outcome)


async def test_two_hundred_kills(store: Store, redis_socket: Path) -> None:
    """After each: I1 to I4 and I7, with nothing repaired but the lease, taken away early; at the end every version was told, once by its id (I5)."""
    outcome = run(redis_socket, RUNS, "right")
    keep(
        Row(
            name="kills",
            fault="process killed (kill -9) at every step of fetch, parse, commit, fan-out, delivery",
            runs=outcome.runs,
            kills=outcome.runs - outcome.deaths.get("lived", 0),
            lost=len(outcome.violations),
            duplicated=duplicated(outcome.violations),
            held="I1 to I5 and I7 after every run, nothing repaired in between but that the dead one's"
            " lease of a minute is taken away",
            seconds=outcome.seconds,
            facts={
                "kills by stage": ", ".join(f"{name} {count}" for name, count in sorted(outcome.deaths.items())),
                "versions, of them acknowledged": f"{outcome.versions}, {outcome.acknowledged}",
                "POSTs, of them repeated under the same id": f"{outcome.arrivals}, {outcome.duplicates}",
            },
        )
    )
    assert outcome.violations == ()
    assert min(outcome.deaths.get(name, 0) for name in STAGES) >= FLOOR
    assert outcome.deaths.get("lived", 0) <= RUNS // 5
    assert 0 < outcome.acknowledged <= outcome.versions


async def test_a_torn_commit_does_not_pass(store: Store, redis_socket: Path) -> None:
    """The same runs with a commit of several commands: the checker finds it."""
    outcome = run(redis_socket, RUNS, "torn")
    keep(
        Row(
            name="torn",
            fault="teeth: the same kills of a commit that is not atomic",
            runs=outcome.runs,
            kills=outcome.runs - outcome.deaths.get("lived", 0),
            lost=len(outcome.violations),
            held="found out, as it must be: " + outcome.violations[0].partition(": ")[2],
            seconds=outcome.seconds,
        )
    )
    assert outcome.violations
