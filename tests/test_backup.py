"""A backup is all that is stored at one instant, in a file that is whole or refused."""

from __future__ import annotations

import asyncio
import io
import stat
from datetime import timedelta
from pathlib import Path
from types import FunctionType
from typing import IO, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from redis.asyncio import Redis
from redis.exceptions import RedisError

from catalog_service.store import backup_file, codec, keys, shape
from catalog_service.store.backup import back_up
from catalog_service.store.backup_file import Header, Portion, check, portions_of, write
from catalog_service.store.connect import Store
from catalog_service.store.fsck import fsck
from catalog_service.store.leases import Ask
from catalog_service.store.restore import restore
from catalog_service.store.shape import Kind
from catalog_service.store.steps import lines
from catalog_service.sync.history import import_history
from schema.errors import CatalogError, CorruptContentError, StoreError
from schema.event import EventType, Place
from schema.subscription import Delivery, DeliveryState, Parcel
from scrapers.history.files import opened_history
from scrapers.sources import SOURCES, source_named
from tests.local_source import NOW, Clock
from tests.telling import subscribed, subscription
from tests.whole_store import TAGS, backed_up, brought_back, content, entry, fill, sync, tags

HEADER = Header(1, "0.1.0", 2, NOW, 7)


def test_every_key_of_the_store_is_carried_away_or_said_to_be_momentary() -> None:
    """Whoever adds a key to `keys` says what becomes of it in a backup."""
    named = {
        name: value for name, value in vars(keys).items() if isinstance(value, str) and value.startswith(f"{keys.TAG}:")
    }
    assert set(named.values()) == set(shape.every_key())
    made = {function("") for function in vars(keys).values() if isinstance(function, FunctionType)}
    counts = keys.rate(0).removesuffix("0")  # momentary, and of no source
    imported = {keys.line("", imported=True), keys.keyframed("", imported=True)}
    assert made | imported == {*shape.of_sources(), *shape.of_subscriptions(), counts}


async def test_a_store_with_everything_comes_back_as_it_was(store: Store, tmp_path: Path) -> None:
    """Every key of every type, member for member, with scores and stream ids; leases and claims end, fences rise."""
    await fill(store, tmp_path)
    before = await content(store)
    assert {value.partition(" ")[0] for value in before.values()} == set(Kind)
    file = await backed_up(store)
    await brought_back(store, file)
    after = await content(store)
    different = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert different <= {keys.AUDIT, keys.FENCES, keys.CLAIMS}
    audit = await store.audit.newest(1000)
    assert (audit[0].action, audit[0].who, audit[0].before, audit[0].after) == (
        "restore",
        "ann",
        "",
        str(await store.versions.head()),
    )
    assert (await store.audit.checked())[0] == len(audit)
    assert (await fsck(store, Clock())).findings == ()


async def test_a_backup_taken_while_everything_moves_is_one_state(store: Store, tmp_path: Path) -> None:
    """Commits, deliveries, new and deleted subscriptions go on meanwhile; what comes back holds together."""
    await fill(store, tmp_path)
    stop = asyncio.Event()

    async def commits() -> None:
        number = 100
        while not stop.is_set():
            number += 1
            await sync(store, {**TAGS, "t1": [f"23.{number % 250}.0.0/16"]}, number)

    async def telling() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            made = await subscribed(store, subscription(f"sub_{number}", "https://n.example/hook"))
            await store.queues.claim("t", NOW + timedelta(days=9), NOW + timedelta(days=9), 9)
            if number % 2:
                await store.subscriptions.delete(made, entry("subscription-delete"))
            await asyncio.sleep(0.01)  # people are not faster

    moving = [asyncio.create_task(commits()), asyncio.create_task(telling())]
    files, heads = [], []
    for _ in range(3):
        heads.append(await store.versions.head())
        files.append(await backed_up(store))
    stop.set()
    await asyncio.gather(*moving)
    assert await store.versions.head() > heads[0]
    for file, head in zip(files, heads, strict=True):
        await brought_back(store, file)
        assert await store.versions.head() >= head
        assert (await fsck(store, Clock())).findings == ()


async def test_a_full_redis_is_read_whole(embedded_store: Store, tmp_path: Path) -> None:
    """It is measured, checked and backed up, before somebody makes room."""
    await fill(embedded_store, tmp_path)
    ask: Ask = embedded_store.redis.execute_command
    before = await backed_up(embedded_store)
    try:
        await ask("CONFIG", "SET", "maxmemory", 1)
        with pytest.raises(RedisError):
            await embedded_store.redis.set("more", "1")
        assert (await embedded_store.numbers.read()).head == await embedded_store.versions.head()
        assert len(await embedded_store.subscriptions.standings()) == await embedded_store.subscriptions.count()
        assert (await fsck(embedded_store, Clock())).findings == ()
        assert await lines(embedded_store)
        assert check(await backed_up(embedded_store)).header.head == check(before).header.head
    finally:
        await ask("CONFIG", "SET", "maxmemory", 0)


async def test_real_history_comes_back(store: Store, corpus: Path) -> None:
    """Every file of a closed cloud: the store that is brought back holds together, and says the same of each."""
    source = source_named(SOURCES, "azure-service-tags-germany")
    with opened_history((corpus / "service-tags" / "AzureGermany-2020-2022.tar.xz",), NOW) as history:
        await import_history(source, history.files, store, Clock())
    before = await content(store)
    await brought_back(store, await backed_up(store))
    after = await content(store)
    assert {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)} <= {
        keys.AUDIT,
        keys.FENCES,
    }
    assert (await fsck(store, Clock())).findings == ()
    assert await store.versions.last() > 1


async def test_what_was_told_since_is_told_again(store: Store) -> None:
    """A log that is read later than the rest may tell of an event that the backup does not have: it is left out."""
    await sync(store, tags(1), 1)
    await store.queues.skip(Place(1))
    await subscribed(store, subscription("sub_a", "https://a.example/hook"))
    for version in (1, 2):
        place = Place(version)
        parcel, state = Parcel(place, place), DeliveryState.DELIVERED
        made = Delivery(f"msg_{version}", "sub_a", EventType.COMMITTED, parcel, state, NOW)
        await store.redis.hset(keys.deliveries("sub_a"), made.id, codec.pack(made))
        await store.redis.zadd(keys.logged("sub_a"), {made.id: version})
    await brought_back(store, await backed_up(store))
    assert [one.id for one in await store.deliveries.newest("sub_a")] == ["msg_1"]
    assert (await fsck(store, Clock())).findings == ()


class _PruningRedis(Redis):
    """A client during whose first reading of contents somebody else prunes."""

    pruned = False

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        if args[:2] == ("HMGET", keys.CHANGESETS) and not self.pruned:
            self.pruned = True
            await Store(Redis(connection_pool=self.connection_pool)).retention.prune(2)
        return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]


async def test_a_backup_during_which_versions_are_pruned_is_taken_again(store: Store) -> None:
    """What is dropped between its index and its content would leave a hole: the backup is of before or of after."""
    for number in range(1, 8):
        await sync(store, tags(number), number)

    meanwhile = _PruningRedis(connection_pool=store.redis.connection_pool)
    file = io.BytesIO()
    await back_up(Store(meanwhile), file, NOW)
    await brought_back(store, file)
    assert await store.floor.number() == 6
    assert (await fsck(store, Clock())).findings == ()


async def _numbers(count: int) -> object:
    for number in range(count):
        yield Portion(keys.HEAD, Kind.STRING, ((str(number).encode() * 50,),))


async def _file(count: int = 40, header: Header = HEADER) -> bytes:
    file = io.BytesIO()
    await write(file, header, _numbers(count))  # type: ignore[arg-type]
    return file.getvalue()


async def test_a_file_cut_off_anywhere_or_with_any_bit_flipped_is_refused(store: Store) -> None:
    """Nothing of it is believed, and nothing is written."""
    data = await _file()
    check(io.BytesIO(data))
    cuts = [data[:length] for length in (*range(0, len(data), 7), len(data) - 1)]
    flips = [
        data[: bit // 8] + bytes([data[bit // 8] ^ (1 << bit % 8)]) + data[bit // 8 + 1 :]
        for bit in range(0, len(data) * 8, 5)
    ]
    for damaged in (*cuts, *flips, data + b"\n", data + data):
        with pytest.raises(StoreError):
            check(io.BytesIO(damaged))
    with pytest.raises(CorruptContentError):
        await restore(store, io.BytesIO(flips[len(flips) // 2]), entry(), replace_all=True)
    assert (await content(store)).keys() == {keys.FORMAT}


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"REDIS0011\xfa\tredis-ver", b"{}\n", b'{"format":"one"}\n' + b"x" * 200, b"\x28\xb5\x2f\xfd" * 90],
)
def test_a_file_of_something_else_is_refused(data: bytes) -> None:
    """It is said not to be a backup."""
    with pytest.raises(CorruptContentError, match="no backup"):
        check(io.BytesIO(data))


@pytest.mark.parametrize(
    ("header", "said"), [(replace(HEADER, format=2), "has format 2"), (replace(HEADER, form=99), "has form 99")]
)
async def test_a_newer_backup_is_refused_with_what_to_do(store: Store, header: Header, said: str) -> None:
    """The sentence names what it has, what this release reads, and who can restore it."""
    newer = await _file(header=replace(header, release="9.9.0"))
    with pytest.raises(StoreError, match=f"{said}, release 9.9.0 wrote it.*up to .: restore it with that release"):
        await restore(store, io.BytesIO(newer), entry(), replace_all=True)
    assert (await content(store)).keys() == {keys.FORMAT}


async def test_a_key_of_others_is_refused() -> None:
    """A file that is whole, and was not made by us, writes nowhere else."""

    async def foreign() -> object:
        yield Portion("sessions", Kind.STRING, ((b"x",),))

    file = io.BytesIO()
    await write(file, HEADER, foreign())  # type: ignore[arg-type]
    with pytest.raises(CorruptContentError, match="not the catalogue's"):
        check(file)


portions = st.builds(
    Portion,
    st.sampled_from([keys.HEAD, keys.HELD, keys.queue("sub_a")]),
    st.sampled_from(Kind),
    st.lists(st.lists(st.binary(max_size=30), min_size=1, max_size=3).map(tuple), min_size=1, max_size=4).map(tuple),
)


@settings(max_examples=40)
@given(st.lists(portions, max_size=6))
def test_what_is_written_is_read(given_: list[Portion]) -> None:
    """Any bytes, in their order."""

    async def all_of_them() -> object:
        for one in given_:
            yield one

    file = io.BytesIO()
    written = asyncio.run(write(file, HEADER, all_of_them()))  # type: ignore[arg-type]
    assert check(file) == written
    assert list(portions_of(file)) == given_
    assert written.byte_count == len(file.getvalue())


def _fail_after(file: IO[bytes]) -> None:
    file.write(b"half")
    raise ValueError("half-way")


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    """The name is given to a whole file alone, which nobody else can read; nothing is left beside it."""
    path = tmp_path / "catalog.backup"
    path.write_text("old")
    with pytest.raises(ValueError, match="half"), backup_file.replacing(path) as file:
        _fail_after(file)
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])
    with backup_file.replacing(path) as file:
        file.write(b"whole")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"whole", 0o600)
    with pytest.raises(CatalogError, match="cannot be written"), backup_file.replacing(tmp_path / "no" / "where"):
        pass
