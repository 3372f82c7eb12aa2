"""Labels: names for versions, set, moved and deleted in one step with what the audit says of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from catalog_service.reader import Reader
from catalog_service.store import keys
from catalog_service.store.connect import Store
from catalog_service.store.labels import label_name
from catalog_service.sync.held import accept, reject
from catalog_service.sync.history import import_history
from catalog_service.sync.run import run_source
from schema.errors import BadParameterError, GoneError, UnknownVersionError
from schema.version import AuditEntry, Label, Point
from scrapers.history.files import HistoricFile
from tests.local_source import NOW, Clock, Shelf, body, local_source

SOURCE = local_source()
MANY = {f"t{i}": [f"22.{i}.0.0/16"] for i in range(30)}
LATER = NOW + timedelta(hours=1)


async def published(store: Store, count: int = 3) -> Reader:
    """A reader of ``count`` versions of one source."""
    shelf, clock = Shelf(), Clock()
    for number in range(count):
        shelf.bodies[SOURCE.url] = body({**MANY, "t1": [f"20.{number}.0.0/16"]})
        await run_source(SOURCE, shelf, store, clock)
        clock.forward(days=1)
    reader = Reader(store)
    await reader.refresh()
    return reader


async def test_a_label_names_the_version_it_was_given_to(store: Store) -> None:
    """In any case, on every read, moved and deleted; each step says who, what was there and what is there."""
    reader = await published(store)
    assert await store.labels.set(" Prod ", 1, "ann", NOW) == Label("prod", 1, NOW, "ann")
    assert (await reader.resolve("PROD"), (await reader.at("prod")).version) == (Point(1), 1)
    await store.labels.set("prod", await reader.number("latest~1"), "bob", LATER)
    await store.labels.set("canary", await reader.number("latest"), "bob", LATER)
    assert await reader.resolve("prod") == Point(2)
    assert [label.name for label in await store.labels.all()] == ["canary", "prod"]
    assert (await store.labels.delete("Prod", "eve", LATER)).version == 2
    with pytest.raises(UnknownVersionError, match="not a label here, nor a version number"):
        await reader.resolve("prod")
    assert await store.audit.newest(skip=1) == (
        AuditEntry(LATER, "bob", "label-set", "canary", "", "3"),
        AuditEntry(LATER, "bob", "label-set", "prod", "1", "2"),
        AuditEntry(NOW, "ann", "label-set", "prod", "", "1"),
    )
    assert await store.audit.newest(1) == (AuditEntry(LATER, "eve", "label-delete", "prod", "2", ""),)


async def test_a_label_of_an_imported_version_names_its_instant(store: Store, tmp_path: Path) -> None:
    """It is what the number names: upstreams as they were when that version became valid."""
    path = tmp_path / "old.json"
    path.write_bytes(body({"t1": ["20.99.0.0/16"]}))
    at = NOW - timedelta(days=900)
    await import_history(SOURCE, (HistoricFile(path.name, path, at),), store, Clock())
    reader = await published(store)
    await store.labels.set("before", await reader.number("1"), "ann", NOW)
    assert await reader.resolve("before") == await reader.resolve("1") == Point(1, at, numbered=True)


@pytest.mark.parametrize(
    ("text", "name"),
    [("prod", "prod"), ("PROD", "prod"), ("a", "a"), ("eu-2.west_1", "eu-2.west_1"), ("a" * 64, "a" * 64),
     ("latest", None), ("Latest", None), ("latest~1", None), ("", None), ("1", None), ("2024-05-01", None),
     ("-a", None), ("1a", None), ("a b", None), ("a/b", None), ("a" * 65, None), ("ä", None), ("a\n", "a"),
     ("K\u0131rm\u0131z\u0131", None), ("v1.2", "v1.2"), ("a.", None), ("a..b", None), ("a...b", None)],
)  # fmt: skip
def test_a_name_is_never_a_number_a_date_or_latest(text: str, name: str | None) -> None:
    """A letter, then letters, digits, dashes, underscores and single dots, 64 at most: no part of ``A...B`` either."""
    assert label_name(text) == name


async def test_what_cannot_be_labelled_is_said(store: Store) -> None:
    """Bad names, versions that are not there, dates, the empty beginning, labels nobody set; nothing is written."""
    reader = await published(store)
    for name in ("latest", "1", "2024-05-01", "x" * 65):
        with pytest.raises(BadParameterError, match="cannot be a label"):
            await store.labels.set(name, 1, "ann", NOW)
        with pytest.raises(BadParameterError):
            await store.labels.delete(name, "ann", NOW)
    with pytest.raises(UnknownVersionError):
        await store.labels.set("prod", 4, "ann", NOW)
    with pytest.raises(UnknownVersionError):
        await store.labels.delete("prod", "ann", NOW)
    with pytest.raises(UnknownVersionError):
        await store.labels.get("prod")
    for spec in ("0", "2026-11-24"):
        with pytest.raises(BadParameterError, match="names no version of its own"):
            await reader.number(spec)
    assert (await store.labels.all(), await store.audit.newest()) == ((), ())


async def test_labels_set_at_once_are_all_told(store: Store) -> None:
    """Each entry of the audit goes on from the one before: no move is lost between two."""
    await published(store, 8)
    await asyncio.gather(*(store.labels.set("prod", number, f"p{number}", NOW) for number in range(1, 9)))
    entries = (await store.audit.newest())[::-1]
    assert [one.before for one in entries] == ["", *(one.after for one in entries[:-1])]
    assert str((await store.labels.get("prod")).version) == entries[-1].after


async def test_a_version_pruned_meanwhile_gets_no_label(store: Store) -> None:
    """The name would answer nothing: it is refused, and the nearest version that is kept is named."""
    await published(store, 5)
    await store.retention.prune(2)
    with pytest.raises(GoneError) as refused:
        await store.labels.set("prod", 1, "ann", NOW)
    assert refused.value.facts["nearest"] == 4
    assert await store.redis.hlen(keys.LABELS) == 0


async def test_what_people_decide_about_held_versions_is_told(store: Store) -> None:
    """Who rejected, who accepted, and which version it made, in the step that did it."""
    shelf, clock = Shelf(), Clock()
    ids = []
    for tags in (MANY, {"t1": ["20.1.0.0/16"]}):
        shelf.bodies[SOURCE.url] = body(tags)
        ids.append((await run_source(SOURCE, shelf, store, clock)).held)
    id_ = ids[1] or ""
    await reject(store, id_, "ann", clock)
    await accept(store, id_, "bob", clock)
    assert await store.audit.newest() == (
        AuditEntry(NOW, "bob", "accept", SOURCE.name, "1", "2"),
        AuditEntry(NOW, "ann", "reject", SOURCE.name, f"held {id_}", f"rejected {id_}"),
    )


async def test_a_deed_sent_again_after_a_lost_reply_is_told_once(store: Store) -> None:
    """The client sends a command anew when the connection broke: the same deed of the same instant is one."""
    await published(store)
    for _ in range(2):
        assert await store.labels.set("prod", 2, "ann", NOW) == Label("prod", 2, NOW, "ann")
    shelf, clock = Shelf(), Clock(LATER)
    shelf.bodies[SOURCE.url] = body({"t1": ["20.1.0.0/16"]})
    held = (await run_source(SOURCE, shelf, store, clock)).held or ""
    for _ in range(2):
        await reject(store, held, "bob", clock)
    assert await store.audit.newest() == (
        AuditEntry(LATER, "bob", "reject", SOURCE.name, f"held {held}", f"rejected {held}"),
        AuditEntry(NOW, "ann", "label-set", "prod", "", "2"),
    )


async def test_a_name_costs_one_read_of_redis(store: Store) -> None:
    """And other names of versions served from memory cost none."""
    reader = await published(store)
    await store.labels.set("prod", 3, "ann", NOW)
    before = await _commands(store)
    await reader.resolve("latest")
    await reader.resolve("3")
    assert await _commands(store) - before == 1  # that of asking
    await reader.resolve("prod")
    assert await _commands(store) - before == 3


async def _commands(store: Store) -> int:
    return int((await store.redis.info("stats"))["total_commands_processed"])
