"""Subscriptions: each has its secrets, and what waits for it is looked at; nothing is left of those that are gone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from msgspec import Struct

from catalog_service.store import codec, keys, shape
from catalog_service.store.at_once import at_once
from catalog_service.store.checks.finding import (
    RESTORE,
    Finding,
    Repair,
    Seen,
    Told,
    as_seen,
    dropped,
    listed,
    short,
    text,
)
from catalog_service.store.connect import Store
from catalog_service.store.leases import Ask
from catalog_service.store.moment import entries_of, own_of
from catalog_service.store.shape import Kind
from schema.event import EventType
from schema.subscription import (
    Delivery,
    DeliveryState,
    Health,
    QueueItem,
    Sealed,
    Status,
    Subscription,
)

_GONE = f"`subscription delete` it and make it anew, or {RESTORE}"
_HASHES = (keys.SEALED, keys.HEALTHS, keys.DROPPED, keys.TRYING, keys.CLAIMS)
_READ: dict[str, type[Struct]] = {keys.HEALTHS: Health, keys.TRYING: Delivery}


class _One(Struct, frozen=True):
    """What is stored of one subscription, as of one moment."""

    id: str
    data: bytes
    sealed: bytes | None
    claim: bytes | None
    due: bytes | None
    queue: tuple[bytes, ...]


async def subscriptions(store: Store, _told: Told) -> AsyncIterator[Finding]:
    """Every subscription can be read, has secrets, and its queue is looked at."""
    ask: Ask = store.redis.execute_command
    filters = {text(name) for name in await ask("HKEYS", keys.FILTERS)}
    if lost := await _lost(store):
        problem = f"no subscription is there, and {listed(map(short, lost))} are of some: nobody is told anything"
        yield Finding("subscription", short(keys.SUBSCRIPTIONS), problem, f"{RESTORE}, which has what they were")
    for id_ in sorted(await ask("HKEYS", keys.SUBSCRIPTIONS)):
        if (name := text(id_)).encode() != id_:
            yield Finding("subscription", name, f"{name} is no id of a subscription: it is told nothing", RESTORE)
            continue
        one = await _one(store, name)
        if one is None:
            continue
        subscription = codec.readable(one.data, Subscription)
        if subscription is None or subscription.id != one.id:
            yield Finding("subscription", one.id, f"{one.id} is damaged: it is told nothing", RESTORE)
            continue
        if subscription.saved_filter and subscription.saved_filter not in filters:
            problem = f"{one.id} uses the filter {subscription.saved_filter}, which is not there: it is told everything"
            yield Finding("subscription", one.id, problem, f"`filter set {subscription.saved_filter}` anew")
        for finding in (*_secrets(one), *_waiting(one, subscription), *_damaged_items(one)):
            yield finding


async def known_of_them(store: Store, _told: Told) -> AsyncIterator[Finding]:
    """What is kept of a subscription beside it can be read, and is of one that is there."""
    ask: Ask = store.redis.execute_command
    if await _lost(store):
        return
    for key in _HASHES:
        for id_, data in (await ask("HGETALL", key)).items():
            name = text(id_)
            if not await ask("HEXISTS", keys.SUBSCRIPTIONS, id_):
                seen = Seen(("HEXISTS", keys.SUBSCRIPTIONS, id_), b"0")
                repair = Repair((seen,), (("HDEL", key, id_),))
                problem = f"{short(key)} has something of {name}, which is no subscription"
                yield Finding("orphan", short(key), problem, "it is dropped", repair)
            elif (key in _READ and codec.readable(data, _READ[key]) is None) or (
                key == keys.DROPPED and not data.isdigit()
            ):
                problem = f"{short(key)} of {name} is damaged: it is told nothing"
                way_out = "it is dropped: it begins anew"
                yield Finding("subscription", name, problem, way_out, dropped(key, id_, data))
    for id_ in await ask("ZRANGE", keys.DUE, 0, -1):
        if not await ask("HEXISTS", keys.SUBSCRIPTIONS, id_):
            repair = Repair((Seen(("HEXISTS", keys.SUBSCRIPTIONS, id_), b"0"),), (("ZREM", keys.DUE, id_),))
            problem = f"due has {text(id_)}, which is no subscription"
            yield Finding("orphan", short(keys.DUE), problem, "it is dropped", repair)


async def deliveries(store: Store, told: Told) -> AsyncIterator[Finding]:
    """The log of each subscription and its two orders are of the same deliveries; no queue or log is left behind."""
    ask: Ask = store.redis.execute_command
    ids = sorted(text(id_) for id_ in await ask("HKEYS", keys.SUBSCRIPTIONS))
    for place, id_ in enumerate(ids):
        told(f"deliveries: {place + 1} of {len(ids)} subscriptions")
        (_, log), (_, logged), (_, dead) = await own_of(store, id_)
        there = {entry[0]: entry[1] for entry in log}
        orders = ((keys.logged(id_), {entry[0] for entry in logged}), (keys.dead(id_), {entry[0] for entry in dead}))
        for finding in _of_log(id_, there, orders):
            yield finding
    if await _lost(store):
        return
    for prefix in shape.of_subscriptions():
        async for key in store.redis.scan_iter(match=f"{prefix}*", count=500):
            id_ = text(key).removeprefix(prefix)
            if not await ask("HEXISTS", keys.SUBSCRIPTIONS, id_):
                repair = Repair((Seen(("HEXISTS", keys.SUBSCRIPTIONS, id_), b"0"),), (("UNLINK", key),))
                problem = f"{short(prefix)}{id_} is of no subscription"
                yield Finding("orphan", short(text(key)), problem, "it is dropped", repair)


async def _lost(store: Store) -> tuple[str, ...]:
    """Return the keys that are of subscriptions where not one is there: all that is left of them.

    A queue alone is none: an event that is handed out while the last one is deleted leaves it.
    """
    ask: Ask = store.redis.execute_command
    if await ask("EXISTS", keys.SUBSCRIPTIONS):
        return ()
    found = [key for key in (keys.SEALED, keys.HEALTHS, keys.TRYING) if await ask("EXISTS", key)]
    logs = [text(key) async for key in store.redis.scan_iter(f"{keys.deliveries('')}*", 500)]
    return (*found, *sorted(logs))


async def _one(store: Store, id_: str) -> _One | None:
    """Return what is stored of a subscription; None: it was deleted meanwhile."""
    asked = [("HGET", key, id_) for key in (keys.SUBSCRIPTIONS, keys.SEALED, keys.CLAIMS)]
    waiting = (("ZSCORE", keys.DUE, id_), ("LRANGE", keys.queue(id_), 0, -1))
    data, sealed, claim, due, queue = await at_once(store.redis, (*asked, *waiting))
    items = tuple(entry[0] for entry in entries_of(Kind.LIST, queue))
    return _One(id_, data, sealed, claim, None if due is None else as_seen(due), items) if data is not None else None


def _secrets(one: _One) -> Iterator[Finding]:
    if one.sealed is None or codec.readable(one.sealed, Sealed) is None:
        how = "missing" if one.sealed is None else "damaged"
        yield Finding("subscription", one.id, f"the sealed address and secrets of {one.id} are {how}", _GONE)


def _waiting(one: _One, subscription: Subscription) -> Iterator[Finding]:
    """Yield that nobody would ever look at what waits: of one that is paused or disabled nobody does."""
    if one.claim is not None and one.due is None:
        problem = f"{one.id} is in a sender's hand for ever: what waits for it is not told"
    elif one.queue and one.due is None and subscription.status is Status.ACTIVE:
        problem = f"{len(one.queue)} wait for {one.id}, and nobody looks at them"
    else:
        return
    seen = (Seen(("ZSCORE", keys.DUE, one.id), b""), Seen(("HEXISTS", keys.SUBSCRIPTIONS, one.id), b"1"))
    steps = (("HDEL", keys.CLAIMS, one.id), ("ZADD", keys.DUE, 0, one.id))
    yield Finding("queue", one.id, problem, "it is looked at now", Repair(seen, steps))


def _damaged_items(one: _One) -> Iterator[Finding]:
    key = keys.queue(one.id)
    for item in one.queue:
        if codec.readable(item, QueueItem) is None:
            problem = f"an item that waits for {one.id} is damaged: it and what comes after it are not told"
            way_out = "it is dropped; `subscription replay` tells the versions since again"
            yield Finding("queue", one.id, problem, way_out, Repair((), (("LREM", key, 1, item),)))


def _of_log(
    id_: str, log: dict[bytes, bytes], orders: tuple[tuple[str, set[bytes]], tuple[str, set[bytes]]]
) -> Iterator[Finding]:
    (logged, in_logged), (dead, in_dead) = orders
    hash_ = keys.deliveries(id_)
    for order, ids in orders:
        for delivery in sorted(ids - log.keys()):
            repair = Repair((Seen(("HEXISTS", hash_, delivery), b"0"),), (("ZREM", order, delivery),))
            problem = f"{short(order)} lists {text(delivery)}, which is not in the log"
            yield Finding("delivery", id_, problem, "it is listed no more", repair)
    for delivery, data in log.items():
        if (read := codec.readable(data, Delivery)) is None:
            repair = Repair(
                (Seen(("HGET", hash_, delivery), data),),
                (("HDEL", hash_, delivery), ("ZREM", logged, delivery), ("ZREM", dead, delivery)),
            )
            problem = f"the delivery {text(delivery)} to {id_} is damaged: the log cannot be read"
            yield Finding("delivery", id_, problem, "it is dropped from the log", repair)
        elif (delivery in in_logged) == (delivery in in_dead):
            is_dead = read.state is DeliveryState.DEAD and read.type is not EventType.PING
            right, wrong = (dead, logged) if is_dead else (logged, dead)
            at = int(read.settled_at.timestamp() * 1000)
            repair = Repair(
                (Seen(("HGET", hash_, delivery), data),), (("ZREM", wrong, delivery), ("ZADD", right, at, delivery))
            )
            problem = f"the delivery {text(delivery)} to {id_} is not listed where it belongs"
            yield Finding("delivery", id_, problem, "it is", repair)
