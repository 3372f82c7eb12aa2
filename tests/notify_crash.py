"""Run as a process: a history is committed while those who tell of it, or their Redis, are killed again and again.

``python -m tests.notify_crash workers SOCKET SEED KILLS VERSIONS VARIANT`` kills workers, in the middle of anything or at
an exact step; ``... server DIRECTORY SEED KILLS VERSIONS`` kills a Redis of its own. Prints a JSON `Outcome`;
tests/test_notify_crash.py judges it. The parent does nothing but fork, so that a worker costs no import.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import time
from collections import Counter
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from random import Random
from subprocess import Popen

import msgspec
from msgspec import Struct
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as NoConnectionError
from redis.retry import Retry

from catalog_service.store.server_process import spawn
from tests.mortals import (
    EXACT_LIFE_S,
    LIFE_S,
    STALL_S,
    VARIANTS,
    Death,
    FastClock,
    Stage,
    arrived,
    drain,
    forked,
    prepare,
    publish,
    receiver_of,
    tell,
    tell_long,
)
from tests.surely import Left, duplicates, history, subscriptions, violations

CREW = 2


class Outcome(Struct, frozen=True):
    """What came of it all."""

    seed: int
    deaths: dict[str, int]
    """How many kills were at random moments ("any"), and how many at each exact step."""
    strays: int
    """Workers that ended by themselves."""
    arrivals: int
    taken: int
    duplicates: int
    seconds: float
    violations: tuple[str, ...]


def workers(socket: str, seed: str, kills: str, count: str, variant: str) -> Outcome:
    """Kill workers while versions are committed."""
    random, begun_s, deaths, strays = Random(seed), time.monotonic(), Counter[str](), 0
    told, said = forked.Pipe(duplex=False)
    steps = history(random, int(count))
    with receiver_of(int(seed)) as port:
        stage = Stage(Path(socket), port, FastClock(begun_s), steps, VARIANTS[variant])
        asyncio.run(prepare(stage))
        crew: dict[ForkProcess, float] = {}
        publishing, published = stage.forked(publish, 0, 1), 1
        for number in range(int(kills)):
            while len(crew) < CREW:
                death = _death(random) if variant in ("right", "acknowledges-first") else _at_redis(random)
                crew[stage.forked(tell, death, said)] = time.monotonic() + _life_s(random, death)
            if published < (number + 1) * len(steps) // int(kills):
                publishing.join()
                publishing, published = stage.forked(publish, published, 1), published + 1
            strays += _buried(crew) != -signal.SIGKILL
            deaths["any"] += 1
            while told.poll():
                deaths[told.recv()] += 1
        for child in crew:
            child.kill()
            child.join()
        publishing.join()
        return _outcome(stage, int(seed), deaths, strays)


def server(directory: str, seed: str, kills: str, count: str) -> Outcome:
    """Kill the Redis that two workers and a committer use, and start it again."""
    random, begun_s = Random(seed), time.monotonic()
    steps, socket = history(random, int(count)), Path(directory) / "s"
    redis = _server(socket)
    with receiver_of(int(seed)) as port:
        stage = Stage(socket, port, FastClock(begun_s), steps)
        asyncio.run(prepare(stage))
        crew = [stage.forked(tell_long) for _ in range(CREW)]
        for number in range(int(kills) + 1):
            first, last = (len(steps) * one // (int(kills) + 1) for one in (number, number + 1))
            publishing = stage.forked(publish, first, last - first)
            if number < int(kills):
                wait([publishing.sentinel], random.uniform(0.01, 0.3))
                redis.kill()
                redis.wait()
                wait([one.sentinel for one in crew], random.choice((0.0, 0.0, 0.5)))
                redis = _server(socket)
            publishing.join()
        strays = sum(not one.is_alive() for one in crew)
        for one in crew:
            one.kill()
            one.join()
        outcome = _outcome(stage, int(seed), Counter({"server": int(kills)}), strays)
    redis.kill()
    redis.wait()
    return outcome


def _death(random: Random) -> Death:
    deaths = (
        Death(),
        _at_redis(random),
        Death("post", random.randint(1, 2)),
        Death("answered", random.randint(1, 2)),
        Death("answered", random.randint(1, 2), random.randint(1, 3)),
        Death("post", is_stall=True),
    )
    (death,) = random.choices(deaths, (25, 25, 15, 15, 15, 5))
    return death


def _at_redis(random: Random) -> Death:
    return Death(random.choice(("send", "reply")), random.randint(1, 80))


def _life_s(random: Random, death: Death) -> float:
    if death.is_stall:
        return STALL_S + EXACT_LIFE_S
    return EXACT_LIFE_S if death.at else random.uniform(*LIFE_S)


def _buried(crew: dict[ForkProcess, float]) -> int | None:
    """Wait for a worker to die, or kill the one whose time has come; return how it ended."""
    next_one = min(crew, key=lambda one: crew[one])
    gone = wait([one.sentinel for one in crew], max(0.0, crew[next_one] - time.monotonic()))
    dead = next((one for one in crew if one.sentinel in gone), next_one)
    dead.kill()
    dead.join()
    del crew[dead]
    return dead.exitcode


def _server(socket: Path) -> Popen[bytes]:
    """Start a Redis that has on disk what it acknowledged."""
    process = spawn(socket.parent, socket)
    retry = Retry(ConstantBackoff(0.01), 1000)
    with Redis(unix_socket_path=str(socket), retry=retry, retry_on_error=[NoConnectionError]) as redis:
        redis.config_set("appendfsync", "always")
    return process


def _outcome(stage: Stage, seed: int, deaths: Counter[str], strays: int) -> Outcome:
    left: Left = asyncio.run(drain(stage))
    arrivals = arrived(stage.port)
    deaths["any"] -= sum(count for at, count in deaths.items() if at not in ("any", "stall", "server"))
    return Outcome(
        seed=seed,
        deaths=dict(deaths),
        strays=strays,
        arrivals=len(arrivals),
        taken=sum(one.is_taken for one in arrivals),
        duplicates=duplicates(arrivals),
        seconds=round(time.monotonic() - stage.clock.begun_s, 1),
        violations=tuple(violations(subscriptions(str), stage.steps, arrivals, left)),
    )


def main() -> None:
    gc.freeze()  # what was imported is shared by all children
    outcome = server(*sys.argv[2:]) if sys.argv[1] == "server" else workers(*sys.argv[2:])
    print(msgspec.json.encode(outcome).decode())


if __name__ == "__main__":
    main()
