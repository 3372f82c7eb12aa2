"""kill -9 at any moment of a sync leaves the old version or the new one, and nothing to repair."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from catalog_service.store.connect import Store

ROOT = Path(__file__).resolve().parents[1]


async def test_a_sync_killed_at_any_redis_command_leaves_a_whole_version(store: Store, redis_url: str) -> None:
    """Before and after each command: head, events and content agree; the next run goes on by itself."""
    command = [sys.executable, "-m", "tests.crash", redis_url]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    steps = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    assert len([step for step in steps if step["died"]]) >= 12
    assert not steps[-1]["died"]
    for step in steps:
        new = step["head"] == 2
        assert step["events"] == [f"{number}-0" for number in range(1, step["head"] + 1)]
        assert step["t1"] == (["20.1.0.0/17"] if new else ["20.1.0.0/16"])
        assert step["again"] == ("unchanged" if new else "committed")
        assert step["then"] == {"head": 2, "events": ["1-0", "2-0"], "t1": ["20.1.0.0/17"]}
    assert [step["head"] for step in steps] == sorted(step["head"] for step in steps)
    assert {step["head"] for step in steps} == {1, 2}
