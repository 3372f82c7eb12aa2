"""kill -9 of who tells, or of the Redis under it, at any moment: everything arrives, once by its id, in order."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec
import pytest

from catalog_service.store.connect import Store
from tests.notify_crash import Outcome
from tests.surely import Arrival, Left, Step, history, subscriptions, violations, wanted_of

ROOT = Path(__file__).resolve().parents[1]


def run(*args: object) -> Outcome:
    """Run tests/notify_crash.py; its outcome is shown where a test fails."""
    command = [sys.executable, "-m", "tests.notify_crash", *map(str, args)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Outcome)


@pytest.mark.parametrize(("kills", "versions"), [(80, 16), pytest.param(200, 40, marks=pytest.mark.soak)])
async def test_workers_killed_again_and_again(store: Store, redis_socket: Path, kills: int, versions: int) -> None:
    """Before an attempt, after the POST, before it is settled, after that, at any Redis command: nothing is lost."""
    outcome = run("workers", redis_socket, 5, kills, versions, "right")
    assert outcome.violations == ()
    assert (sum(outcome.deaths.values()) - outcome.deaths["stall"], outcome.strays) == (kills, 0)
    assert {"any", "send+0", "reply+0", "post+0", "answered+0", "stall"} <= outcome.deaths.keys()


@pytest.mark.parametrize(("kills", "versions"), [(4, 18), pytest.param(9, 40, marks=pytest.mark.soak)])
async def test_redis_killed(tmp_path: Path, kills: int, versions: int) -> None:
    """A Redis that has on disk what it acknowledged is killed: no version and no delivery is lost."""
    outcome = run("server", tmp_path, 6, kills, versions)
    assert outcome.violations == ()
    assert (outcome.deaths["server"], outcome.strays) == (kills, 0)


@pytest.mark.parametrize("variant", ["acknowledges-first", "moves-first"])
async def test_the_wrong_way_is_found_out(store: Store, redis_socket: Path, variant: str) -> None:
    """What takes from a queue before it sends, or moves the relay's place in a step of its own, loses versions."""
    outcome = run("workers", redis_socket, 5, 30, 15, variant)
    assert any("never arrived" in one for one in outcome.violations)


STEPS = history(Random(1), 12)
MADE = subscriptions(lambda path: f"http://127.0.0.1{path}")
AT_REST = Left(is_whole=True, relayed=12)


def told(steps: Sequence[Step] = STEPS) -> list[Arrival]:
    """What arrives where all goes well: one version a message, also to those who would be told in rounds."""
    return [
        Arrival(one.id, f"msg_{one.id}_{number}", (number,), "a body", is_taken=True)
        for one in MADE
        for number in wanted_of(one.filter, steps)
    ]


def found(arrivals: Sequence[Arrival], left: Left = AT_REST) -> list[str]:
    return list(violations(MADE, STEPS, arrivals, left))


def test_the_judge_is_content() -> None:
    """With what should arrive; and with any of it arriving again, under its id, after it failed or after it did not."""
    arrivals = told()
    assert all(wanted_of(one.filter, STEPS) for one in MADE)
    assert found(arrivals) == []
    failed = [msgspec.structs.replace(one, is_taken=False) for one in arrivals]
    assert found([*failed[:9], *arrivals, *arrivals[3:30], *failed]) == []


@pytest.mark.parametrize("place", [0, 3, -1])
def test_the_judge_misses_what_is_lost(place: int) -> None:
    """Whichever it is; an arrival that was not taken is none."""
    arrivals = told()
    lost = arrivals[place]
    expected = f"{lost.subscription}: versions {list(lost.versions)} never arrived"
    assert found([one for one in arrivals if one is not lost]) == [expected]
    arrivals[place] = msgspec.structs.replace(lost, is_taken=False)
    assert found(arrivals) == [expected]


def test_the_judge_sees_the_order() -> None:
    """A version before an older one."""
    arrivals = told()
    arrivals[0], arrivals[1] = arrivals[1], arrivals[0]
    assert found(arrivals) == ["sub_all: version 1 arrived after 2"]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("id", "msg_other", "sub_all: version 1 has 2 ids"),
        ("body", "another", "msg_sub_all_1 has 2 bodies"),
        ("subscription", "sub_tags", "msg_sub_all_1 has 2 bodies"),
        ("versions", (1, 2), "sub_all: version 2 has 2 ids"),
    ],
)
def test_the_judge_compares(field: str, value: object, expected: str) -> None:
    """A second id of a version, a second body of an id, an id of two subscriptions, a version told in two messages."""
    arrivals = told()
    assert expected in found([*arrivals, msgspec.structs.replace(arrivals[0], **{field: value})])


def test_the_judge_wants_the_filter_kept() -> None:
    """What was not asked for is no gift."""
    other = next(step for step in STEPS if not wanted_of(MADE[2].filter, [step]))
    stray = Arrival(MADE[2].id, "msg_stray", (other.number,), "a body", is_taken=True)
    assert f"{MADE[2].id}: versions [{other.number}] arrived and were not asked for" in found([stray, *told()])


@pytest.mark.parametrize("field", ["waiting", "dead", "due", "claims", "inactive"])
def test_the_judge_wants_rest(field: str) -> None:
    """Nothing waits, nothing was given up, nobody was disabled, all was relayed."""
    (one,) = found(told(), msgspec.structs.replace(AT_REST, **{field: 1}))
    assert f"{field}=1" in one
