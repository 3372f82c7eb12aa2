"""Restoring: all of a backup in one step, or nothing."""

from __future__ import annotations

import asyncio
import io
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from click.testing import CliRunner
from redis.asyncio import Redis

from catalog_service.cli import exits
from catalog_service.cli.app import cli
from catalog_service.reader import Reader
from catalog_service.store import keys
from catalog_service.store.backup_file import Header, Portion, write
from catalog_service.store.connect import Store, open_store
from catalog_service.store.connection import RedisOptions, opened_redis
from catalog_service.store.fsck import fsck
from catalog_service.store.leases import Ask
from catalog_service.store.restore import restore
from catalog_service.store.shape import Kind
from schema.errors import FencedError, StoreError
from schema.version import SourceState
from tests.api_client import TAGS, TAGS_1, TAGS_2, commit, published
from tests.local_source import NOW, Clock
from tests.whole_store import backed_up, content, entry, fill, sync, tags

T = TypeVar("T")


async def versions(store: Store, count: int) -> None:
    for number in range(1, count + 1):
        await sync(store, tags(number), number)


async def test_a_store_that_is_not_empty_is_refused_unless_it_is_to_be_replaced(store: Store) -> None:
    """Nothing changes then; the sentence names the way."""
    await versions(store, 2)
    file = await backed_up(store)
    before = await content(store)
    with pytest.raises(StoreError, match="not empty: --replace"):
        await restore(store, file, entry(), replace_all=False)
    assert await content(store) == before


async def test_what_was_stored_since_is_gone_and_the_audit_says_so(store: Store, tmp_path: Path) -> None:
    """All of it: versions, sources, subscriptions and their keys; who restored it is told with both heads."""
    await versions(store, 2)
    file, before = await backed_up(store), await content(store)
    await store.redis.flushall()
    await fill(store, tmp_path)
    head = await store.versions.head()
    restored = await restore(store, file, entry(), replace_all=True)
    after = await content(store)
    assert (restored.replaced_head, restored.version_count, restored.subscription_count) == (head, 2, 0)
    assert {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)} == {
        keys.AUDIT,
        keys.FENCES,
    }
    assert {await store.redis.ttl(key) for key in after} == {-1}
    [told] = await store.audit.newest()
    assert (told.action, told.who, told.before, told.after) == ("restore", "ann", str(head), "2")
    assert (await fsck(store, Clock())).findings == ()
    await sync(store, tags(9), 9)
    assert await store.versions.head() == 3


async def test_who_synced_meanwhile_is_fenced_and_whoever_served_goes_on(store: Store) -> None:
    """A lease of before cannot write, whatever its token was; a reader of a later version keeps it for the time being."""
    await versions(store, 1)
    file = await backed_up(store)
    await versions(store, 4)
    reader = Reader(store)
    await reader.refresh()
    lease = await store.leases.acquire("a-source")
    assert lease
    await restore(store, file, entry(), replace_all=True)
    with pytest.raises(FencedError):
        await store.sources.record(lease, SourceState())
    newer = await store.leases.acquire("a-source")
    assert newer
    assert newer.fence > lease.fence
    assert (await reader.refresh()).version == 4
    assert "went back from version 4 to 1" in reader.troubles[0]


class _MovingRedis(Redis):
    """A client during whose staging somebody commits."""

    moved = False

    async def execute_command(self, *args: object, **options: object) -> object:
        if args[:2] == ("GET", keys.HEAD) and not self.moved:
            self.moved = True
            found = await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
            await sync(Store(Redis(connection_pool=self.connection_pool)), tags(30), 30)
            return found
        return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]


async def test_a_commit_meanwhile_is_replaced_too_and_told(store: Store) -> None:
    """The audit names the head there really was."""
    await versions(store, 1)
    file = await backed_up(store)
    await versions(store, 3)
    await restore(Store(_MovingRedis(connection_pool=store.redis.connection_pool)), file, entry(), replace_all=True)
    assert (await store.audit.newest(1))[0].before == "4"
    assert await store.versions.head() == 1


async def test_a_restore_that_dies_leaves_nothing_for_good(store: Store) -> None:
    """What it wrote beside the store expires; the store is as it was."""
    await versions(store, 2)
    file, before = await backed_up(store), await content(store)

    class DyingError(Exception):
        pass

    class DyingRedis(Redis):
        async def execute_command(self, *args: object, **options: object) -> object:
            if args[0] == "EVALSHA":
                raise DyingError
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    with pytest.raises(DyingError):
        await restore(Store(DyingRedis(connection_pool=store.redis.connection_pool)), file, entry(), replace_all=True)
    after = await content(store)
    left = after.keys() - before.keys()
    assert left
    assert all([0 < await store.redis.ttl(key) <= 6 * 3600 for key in left])
    assert {key: after[key] for key in before} == before
    assert (await fsck(store, Clock())).findings == ()
    await store.redis.delete(*left)


async def test_a_store_that_ran_out_of_memory_is_restored_later(store: Store) -> None:
    """There has to be room for both: where there is not, nothing changed."""
    await versions(store, 2)
    file = await backed_up(store)
    await versions(store, 4)
    before = await content(store)
    await store.redis.config_set("maxmemory", "1mb")
    try:
        with pytest.raises(Exception, match="(?i)oom|memory"):
            await restore(store, file, entry(), replace_all=True)
    finally:
        await store.redis.config_set("maxmemory", "0")
    assert await content(store) == before


async def test_what_an_older_release_stored_is_brought_to_the_form_of_this_one(store: Store) -> None:
    """As it is when a store is opened."""
    await published(store)
    old = (keys.VERSIONS, keys.KEYFRAMES, keys.CHANGESETS, keys.MARKS)
    ask: Ask = store.redis.execute_command
    portions = [Portion(key, Kind.HASH, tuple((await ask("HGETALL", key)).items())) for key in old]
    portions += [Portion(f"{keys.TAG}:newest", Kind.HASH, tuple((await ask("HGETALL", keys.LIVE)).items()))]
    portions += [Portion(keys.FORMAT, Kind.STRING, ((b"1",),)), Portion(keys.HEAD, Kind.STRING, ((b"3",),))]
    for source in ("azure-service-tags-public", "power-automate-ip-address-configuration"):
        for key in (keys.line(source), keys.keyframed(source)):
            numbers = await ask("ZRANGE", key, 0, -1)
            portions.append(Portion(key, Kind.ZSET, tuple((number, number) for number in numbers)))

    async def listed() -> object:
        for one in portions:
            yield one

    file = io.BytesIO()
    await write(file, Header(1, "0.0.9", 1, NOW, 3), listed())  # type: ignore[arg-type]
    await restore(store, file, entry(), replace_all=True)
    assert await store.redis.get(keys.FORMAT) == b"2"
    reader = Reader(Store(store.redis))
    assert (await reader.refresh()).by_source[TAGS].endpoint_sets == TAGS_2
    codes = {one.code for one in (await fsck(store, Clock(), repair_by="ann")).findings if one.state != "repaired"}
    assert codes == set()
    await commit(store, TAGS, TAGS_1, NOW)
    assert await store.versions.head() == 4


def run(*arguments: str, stdin: bytes = b"") -> tuple[int, bytes, str]:
    """Give a command; its exit code, what it printed, and what it said or why it failed."""
    found = CliRunner().invoke(cli, list(arguments), input=stdin, standalone_mode=False)
    if isinstance(found.exception, Exception):
        return exits.exit_code(found.exception), b"", str(found.exception)
    return int(found.return_value), found.stdout_bytes, found.stderr


def on(redis_url: str, work: Callable[[Store], Awaitable[T]]) -> T:
    """Do ``work`` on the store of ``redis_url``, between two commands."""

    async def done() -> T:
        async with open_store(redis_url, Path(), service=False) as store:
            return await work(store)

    return asyncio.run(done())


async def _three(store: Store) -> None:
    await store.redis.flushall()
    await store.ping()
    await versions(store, 3)


async def _one_more(store: Store) -> None:
    await sync(store, tags(9), 9)
    await store.redis.zrem(keys.LINE, 2)


def test_the_commands_carry_a_store_from_one_redis_to_another(redis_url: str, tmp_path: Path) -> None:
    """backup, restore --check, restore, fsck: each says what it did; exit codes and --json are for scripts."""
    on(redis_url, _three)
    path, there = str(tmp_path / "catalog.backup"), ("--redis-url", redis_url)
    code, _, said = run("backup", path, *there)
    assert (code, stat.S_IMODE(Path(path).stat().st_mode)) == (0, 0o600)
    assert "newest version 3" in said
    assert json.loads(run("restore", "--check", path, "--json", *there)[1])["header"]["head"] == 3
    code, _, said = run("restore", path, *there)
    assert (code, "--replace" in said) == (exits.FAILED, True)
    _, piped, _ = run("backup", "-", *there)
    on(redis_url, _one_more)
    code, _, said = run("fsck", *there)
    assert (code, "--repair mends 1 of them" in said) == (exits.FAILED, True)
    code, out, _ = run("fsck", "--repair", "--json", *there)
    assert (code, [one["state"] for one in json.loads(out)["findings"]]) == (0, ["repaired"])
    code, _, said = run("restore", "-", "--replace", "--by", "ann", *there, stdin=piped)
    assert (code, "versions: 3, the newest 3 (before: 4)" in said) == (0, True)
    assert "restart the services" in said
    assert "all holds together" in run("fsck", *there)[2]
    assert on(redis_url, lambda store: store.audit.newest(1))[0].who == "ann"
    Path(path).write_bytes(piped[:-9])
    code, _, said = run("restore", "--replace", path, *there)
    assert (code, "cut off or was altered" in said) == (exits.FAILED, True)
    assert run("restore", str(tmp_path / "nothing"), *there)[0] == exits.FAILED


async def _none(store: Store) -> io.BytesIO:
    await store.redis.flushall()
    await store.ping()
    return await backed_up(store)


def test_an_empty_store_takes_the_place_of_nothing(redis_url: str, tmp_path: Path) -> None:
    """It is not backed up over a good file, and an empty backup not restored over a store with versions."""
    path, there = tmp_path / "catalog.backup", ("--redis-url", redis_url)
    path.write_bytes(b"good")
    empty = on(redis_url, _none)
    code, _, said = run("backup", str(path), *there)
    assert (code, "this Redis holds nothing yet" in said, path.read_bytes()) == (exits.FAILED, True, b"good")
    assert run("restore", "-", "--replace", *there, stdin=empty.getvalue())[0] == 0
    on(redis_url, _three)
    code, _, said = run("restore", "-", "--replace", *there, stdin=empty.getvalue())
    assert (code, "the backup is of an empty store, and this one is not" in said) == (exits.FAILED, True)
    assert on(redis_url, lambda store: store.versions.head()) == 3


def test_a_backup_comes_from_a_pipe_with_a_name(redis_url: str, tmp_path: Path) -> None:
    """As ``<(...)`` of a shell makes one: it can be read once alone."""
    pipe, there = tmp_path / "pipe", ("--redis-url", redis_url)
    on(redis_url, _three)
    _, piped, _ = run("backup", "-", *there)
    os.mkfifo(pipe)
    writing = threading.Thread(target=pipe.write_bytes, args=(piped,))
    writing.start()
    code, _, said = run("restore", "--check", str(pipe), *there)
    writing.join()
    assert (code, "newest version 3" in said) == (0, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk here is full by itself")
def test_a_backup_into_a_pipe_that_takes_nothing(redis_url: str) -> None:
    """One sentence and the code of what failed; not that of a fault of the program."""
    on(redis_url, _three)
    command = (sys.executable, "-m", "catalog_service", "backup", "-", "--redis-url", redis_url)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == exits.FAILED, done.stderr
    assert done.stderr.splitlines()[-1] == "error: the backup cannot be written to stdout: No space left on device"


async def _newer(store: Store) -> bytes:
    await _three(store)
    file = await backed_up(store)
    await store.redis.set(keys.FORMAT, 99)
    return file.getvalue()


@pytest.fixture
def newer(redis_url: str) -> Iterator[bytes]:
    """A store that a newer release wrote, gone after the test; a backup of it from before."""

    async def emptied() -> None:
        async with opened_redis(redis_url, RedisOptions()) as redis:
            await redis.flushall()

    yield on(redis_url, _newer)
    asyncio.run(emptied())


def test_newer_data_is_refused_by_every_command_with_what_to_do(newer: bytes, redis_url: str, tmp_path: Path) -> None:
    """One sentence: what it is, what this release reads, and that a newer release is needed; nothing is touched."""
    path = tmp_path / "x.backup"
    path.write_bytes(newer)
    commands = (("versions",), ("backup", f"{path}.new"), ("restore", "--replace", str(path)), ("fsck", "--repair"))
    for command in (*commands, ("sync",), ("prune", "--keep", "1")):
        code, _, said = run(*command, "--redis-url", redis_url)
        assert code == exits.FAILED
        assert "has form 99, and this release reads form 2: a newer release wrote it; run that one" in said
    assert list(tmp_path.iterdir()) == [path]
