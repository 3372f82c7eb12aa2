"""A Redis that fails: killed again and again under load, and every fault and shape of tests/test_redis_*.py."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from tests.notify_crash import Outcome
from tests.soak.report import ROOT, Row, keep

pytestmark = pytest.mark.soak
KILLS, VERSIONS = 25, 80
OUT_OF_MEMORY = "tests/test_store.py::test_a_server_out_of_memory_refuses_a_commit_whole"
"""With a real maxmemory; tests/test_redis_faults.py has each refusal in words alone."""


def test_redis_killed_again_and_again(tmp_path: Path) -> None:
    """A Redis that two workers and a committer use is killed (kill -9) and started: nothing acknowledged is lost."""
    command = [sys.executable, "-m", "tests.notify_crash", "server", str(tmp_path), "8", str(KILLS), str(VERSIONS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    outcome = msgspec.json.decode(done.stdout.splitlines()[-1], type=Outcome)
    keep(
        Row(
            name="redis-killed",
            fault="Redis killed (kill -9) and started again, under commits and deliveries",
            runs=KILLS,
            kills=KILLS,
            lost=len(outcome.violations),
            held="every version and every delivery, once by its id, in order",
            seconds=outcome.seconds,
            facts={
                "versions": str(VERSIONS),
                "POSTs, of them repeated under the same id": f"{outcome.arrivals}, {outcome.duplicates}",
            },
        )
    )
    assert outcome.violations == ()
    assert (outcome.deaths["server"], outcome.strays) == (KILLS, 0)


def test_every_shape_and_fault_of_redis(tmp_path: Path) -> None:
    """The tests of Redis' shapes and faults, by themselves, for the report."""
    begun_s, result = time.monotonic(), tmp_path / "result.xml"
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").glob("test_redis_*.py"))
    command = [sys.executable, "-m", "pytest", "-q", *files, OUT_OF_MEMORY, f"--junitxml={result}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    (suite,) = ET.parse(result).getroot()
    total, failed, skipped = (int(suite.attrib[name]) for name in ("tests", "failures", "skipped"))
    failed += int(suite.attrib["errors"])
    keep(
        Row(
            name="redis",
            fault="Redis paused, out of memory, read-only, slow, cut off; told to be loading and the like; Sentinel failover; Cluster slot moved",
            runs=total - skipped,
            lost=failed,
            held="commits fail whole and clearly, reads go on, it resumes; no reply crosses to another caller",
            seconds=round(time.monotonic() - begun_s, 1),
            facts={"tests, of them skipped for want of a server program": f"{total}, {skipped}"},
        )
    )
    ran = [one.attrib["name"] for one in suite if one.find("skipped") is None]
    assert OUT_OF_MEMORY.partition("::")[2] in ran
    assert failed == 0, done.stdout
