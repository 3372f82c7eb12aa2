"""Several schedulers on the same sources, with pauses longer than their leases."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from catalog_service.store.connect import Store
from tests.soak.report import ROOT, Row, duplicated, keep
from tests.soak.schedulers import Outcome

pytestmark = pytest.mark.soak


def run(socket: Path, *arguments: object) -> Outcome:
    """Run tests/soak/schedulers.py; its outcome is shown where a test fails."""
    command = [sys.executable, "-m", "tests.soak.schedulers", str(socket), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    print(done.stdout.splitlines()[-1])
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Outcome)


@pytest.mark.parametrize("count", [2, 4])
async def test_schedulers_that_sleep_past_their_leases(store: Store, redis_socket: Path, count: int) -> None:
    """SIGSTOP for longer than a lease, SIGCONT, kill -9: no version twice, fences rise, those who slept are refused."""
    outcome = run(redis_socket, count, 120, 30, "right")
    keep(
        Row(
            name=f"schedulers-{count}",
            fault=f"{count} schedulers stopped for longer than their leases (SIGSTOP, SIGCONT), and kill -9",
            runs=outcome.stops,
            kills=outcome.kills,
            lost=len(outcome.violations),
            duplicated=duplicated(outcome.violations),
            refused=outcome.refused,
            held="I1 to I4 and I7; fences rise with the versions; who slept past a lease is refused",
            seconds=outcome.seconds,
            facts={"versions, leases": f"{outcome.versions}, {outcome.fences}"},
        )
    )
    assert outcome.violations == ()
    assert outcome.versions >= outcome.acknowledged > 100
    assert outcome.refused > 0


async def test_leases_alone_do_not_pass(store: Store, redis_socket: Path) -> None:
    """The same with commits that ask for no fence: the checker finds it."""
    outcome = run(redis_socket, 4, 120, 30, "alone")
    keep(
        Row(
            name="leases-alone",
            fault="teeth: the same pauses with leases and no fence",
            runs=outcome.stops,
            kills=outcome.kills,
            lost=len(outcome.violations),
            held="found out, as it must be: " + (*outcome.violations, "nothing")[0],
            seconds=outcome.seconds,
        )
    )
    assert outcome.violations
