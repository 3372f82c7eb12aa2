"""What is lost in several places at once is made again from the rest, or left as it is: a repair destroys no evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog_service.store import keys
from catalog_service.store.connect import Store
from catalog_service.store.fsck import Report, fsck
from catalog_service.store.leases import Ask
from catalog_service.store.versions import padded
from tests.local_source import Clock
from tests.whole_store import COMMITS, A, content, filled

LAST = COMMITS + 5
IMPORTED = (COMMITS + 1, COMMITS + 2, COMMITS + 3)
Commands = tuple[tuple[str | int, ...], ...]
NEWEST: Commands = (("HDEL", keys.VERSIONS, LAST), ("ZREM", keys.TIMELINE, padded(LAST)))


@pytest.fixture
async def whole(store: Store, tmp_path: Path) -> Store:
    """A store with everything in it."""
    return await filled(store, tmp_path)


async def damaged(store: Store, commands: Commands) -> dict[str, str]:
    """What is stored after ``commands``."""
    ask: Ask = store.redis.execute_command
    for command in commands:
        await ask(*command)
    return await content(store)


async def repaired(store: Store) -> Report:
    return await fsck(store, Clock(), repair_by="ann")


def different(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)} - {keys.AUDIT}


@pytest.mark.parametrize(
    "commands",
    [
        NEWEST,
        (*NEWEST, ("SET", keys.HEAD, 1), ("SET", keys.LAST, 1)),
        (*NEWEST, ("DEL", keys.LINE, keys.line(A.name), keys.LIVE, keys.HEAD, keys.timeline(A.name))),
    ],
)
async def test_a_version_that_the_stream_tells_of_comes_back(whole: Store, commands: Commands) -> None:
    """Whatever else forgot it: all is as it was."""
    before = await content(whole)
    await damaged(whole, commands)
    report = await repaired(whole)
    assert report.is_clean, report.findings
    assert different(before, await content(whole)) == set()


async def test_the_stream_is_lost_and_nothing_is_told_twice(whole: Store) -> None:
    """It is written anew; up to where it was handed on stays."""
    before = await content(whole)
    await damaged(whole, (("DEL", keys.EVENTS),))
    assert (await repaired(whole)).is_clean
    assert different(before, await content(whole)) == {keys.EVENTS}


async def test_all_records_are_lost_and_what_the_stream_has_comes_back(whole: Store) -> None:
    """Imported ones are in no stream: they are left for a backup, and their contents stay."""
    before = await content(whole)
    await damaged(whole, (("DEL", keys.VERSIONS, keys.TIMELINE),))
    report = await repaired(whole)
    left = {one.subject: one.way_out for one in report.findings if one.code == "version" and one.state == "left"}
    assert left == {str(number): "restore it from a backup" for number in IMPORTED}
    assert report.version_count == LAST - len(IMPORTED)
    assert different(before, await content(whole)) == {keys.VERSIONS, keys.TIMELINE}


@pytest.mark.parametrize(
    ("commands", "code", "said"),
    [
        ((("DEL", keys.VERSIONS, keys.TIMELINE, keys.EVENTS),), "version", f"the record of version {LAST} is missing"),
        ((*NEWEST, ("XDEL", keys.EVENTS, f"{LAST}-0")), "version", f"the record of version {LAST} is missing"),
        ((("SET", keys.HEAD, 10**9), ("SET", keys.LAST, 10**9)), "index", f"the store says {10**9}"),
        ((("DEL", keys.SUBSCRIPTIONS),), "subscription", "no subscription is there, and sealed, healths, trying, del"),
        ((("DEL", keys.TOKENS),), "token", "no API token is there, and names or uses of 1 are"),
    ],
)
async def test_what_a_backup_alone_can_bring_back_is_left(
    whole: Store, commands: Commands, code: str, said: str
) -> None:
    """It is named, with what to do, and what is there of it stays as it is."""
    before = await damaged(whole, commands)
    report = await repaired(whole)
    [*found] = [one for one in report.findings if one.code == code and said in one.problem]
    assert found, report.findings
    assert {(one.state, one.way_out.startswith("restore it from a backup")) for one in found} == {("left", True)}
    if code in ("subscription", "token"):
        assert len(report.findings) == 1
    assert different(before, await content(whole)) == set()


async def test_a_number_that_one_place_alone_names_is_none(whole: Store) -> None:
    """A stray that no content or event proves is taken out, and no version is missed for it."""
    before = await content(whole)
    await damaged(whole, (("ZADD", keys.TIMELINE, 5, padded(LAST + 1)),))
    report = await repaired(whole)
    assert [(one.code, one.subject, one.state) for one in report.findings] == [("index", "timeline", "repaired")]
    assert different(before, await content(whole)) == set()


async def test_a_content_that_can_be_read_is_dropped_for_no_index(whole: Store) -> None:
    """Of the newest version its changeset alone is left: the version is said to be lost, and it stays."""
    changeset = await whole.redis.hget(keys.CHANGESETS, "7")
    await whole.redis.hset(keys.CHANGESETS, str(LAST + 1), changeset)
    report = await repaired(whole)
    assert [(one.code, one.subject, one.state) for one in report.findings] == [("version", str(LAST + 1), "left")]
    assert await whole.redis.hget(keys.CHANGESETS, str(LAST + 1)) == changeset
