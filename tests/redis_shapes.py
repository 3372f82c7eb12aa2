"""Real servers of every shape a catalogue's Redis can have, on free ports of loopback, for as long as a block lasts.

    redis      one server                                (also: `One` by itself, with any arguments)
    sentinel   a primary, two replicas, three Sentinels
    cluster    three nodes that share the slots

``redis-server`` is taken from PATH, else the embedded server's program. Used by tests/conftest.py, which runs the whole
suite on any of them (``make test-redis STORE=...``), and by tests/test_redis_*.py.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import RedisError
from redis.retry import Retry

from catalog_service.store import keys
from catalog_service.store.server_process import _tied_to_parent, program, stop

NAME = "catalog"
RIGHTS = "~{catalog}* -@all +@read +@write +@transaction +@connection +evalsha +eval +script|load -@dangerous"
"""Of the catalogue's user, as docs/redis.md has them; on a Cluster ``+cluster|slots`` besides."""
SLOT = key_slot(keys.TAG.encode())
_PATIENCE_S = 30.0
_SLOTS = 16384


class One:
    """One server process, which may be paused, killed and started again at its port."""

    def __init__(
        self, directory: Path, *arguments: str, sentinel: bool = False, password: str = "", tls: Path | None = None
    ) -> None:
        self.directory, self.port = directory, free_port()
        self._login: dict[str, Any] = {"host": "127.0.0.1", "port": self.port, "password": password, **_shown(tls)}
        directory.mkdir(parents=True, exist_ok=True)
        own = ["--port", "0", "--tls-port", str(self.port), *_showing(tls)] if tls else ["--port", str(self.port)]
        if sentinel:
            self._command = [server(), arguments[0], "--sentinel", *own]
        else:
            own += ["--dir", str(directory), "--save", "", "--repl-diskless-sync-delay", "0"]
            own += ["--requirepass", password, "--masterauth", password] if password else []
            self._command = [server(), *own, *arguments]
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        with (self.directory / "out.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_tied_to_parent(),  # noqa: PLW1509 - before any thread of ours forks
                start_new_session=True,
            )
        until(self._answers, f"{self._command} answers")

    def say(self, *command: object) -> Any:
        """Send one command, and return its reply."""
        with Redis(**self._login, protocol=2, socket_timeout=5, retry=Retry(NoBackoff(), 0)) as redis:
            return redis.execute_command(*command)

    def info(self, section: str) -> dict[str, Any]:
        found: dict[str, Any] = self.say("INFO", section)
        return found

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.go_on()
        stop(self._process, 5)

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self.directory / "out.log").read_text()[-500:]
        return bool(self.say("PING"))


def _shown(tls: Path | None) -> dict[str, Any]:
    """How a client speaks TLS, with the files in ``tls``."""
    if tls is None:
        return {}
    return {"ssl": True, "ssl_ca_certs": tls / "ca.pem", "ssl_certfile": tls / "a.pem", "ssl_keyfile": tls / "a.key"}


def _showing(tls: Path) -> tuple[str, ...]:
    """How a server does, which wants a certificate of whoever comes."""
    files = ("--tls-ca-cert-file", tls / "ca.pem", "--tls-cert-file", tls / "a.pem", "--tls-key-file", tls / "a.key")
    return (*map(str, files), "--tls-auth-clients", "yes", "--tls-replication", "yes", "--tls-cluster", "yes")


class Sentinels:
    """A primary, two replicas and the Sentinels that watch them; ``passwords`` of those and of these, or none."""

    def __init__(self, directory: Path, down_after_ms: int, passwords: tuple[str, str] | None) -> None:
        self._password, self._own_password = passwords or ("", "")
        first = One(directory / "0", password=self._password)
        of = ("--replicaof", f"127.0.0.1 {first.port}")
        self.servers = [first, *(One(directory / str(at), *of, password=self._password) for at in (1, 2))]
        self.watching = [self._watch(directory / f"sentinel{number}", down_after_ms) for number in range(3)]
        self.url = f"redis+sentinel://{','.join(f'127.0.0.1:{one.port}' for one in self.watching)}/{NAME}"
        until(self._is_whole, "the Sentinels know each other and the replicas")

    @property
    def primary(self) -> One:
        """The server that the Sentinels name."""
        port = int(self.watching[0].say("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)[1])
        return next(one for one in self.servers if one.port == port)

    def fail_over(self) -> None:
        """Make a replica the primary, and wait until all is well again."""
        before = self.primary
        until(lambda: self.watching[0].say("SENTINEL", "FAILOVER", NAME), "the Sentinels agree to it")
        until(lambda: self.primary is not before, "another primary is named")
        before.say("REPLICAOF", "127.0.0.1", self.primary.port)  # the Sentinels would do so, in ten seconds
        until(lambda: _replicas(self.primary) == 2, "all is well again")

    def stop(self) -> None:
        for one in (*self.watching, *self.servers):
            one.stop()

    def _watch(self, directory: Path, down_after_ms: int) -> One:
        directory.mkdir(parents=True)
        (directory / "conf").write_text(
            f"dir {directory}\nsentinel monitor {NAME} 127.0.0.1 {self.servers[0].port} 2\n"
            f"sentinel down-after-milliseconds {NAME} {down_after_ms}\n"
            f"sentinel failover-timeout {NAME} 3000\nsentinel parallel-syncs {NAME} 2\n"
            + (
                f"sentinel auth-pass {NAME} {self._password}\nrequirepass {self._own_password}\n"
                if self._password
                else ""
            )
        )
        return One(directory, str(directory / "conf"), sentinel=True, password=self._own_password)

    def _is_whole(self) -> bool:
        """Every Sentinel knows the others, and every replica follows its primary."""
        for one in self.watching:
            flat = [part.decode() for part in one.say("SENTINEL", "MASTER", NAME)]
            known = dict(zip(flat[::2], flat[1::2], strict=True))
            if [known.get(name) for name in ("num-slaves", "num-other-sentinels", "flags")] != ["2", "2", "master"]:
                return False
        return _replicas(self.primary) == 2


class Cluster:
    """Three nodes that share the slots evenly."""

    def __init__(self, directory: Path, node_timeout_ms: int = 5000) -> None:
        self.nodes = [self._node(directory / str(number), node_timeout_ms) for number in range(3)]
        step = _SLOTS // 3
        for number, node in enumerate(self.nodes):
            last = _SLOTS - 1 if number == 2 else step * (number + 1) - 1
            node.say("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            node.say("CLUSTER", "ADDSLOTSRANGE", step * number, last)
        for node in self.nodes[1:]:
            bus_port = node.say("CONFIG GET", "cluster-port")["cluster-port"]
            self.nodes[0].say("CLUSTER", "MEET", "127.0.0.1", node.port, bus_port)
        until(self._is_whole, "the Cluster is whole")
        self.url = f"redis+cluster://{','.join(f'127.0.0.1:{node.port}' for node in self.nodes[:2])}"

    @property
    def owner(self) -> One:
        """The node that has the catalogue's slot."""
        return next(node for node in self.nodes if self._has_slot(node))

    def begin_moving(self, to: One, *first: str) -> Callable[[], None]:
        """Begin to move the catalogue's slot, with the keys ``first``; return what moves the rest and ends it."""
        of, ids = self.owner, {node.port: node.say("CLUSTER", "MYID").decode() for node in self.nodes}
        to.say("CLUSTER", "SETSLOT", SLOT, "IMPORTING", ids[of.port])
        of.say("CLUSTER", "SETSLOT", SLOT, "MIGRATING", ids[to.port])

        def move(*found: str) -> None:
            for key in found:
                of.say("MIGRATE", "127.0.0.1", to.port, key, 0, 5000)

        def end() -> None:
            move(*of.say("CLUSTER", "GETKEYSINSLOT", SLOT, 1000))
            for node in (to, of, *self.nodes):
                node.say("CLUSTER", "SETSLOT", SLOT, "NODE", ids[to.port])

        move(*first)
        return end

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    def _node(self, directory: Path, node_timeout_ms: int) -> One:
        enabled = ("--cluster-enabled", "yes", "--cluster-node-timeout", str(node_timeout_ms))
        return One(directory, *enabled, "--cluster-port", str(free_port()))

    def _is_whole(self) -> bool:
        for node in self.nodes:
            told = node.say("CLUSTER INFO")
            if (told["cluster_state"], told["cluster_known_nodes"]) != ("ok", "3"):
                return False
        return True

    def _has_slot(self, node: One) -> bool:
        told = node.say("CLUSTER NODES")
        mine = next(one for one in told.values() if "myself" in one["flags"])
        return any(int(slots[0]) <= SLOT <= int(slots[-1]) for slots in mine["slots"])


def server() -> str:
    """The server program."""
    return shutil.which("redis-server") or program()


def has_tls() -> bool:
    """Tell whether the server program speaks TLS."""
    refused = subprocess.run([server(), "--tls-port", str(free_port()), "--port", "0"], capture_output=True, cwd="/")
    return b"tls-cert-file" in refused.stdout + refused.stderr  # it misses that alone


@contextlib.contextmanager
def sentinels(
    directory: Path, down_after_ms: int = 500, passwords: tuple[str, str] | None = None
) -> Iterator[Sentinels]:
    """Give a primary, replicas and Sentinels."""
    made = Sentinels(directory, down_after_ms, passwords)
    try:
        yield made
    finally:
        made.stop()


@contextlib.contextmanager
def cluster(directory: Path) -> Iterator[Cluster]:
    """Give a Cluster."""
    made = Cluster(directory)
    try:
        yield made
    finally:
        made.stop()


@contextlib.contextmanager
def one(directory: Path, *arguments: str, password: str = "") -> Iterator[One]:
    """Give one server."""
    made = One(directory, *arguments, password=password)
    try:
        yield made
    finally:
        made.stop()


def _replicas(primary: One) -> int:
    told = primary.info("replication")
    return sum(told.get(f"slave{at}", {}).get("state") == "online" for at in (0, 1)) if told["role"] == "master" else 0


def every(count: int, do: Callable[[], None]) -> Callable[[], None]:
    """Return what does it each ``count``-th time that it is called."""
    calls = itertools.count(1)

    def now_and_then() -> None:
        if next(calls) % count == 0:
            do()

    return now_and_then


def until(is_so: Callable[[], object], what: str) -> None:
    """Return once ``is_so``; errors of Redis count as not yet."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(RedisError, OSError, StopIteration):
            if is_so():
                return
        time.sleep(0.02)
    raise AssertionError(f"never: {what}")


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
