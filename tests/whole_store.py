"""A store with something of everything in it, for the tests of backup, restore and fsck."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta
from pathlib import Path

from catalog_service.events.bodies import Bodies
from catalog_service.events.judgements import Judgements
from catalog_service.notify.relay import Relay
from catalog_service.reader import Reader
from catalog_service.store import keys
from catalog_service.store.backup import back_up
from catalog_service.store.commits import KEYFRAME_EVERY
from catalog_service.store.connect import Store
from catalog_service.store.leases import Ask
from catalog_service.store.queues import Settlement
from catalog_service.store.restore import restore
from catalog_service.sync.history import import_history
from catalog_service.sync.rollback import rollback
from catalog_service.sync.run import run_source
from schema.access import ApiToken, Scope
from schema.event import Place
from schema.subscription import Attempt, Delivery, DeliveryState, EventFilter, Health, SavedFilter, Status
from schema.version import AuditEntry
from scrapers.history.files import HistoricFile
from tests.local_source import NOW, Clock, Shelf, body, local_source
from tests.telling import ORIGIN, subscribed, subscription

A, B = local_source("a-source"), local_source("b-source")
TAGS = {f"t{i}": [f"20.{i}.0.0/16"] for i in range(12)}
COMMITS = KEYFRAME_EVERY + 3
"""Of the first source: past its second keyframe."""
Tags = dict[str, list[str]]
_FILLED: list[bytes] = []


def entry(action: str = "restore") -> AuditEntry:
    return AuditEntry(NOW, "ann", action, "store", "", "")


def tags(number: int) -> Tags:
    """The first source's tags at its ``number``-th version."""
    return {**TAGS, f"t{number % 12}": [f"21.{number}.0.0/16"]}


async def sync(store: Store, given: Tags, at: int, source_name: str = "a-source") -> str:
    """Let an upstream have ``given``, ``at`` hours from now."""
    source, shelf = local_source(source_name), Shelf()
    shelf.bodies[source.url] = body(given)
    return (await run_source(source, shelf, store, Clock(NOW + timedelta(hours=at)))).result


async def fill(store: Store, folder: Path) -> None:
    """Fill ``store``."""
    await store.queues.skip(Place(0))
    await _subscribe(store)
    for number in range(1, COMMITS + 1):
        assert await sync(store, tags(number), number) == "committed"
    await _import(store, folder)
    await sync(store, TAGS, 40, "b-source")
    await sync(store, {"t1": ["20.1.0.0/16"]}, 41, "b-source")  # held: most of it went
    await store.labels.set("prod", 3, "ann", NOW)
    await rollback(store, "a-source", 5, "ann", Clock(NOW + timedelta(hours=42)))
    await _tell(store)
    await store.signing_keys.set_first(b"sealed")
    token = ApiToken("tok_a", "ci", (Scope.READ,), NOW, "ann")
    await store.tokens.create("0" * 64, token, entry("token-create"))
    await store.tokens.used("0" * 64, NOW)


async def filled(store: Store, folder: Path) -> Store:
    """Return ``store`` with everything in it; filled once a process, and brought back for each test."""
    if _FILLED:
        await brought_back(store, io.BytesIO(_FILLED[0]))
    else:
        await fill(store, folder)
        _FILLED.append((await backed_up(store)).getvalue())
    return store


async def _import(store: Store, folder: Path) -> None:
    """History: two files in one import, and one in another, which begins a chain of its own."""
    files = []
    for days in (1, 2, 3):
        path = folder / f"tags_{days}.json"
        path.write_bytes(body({**TAGS, "t0": [f"22.{days}.0.0/16"]}))
        files.append(HistoricFile(path.name, path, NOW - timedelta(days=30 - days)))
    await import_history(A, tuple(files[:2]), store, Clock())
    await import_history(A, tuple(files[2:]), store, Clock())


async def _subscribe(store: Store) -> None:
    saved = SavedFilter("mine", EventFilter(sources=("a-source",)), NOW, "ann")
    await store.saved_filters.set(saved, entry("filter-set"))
    await subscribed(store, subscription("sub_a", "https://a.example/hook", saved_filter="mine"))
    await subscribed(store, subscription("sub_paused", "https://b.example/hook", status=Status.PAUSED))
    await subscribed(store, subscription("sub_failing", "https://c.example/hook"))


async def _tell(store: Store) -> None:
    """Queues are filled; of two subscriptions some is delivered, given up, and being tried."""
    relay = Relay(store, Bodies(Judgements(Reader(store)), ORIGIN))
    while await relay.once():
        pass
    for place, state in enumerate((DeliveryState.DELIVERED, DeliveryState.DEAD, DeliveryState.RETRYING)):
        now = NOW + timedelta(days=3, minutes=place)
        for claim in (await store.queues.claim("t", now, now + timedelta(hours=1), 9)).claims:
            id_ = f"msg_{hashlib.sha256(claim.head).hexdigest()[:8]}"
            attempts = (Attempt(now, 12, 500 if state is not DeliveryState.DELIVERED else 204),)
            made = Delivery(id_, claim.subscription.id, claim.item.type, claim.item.parcel, state, now, attempts)
            is_done = state is not DeliveryState.RETRYING
            if claim.subscription.status is Status.ACTIVE:
                settled = Settlement(claim, now, Health(delivered_count=1), is_done, made, now + timedelta(hours=2))
                await store.queues.settle([settled], now)


async def content(store: Store) -> dict[str, str]:
    """All that is stored, key by key, whatever the order of members in a hash or set."""
    ask: Ask = store.redis.execute_command
    read: dict[bytes, tuple[object, ...]] = {
        b"string": ("GET",),
        b"hash": ("HGETALL",),
        b"set": ("SMEMBERS",),
        b"zset": ("ZRANGE", 0, -1, "WITHSCORES"),
        b"list": ("LRANGE", 0, -1),
        b"stream": ("XRANGE", "-", "+"),
    }
    found: dict[str, str] = {}
    async for key in store.redis.scan_iter(match=f"{keys.TAG}*"):
        kind = await ask("TYPE", key)
        command, *rest = read[kind]
        value = await ask(command, key, *rest)
        if isinstance(value, (dict, set)):
            value = sorted(value.items() if isinstance(value, dict) else value)
        found[key.decode()] = f"{kind.decode()} {value!r}"
    return found


async def backed_up(store: Store) -> io.BytesIO:
    file = io.BytesIO()
    await back_up(store, file, NOW)
    return file


async def brought_back(store: Store, file: io.BytesIO) -> None:
    """Empty ``store`` and restore ``file`` into it."""
    await store.redis.flushall()
    await store.ping()
    await restore(store, file, entry(), replace_all=False)
