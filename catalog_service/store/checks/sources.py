"""What is known of sources besides versions: states, held versions, kept documents."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

from catalog_service.store import codec, keys
from catalog_service.store.checks.finding import RESTORE, Finding, Repair, Seen, Told, as_seen, dropped, short, text
from catalog_service.store.connect import Store
from catalog_service.store.leases import Ask
from schema.document import Document
from schema.endpoint_set import content_digest
from schema.errors import CorruptContentError
from schema.version import HeldVersion, SourceState

_HELD_AGAIN = "it is dropped: the source's next run puts it up again"


async def states(store: Store, _told: Told) -> AsyncIterator[Finding]:
    """The state of every source can be read."""
    ask: Ask = store.redis.execute_command
    for source, data in (await ask("HGETALL", keys.STATES)).items():
        if codec.readable(data, SourceState) is None:
            name = text(source)
            way_out = "it is dropped: the source is read anew, whole"
            yield Finding("state", name, f"the state of {name} is damaged", way_out, dropped(keys.STATES, source, data))


async def fences(store: Store, _told: Told) -> AsyncIterator[Finding]:
    """Leases of every source can be counted on."""
    ask: Ask = store.redis.execute_command
    for source, data in (await ask("HGETALL", keys.FENCES)).items():
        if not data.isdigit():
            name = text(source)
            problem = f"the leases of {name} are not counted by a number: it is synced no more"
            yield Finding("state", name, problem, RESTORE)


async def held(store: Store, _told: Told) -> AsyncIterator[Finding]:
    """Every held version has its records, and they are those that its digest names."""
    ask: Ask = store.redis.execute_command
    stored = await ask("HGETALL", keys.HELD)
    for id_, data in stored.items():
        records = await ask("HGET", keys.HELD_RECORDS, id_)
        if problem := _wrong_with(text(id_), data, records):
            seen = (Seen(("HGET", keys.HELD, id_), as_seen(data)),)
            steps = (("HDEL", keys.HELD, id_), ("HDEL", keys.HELD_RECORDS, id_))
            yield Finding("held", text(id_), problem, _HELD_AGAIN, Repair(seen, steps))
    for id_ in set(await ask("HKEYS", keys.HELD_RECORDS)) - set(stored):
        records = await ask("HGET", keys.HELD_RECORDS, id_)
        problem = f"there are records of {text(id_)}, which is no held version"
        way_out, repair = "they are dropped", dropped(keys.HELD_RECORDS, id_, records)
        yield Finding("orphan", short(keys.HELD_RECORDS), problem, way_out, repair)


async def documents(store: Store, told: Told) -> AsyncIterator[Finding]:
    """Every kept document is the one that its digest names, and the order of fetching lists it."""
    ask: Ask = store.redis.execute_command
    names = {*await ask("SMEMBERS", keys.SOURCES), *await ask("HKEYS", keys.STATES)}
    for source in sorted(text(name) for name in names):
        told(f"{source}: documents")
        key, order = keys.documents(source), keys.fetched(source)
        listed = set(await ask("ZRANGE", order, 0, -1))
        there = set(await ask("HKEYS", key))
        for digest in sorted(listed - there):
            problem = f"{source}: document {text(digest)} is listed, and not there"
            seen = (Seen(("HGET", key, digest), b""),)
            repair = Repair(seen, (("ZREM", order, digest),))
            yield Finding("document", text(digest), problem, "it is listed no more", repair)
        for digest in sorted(there):
            if finding := _of_document(source, digest, await ask("HGET", key, digest), is_listed=digest in listed):
                yield finding


def _wrong_with(id_: str, data: bytes, records: bytes | None) -> str:
    """Return what is wrong with a held version, empty when nothing is."""
    try:
        version = codec.unpack(data, HeldVersion)
        if records is None:
            return f"the held version {id_} has no records: it cannot be accepted"
        if version.id != id_ or content_digest(codec.unpack_records(records)) != version.digest:
            return f"the records of the held version {id_} are not those that it names"
    except CorruptContentError:
        return f"the held version {id_} is damaged: nobody is asked about it"
    return ""


def _of_document(source: str, digest: bytes, data: bytes | None, *, is_listed: bool) -> Finding | None:
    name, key, order = text(digest), keys.documents(source), keys.fetched(source)
    document = _read(data)
    if document is None or f"sha256:{hashlib.sha256(document.body).hexdigest()}" != name:
        problem = f"{source}: document {name} is damaged: what was made of it stays, it cannot be read again"
        seen = (Seen(("HGET", key, digest), as_seen(data)),)
        repair = Repair(seen, (("HDEL", key, digest), ("ZREM", order, digest)))
        return Finding("document", name, problem, "it is dropped", repair)
    if not is_listed:
        at = repr(document.provenance.fetched_at.timestamp())
        repair = Repair((Seen(("ZSCORE", order, digest), b""),), (("ZADD", order, at, digest),))
        return Finding("document", name, f"{source}: document {name} is not listed", "it is listed", repair)
    return None


def _read(data: bytes | None) -> Document | None:
    try:
        return codec.unpack_document(data) if data else None
    except CorruptContentError:
        return None
