"""fsck finds every kind of damage, mends what can be worked out, and has nothing to say of what is whole."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from catalog_service.catalog.marks import Mark
from catalog_service.store import codec, keys
from catalog_service.store.checks.numbers import indexes
from catalog_service.store.connect import Store
from catalog_service.store.fsck import Report, _mend, fsck
from catalog_service.store.leases import Ask
from catalog_service.sync.history import import_history
from catalog_service.sync.rollback import rollback
from schema.errors import GoneError
from schema.event import EventType, Notice
from schema.version import Point
from scrapers.history.files import HistoricFile
from tests.local_source import NOW, Clock, body
from tests.whole_store import COMMITS, TAGS, A, backed_up, brought_back, content, filled, sync, tags

LAST = COMMITS + 5
"""The rollback: after three imported versions and the first of the other source."""


@pytest.fixture
async def whole(store: Store, tmp_path: Path) -> Store:
    """A store with everything in it."""
    return await filled(store, tmp_path)


class Damage(Struct, frozen=True):
    """Something that breaks, and what fsck says of it."""

    commands: tuple[tuple[str | bytes | int | float, ...], ...]
    code: str
    said: str
    left: bool = False
    """It cannot be repaired."""


def one(code: str, said: str, *command: str | bytes | float, left: bool = False) -> Damage:
    return Damage((command,), code, said, left)


FRAME = str(COMMITS - 2)
"""The second keyframe of the first source."""
_VERSION = b"damaged"
_MARKS = codec.pack_marks({"t": Mark(1, 1)})
_NO_TEXT: tuple[tuple[tuple[str | int, ...], tuple[bytes, ...]], ...] = (
    *(((("ZADD", key, 1), ())) for key in (keys.TIMELINE, keys.LINE, keys.timeline(A.name))),
    *((("HSET", key), (b"x",)) for key in (keys.VERSIONS, keys.CHANGESETS, keys.LIVE, keys.HELD, keys.STATES, keys.TOKENS)),
    *((("HSET", key), (b"x",)) for key in (keys.HELD_RECORDS, keys.TOKEN_NAMES, keys.SEALED, keys.HEALTHS, keys.digests(A.name))),
    (("SADD", keys.SOURCES), ()),
    (("HSET", keys.deliveries("sub_a")), (b"x",)),
)  # fmt: skip
_NOTICE = codec.pack(Notice(EventType.DEGRADED, NOW, A.name))

DAMAGES = {
    "record": one("version", "the record of version 7 is missing", "HDEL", keys.VERSIONS, 7),
    "record damaged": one("version", "the record of version 7 is damaged", "HSET", keys.VERSIONS, 7, b"\x81\xa1\xff\x01"),
    "record of an import": one("version", "the record of version 31 is missing", "HDEL", keys.VERSIONS, COMMITS + 2, left=True),
    "head": one("index", f"the newest live version is {LAST}, and the store says 3", "SET", keys.HEAD, 3),
    "last": one("index", "the last number given", "SET", keys.LAST, 99),
    "line": one("index", "this index lacks or misplaces 9", "ZREM", keys.LINE, 9),
    "line of a source": one("index", "has, of no version, 77", "ZADD", keys.line(A.name), 77, 77),
    "imported": one("index", "lacks or misplaces", "DEL", keys.line(A.name, imported=True)),
    "timeline": one("index", "lacks or misplaces 000000000009", "ZADD", keys.TIMELINE, 5, "000000000009"),
    "timeline of a source": one("index", "lacks or misplaces", "DEL", keys.timeline(A.name)),
    "live": one("index", "lacks or misplaces a-source", "HSET", keys.LIVE, A.name, 3),
    "digests": one("index", "lacks or misplaces", "DEL", keys.digests(A.name)),
    "sources": one("index", "lacks or misplaces b-source", "SREM", keys.SOURCES, "b-source"),
    "gone": one("index", "said to be pruned", "ZADD", keys.GONE, 9, 9, left=True),
    "keyframes index": one("index", "does not name the keyframe", "ZREM", keys.keyframed(A.name), FRAME),
    "keyframes index, surplus": one("index", "this index names 77", "ZADD", keys.keyframed(A.name), 77, 77),
    "first keyframe": one("content", "the content of 1, 2, 3", "HSET", keys.KEYFRAMES, 1, b"damaged", left=True),
    "second keyframe": one("content", f"the keyframe of version {FRAME} is damaged", "HSET", keys.KEYFRAMES, FRAME, b"damaged"),
    "second keyframe, missing": one("content", f"the keyframe of version {FRAME} is missing", "HDEL", keys.KEYFRAMES, FRAME),
    "changeset": one("content", "the content of 5, 6, 7", "HDEL", keys.CHANGESETS, 5, left=True),
    "changeset of a keyframe": one("content", f"the changeset of version {FRAME} is missing", "HDEL", keys.CHANGESETS, FRAME),
    "marks": one("content", f"the marks of version {FRAME} are damaged", "HSET", keys.MARKS, FRAME, b"damaged"),
    "marks missing": one("content", f"the marks of version {FRAME} are missing", "HDEL", keys.MARKS, FRAME),
    "first marks": one("content", "the marks of version 1 are damaged", "HSET", keys.MARKS, 1, b"damaged"),
    "content of none": one("orphan", "changesets has content of '99'", "HSET", keys.CHANGESETS, 99, b"x"),
    "events": one("events", "lacks versions 1, 2, 3, 4, 5 and", "DEL", keys.EVENTS),
    "an event": one("events", "lacks versions 7", "XDEL", keys.EVENTS, "7-0"),
    "an event of none": one("events", "damaged or of no version: 99-0", "XADD", keys.EVENTS, "99-0", "version", b"x"),
    "a notice": one("events", "damaged or of no version", "XADD", keys.EVENTS, f"{LAST}-9", "notice", b"x"),
    "relayed": one("events", "events are said to be handed on up to 99", "SET", keys.RELAYED, "99"),
    "state": one("state", "the state of a-source is damaged", "HSET", keys.STATES, A.name, b"damaged"),
    "held": one("held", "is damaged: nobody is asked", "HSET", keys.HELD, "0123456789ab", b"damaged"),
    "held records": one("held", "has no records", "DEL", keys.HELD_RECORDS),
    "held, surplus": one("orphan", "records of x", "HSET", keys.HELD_RECORDS, "x", b"x"),
    "document": one("document", "is listed, and not there", "DEL", keys.documents(A.name)),
    "document damaged": one("document", "is damaged: what was made of it stays", "HSET", keys.documents(A.name), "sha256:00", b"x"),
    "document order": one("document", "is not listed", "DEL", keys.fetched(A.name)),
    "label": one("label", "the label prod is damaged", "HSET", keys.LABELS, "prod", b"damaged", left=True),
    "saved filter": one("filter", "the saved filter mine is damaged", "HSET", keys.FILTERS, "mine", b"damaged", left=True),
    "saved filter, missing": one("subscription", "uses the filter mine", "DEL", keys.FILTERS, left=True),
    "token": one("token", "an API token is damaged", "HSET", keys.TOKENS, "0" * 64, b"damaged"),
    "token name": one("token", "does not lead to its token", "DEL", keys.TOKEN_NAMES),
    "token name, surplus": one("orphan", "token-names has something", "HSET", keys.TOKEN_NAMES, "x", "1" * 64),
    "token use": one("orphan", "tokens-used has something", "HSET", keys.TOKENS_USED, "1" * 64, 7),
    "audit": one("audit", "the audit was changed", "XADD", keys.AUDIT, "*", "entry", b"damaged", left=True),
    "subscription": one("subscription", "sub_a is damaged", "HSET", keys.SUBSCRIPTIONS, "sub_a", b"damaged", left=True),
    "sealed": one("subscription", "secrets of sub_a are missing", "HDEL", keys.SEALED, "sub_a", left=True),
    "health": one("subscription", "healths of sub_a is damaged", "HSET", keys.HEALTHS, "sub_a", b"damaged"),
    "sealed of none": one("orphan", "sealed has something of sub_x", "HSET", keys.SEALED, "sub_x", b"x"),
    "claim of none": one("orphan", "claims has something of sub_x", "HSET", keys.CLAIMS, "sub_x", b"x"),
    "due of none": one("orphan", "due has sub_x", "ZADD", keys.DUE, 1, "sub_x"),
    "queue of none": one("orphan", "queue:sub_x is of no subscription", "RPUSH", keys.queue("sub_x"), b"x"),
    "log of none": one("orphan", "logged:sub_x is of no subscription", "ZADD", keys.logged("sub_x"), 1, "m"),
    "due": one("queue", "wait for sub_", "DEL", keys.DUE),
    "claim": Damage((("HSET", keys.CLAIMS, "sub_a", b"x"), ("ZREM", keys.DUE, "sub_a")), "queue", "in a sender's hand for ever"),
    "queue item": one("queue", "an item that waits for sub_a is damaged", "LPUSH", keys.queue("sub_a"), b"damaged"),
    "log": one("delivery", "which is not in the log", "DEL", keys.deliveries("sub_a")),
    "order of the log": one("delivery", "is not listed where it belongs", "DEL", keys.logged("sub_a")),
    "dead letters": one("delivery", "is not listed where it belongs", "DEL", keys.dead("sub_a")),
    "delivery": one("delivery", "is damaged: the log", "HSET", keys.deliveries("sub_a"), "msg_x", b"damaged"),
    "head, no number": one("kind", "invalid literal", "SET", keys.HEAD, "x", left=True),
    "another kind": Damage((("DEL", keys.LABELS), ("SET", keys.LABELS, 1)), "kind", "labels cannot be looked at", left=True),
    "seen": one("index", "has b'garbage', of no version", "ZADD", keys.seen(A.name), 5, "garbage"),
    "seen, no version": one("index", "has b'000000000099@5', of no", "ZADD", keys.seen("b-source"), 5, "000000000099@5"),
    "notice": one("events", "99-1: listeners", "XADD", keys.EVENTS, "99-1", "notice", _NOTICE),
    "dropped count": one("subscription", "dropped of sub_a is damaged", "HSET", keys.DROPPED, "sub_a", "x"),
    "fences": one("state", "it is synced no more", "HSET", keys.FENCES, A.name, "x", left=True),
    "first marks, missing": one("content", "the marks of version 1 are missing", "HDEL", keys.MARKS, 1),
    "first marks, others": one("content", "the marks of version 1 are not those of its records", "HSET", keys.MARKS, 1, _MARKS),
    "marks of an import": one("content", f"the marks of version {COMMITS + 1} are missing", "HDEL", keys.MARKS, COMMITS + 1),
    "marks that nothing tells": one("content", f"the marks of version {COMMITS + 3} are missing", "HDEL", keys.MARKS, COMMITS + 3, left=True),
    "record far beyond": one("orphan", "a number that was never given", "HSET", keys.VERSIONS, 9999999999, b"x"),
    "record of no number": one("orphan", "versions has a record of b'zz'", "HSET", keys.VERSIONS, "zz", b"x"),
    "index of none": one("orphan", "line:zz is of a source of which nothing else is known", "ZADD", keys.line("zz"), 1, 1),
    "sources, surplus": one("index", "has, of no version, zy", "SADD", keys.SOURCES, "zy"),
    "relayed, missing": one("events", "it is not known up to which event", "DEL", keys.RELAYED, left=True),
    "records of another kind": Damage((("DEL", keys.VERSIONS), ("SET", keys.VERSIONS, 1)), "kind", "records cannot be looked at", left=True),
    "names that are no text": Damage(tuple((*command, b"\xff", *value) for command, value in _NO_TEXT), "index", "of no version, \ufffd"),
    "subscription, no text": one("subscription", "is no id of a subscription", "HSET", keys.SUBSCRIPTIONS, b"\xff", b"x", left=True),
}  # fmt: skip


async def checked(store: Store, *, repair: bool = False) -> Report:
    return await fsck(store, Clock(), repair_by="ann" if repair else None)


DROPPED = {
    "events", "state", "held", "held records", "document", "document damaged", "token", "health", "due", "claim",
    "log", "record damaged",
}  # fmt: skip
"""Damages after whose repair something is gone for good, or is another: nothing is made up."""


ALONE = [
    name
    for name, damage in DAMAGES.items()
    if damage.left or name in DROPPED or name.startswith("first marks") or name in ("head", "last", "record")
]
TOGETHER = [name for name in DAMAGES if name not in ALONE]
GROUPS = [[name] for name in ALONE] + [TOGETHER[place::6] for place in range(6)]
"""What has nothing to do with each other is damaged at once, for the sake of time."""


@pytest.mark.parametrize("names", GROUPS, ids="+".join)
async def test_damage_is_found_and_mended_where_it_can_be(whole: Store, names: list[str]) -> None:
    """Each is named; --repair leaves nothing behind that is not a person's to decide, with an audit entry for each."""
    damages, ask = [DAMAGES[name] for name in names], _ask(whole)
    before = await content(whole)
    for damage in damages:
        for command in damage.commands:
            await ask(*command)
    found = (await checked(whole)).findings
    for damage in damages:
        [*mine] = [one for one in found if one.code == damage.code and damage.said in one.problem]
        assert mine, (damage, found)
        assert mine[0].state == ("left" if damage.left else "repairable")
    repaired = await checked(whole, repair=True)
    assert repaired.is_clean is not damages[0].left
    if damages[0].left:
        return
    entries = [one for one in await whole.audit.newest(99) if one.action == "fsck-repair"]
    assert len(entries) == len(repaired.findings)
    assert entries[-1].who == "ann"
    if names[0] not in DROPPED:
        after = await content(whole)
        assert {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)} <= {keys.AUDIT}


async def test_what_is_whole_is_left_alone(whole: Store) -> None:
    """A repair of a healthy store changes nothing, and nobody is said to have done anything."""
    before = await content(whole)
    report = await checked(whole, repair=True)
    assert (report.findings, report.version_count) == ((), LAST)
    assert await content(whole) == before


async def test_what_is_on_its_way_is_no_finding(whole: Store) -> None:
    """Commits, imports and prunings go on while it reads."""
    stop = asyncio.Event()

    async def commits() -> None:
        number = 100
        while not stop.is_set():
            number += 1
            await sync(whole, tags(number), number)
            await whole.retention.prune(20)

    moving = asyncio.create_task(commits())
    reports = [await checked(whole) for _ in range(2)]
    stop.set()
    await moving
    assert [report.findings for report in reports] == [(), ()]


async def test_a_repair_is_not_made_of_what_moved_meanwhile(whole: Store) -> None:
    """What was worked out from a head that is another by now is thrown away, and worked out anew."""
    await whole.redis.zrem(keys.LINE, 9)
    [finding] = [one async for one in indexes(whole, lambda _: None)]
    await sync(whole, tags(200), 200)
    assert not await _mend(whole, finding, Clock(), "ann")
    assert await whole.redis.zscore(keys.LINE, 9) is None


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_random_history_holds_together(store: Store, tmp_path: Path, seed: int) -> None:
    """Syncs, imports, rollbacks, labels and prunings, in any order: nothing to find, and nothing after a restore."""
    dice = random.Random(seed)
    for step in range(1, 40):
        match dice.choice(("sync", "sync", "sync", "other", "import", "back", "label", "prune")):
            case "sync":
                await sync(store, tags(dice.randrange(40)), step)
            case "other":
                await sync(store, tags(dice.randrange(40)), step, "b-source")
            case "import":
                await _imported(store, tmp_path, dice, step)
            case choice:
                await _by_a_person(store, choice, dice, step)
    assert (await checked(store)).findings == ()
    before = [await _said(store, number) for number in range(1, await store.versions.head() + 1)]
    await brought_back(store, await backed_up(store))
    assert (await checked(store)).findings == ()
    assert [await _said(store, number) for number in range(1, await store.versions.head() + 1)] == before


async def _imported(store: Store, folder: Path, dice: random.Random, step: int) -> None:
    path = folder / f"tags_{step}.json"
    path.write_bytes(body({**TAGS, "t0": [f"22.{dice.randrange(200)}.0.0/16"]}))
    file = HistoricFile(path.name, path, NOW - timedelta(days=dice.randrange(1, 90)))
    await import_history(A, (file,), store, Clock(NOW + timedelta(hours=step)))


async def _by_a_person(store: Store, choice: str, dice: random.Random, step: int) -> None:
    clock = Clock(NOW + timedelta(hours=step))
    line = await store.versions.line(A.name)
    number = dice.choice(line) if line else 0
    try:
        if choice == "back" and number:
            await rollback(store, A.name, number, "ann", clock)
        elif choice == "label" and number:
            await store.labels.set(f"l{step}", number, "ann", clock())
        elif choice == "prune":
            await store.retention.prune(dice.randrange(5, 12))
    except GoneError:
        pass


async def _said(store: Store, number: int) -> object:
    try:
        return [
            (one.version, one.endpoint_sets, dict(one.marks))
            for one in (await store.contents.snapshot(Point(number))).contents
        ]
    except GoneError:
        return "gone"


async def test_a_version_that_does_not_say_what_it_is_is_told(whole: Store) -> None:
    """Counts, the summary and the version before are checked against the content."""
    version = await whole.versions.version(9)
    wrong = replace(
        version, counts=replace(version.counts, prefixes=1), summary=replace(version.summary, fqdns_added=9), previous=4
    )
    await whole.redis.hset(keys.VERSIONS, "9", codec.pack(wrong))
    problems = {one.problem for one in (await checked(whole)).findings if one.state == "left"}
    assert problems == {
        "version 9 says that it follows 4, which its source's line does not",
        "version 9 does not have as many records as it says",
        "version 9 did not change what it says it did",
    }


def _ask(store: Store) -> Ask:
    ask: Callable[..., Awaitable[object]] = store.redis.execute_command
    return ask
