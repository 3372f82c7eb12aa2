"""What telling subscribers costs: one commit of a real changed week to 1,000 webhooks with 200 filters.

The worker is on core 0, receivers and Redis on core 1. The peer is a bare aiohttp client that sends the same bodies to
the same receivers, 100 at once, in rounds that alternate. In every other round 50 more receivers hang or refuse.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from bench.line import SOURCE, Content, parsed
from bench.measure import Row, ms
from catalog_service.catalog.diff import diff
from catalog_service.events.bodies import Bodies
from catalog_service.events.judgements import Judgements
from catalog_service.events.links import Origin
from catalog_service.memory import rarely_collected
from catalog_service.notify.client import Client
from catalog_service.notify.notifier import Notifier
from catalog_service.notify.relay import Relay
from catalog_service.notify.sender import Sender, Ways
from catalog_service.reader import Reader
from catalog_service.store.commits import Commit
from catalog_service.store.connect import Store, open_store
from catalog_service.subscriptions.targets import Policy
from catalog_service.subscriptions.vault import Vault, new_secret
from catalog_service.tasks import stop
from schema.change import summarize
from schema.endpoint_set import content_digest
from schema.event import Place
from schema.subscription import Channel, EventFilter, Parcel, Payload, Status, Subscription
from schema.version import AuditEntry, SourceState, Version, count

COUNT, FILTERS, TROUBLED = 1000, 200, 50
_ROUNDS = 5
_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
_ORIGIN = Origin("https://catalog.example")


class Round(Struct, frozen=True):
    """One commit told: seconds from the commit until 99 of 100 receipts, and from the first receipt to the last."""

    p99_s: float
    sending_s: float


def webhooks(files: list[bytes]) -> Iterator[Row]:
    """Rows about webhooks."""
    with rarely_collected():
        matching, rounds = asyncio.run(_measured(files))
    yield matching
    calm, bare, troubled = zip(*rounds, strict=True)
    ours, alone = (COUNT / statistics.median(several) for several in ([one.sending_s for one in calm], bare))
    yield Row(
        f"a changed week to {COUNT:,} webhooks, {FILTERS} filters: deliveries a second, once it is judged",
        f"{ours:,.0f}",
        f"bare aiohttp {alone:,.0f}",
        f"{ours / alone:.2f}",
    )
    p99, p99_troubled = (statistics.median(one.p99_s for one in several) for several in (calm, troubled))
    yield Row("p99 from commit to receipt", ms(p99))
    yield Row(
        f"the same while {TROUBLED} more hang or refuse",
        ms(p99_troubled),
        f"none {ms(p99)}",
        f"{p99_troubled / p99:.2f}",
    )


async def _measured(files: list[bytes]) -> tuple[Row, list[tuple[Round, float, Round]]]:
    with tempfile.TemporaryDirectory() as folder, _receivers() as receivers:
        async with open_store(None, Path(folder), service=True) as store, _Bench.of(store, receivers, files) as bench:
            matching = await bench.matching()
            await bench.told(), await bench.alone()  # opens the connections
            rounds = [(await bench.told(), await bench.alone(), await bench.told(TROUBLED)) for _ in range(_ROUNDS)]
            return matching, rounds


class _Receivers:
    """The process of `bench.receivers`."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "bench.receivers"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def received(self) -> dict[str, float]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        times: dict[str, float] = json.loads(self.process.stdout.readline())
        return times


@contextlib.contextmanager
def _receivers() -> Iterator[_Receivers]:
    receivers = _Receivers()
    try:
        yield receivers
    finally:
        receivers.process.kill()
        receivers.process.wait()


class _Bench:
    """A catalogue of two weeks, the same two again in each round, and its subscribers."""

    def __init__(self, store: Store, receivers: _Receivers, contents: list[Content], bodies: Bodies) -> None:
        self._store, self._receivers, self._bodies = store, receivers, bodies
        self._contents = itertools.cycle(contents)
        self._before: Content = ()
        self._previous: int | None = None
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100))
        self.filters = _filters(contents)

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, store: Store, receivers: _Receivers, files: list[bytes]) -> AsyncIterator[_Bench]:
        contents = [parsed(file) for file in files[-2:]]
        reader, policy = Reader(store), Policy(http=True, ports=(receivers.port, 1), networks=("127.0.0.0/8",))
        bodies = Bodies(Judgements(reader), _ORIGIN)
        async with Client(policy) as client:
            sender = Sender(store, bodies, Vault(_KEY), _no_key, Ways(client), _ORIGIN, _now)
            notifier = Notifier(store, Relay(store, bodies), sender, _now, lambda: 0.0, secrets.token_bytes)
            bench = cls(store, receivers, contents, bodies)
            await bench._commit()
            await reader.refresh()
            running = asyncio.create_task(notifier.run()), asyncio.create_task(reader.follow())
            for number in range(COUNT):
                await bench.subscribe(number, f"http://127.0.0.1:{receivers.port}/r/{number}")
            try:
                yield bench
            finally:
                await bench._session.close()
                await stop(*running)

    async def subscribe(self, number: int, url: str) -> Subscription:
        id_, wanted = f"sub_{number}", self.filters[number % len(self.filters)]
        made = Subscription(id_, Channel.WEBHOOK, url, _now(), "bench", filter=wanted, status=Status.ACTIVE)
        sealed = Vault(_KEY).seal_new(id_, new_secret(secrets.token_bytes), url, ())
        await self._store.subscriptions.add(made, sealed, None, _entry(id_))
        return made

    async def matching(self) -> Row:
        """What it costs to judge a version, and to match and render it for one filter."""
        await self._commit()
        place = Place(await self._store.versions.head())
        start = time.perf_counter()
        for wanted in self.filters:
            await self._bodies.body(Parcel(place, place, SOURCE.name), None, wanted, Payload.FULL)
        whole = time.perf_counter() - start
        await self._all_received(COUNT)
        what = f"judge a week, match and render it for {len(self.filters)} filters"
        return Row(what, ms(whole), f"{COUNT:,} subscriptions", f"{whole / COUNT * 1e6:,.0f} us each")

    async def told(self, troubled: int = 0) -> Round:
        """Commit the later week, and wait for every receipt; ``troubled`` more receivers never answer, or refuse."""
        self._receivers.received()
        await self._commit()  # the earlier week again, whose changes cost another time to judge
        await self._all_received(COUNT)
        made = [await self.subscribe(COUNT + number, self._nowhere(number)) for number in range(troubled)]
        self._receivers.received()
        start = await self._commit()
        times = sorted(one - start for one in (await self._all_received(COUNT)).values())
        for one in made:
            await self._store.subscriptions.delete(one, _entry(one.id))
        return Round(times[int(len(times) * 0.99) - 1], times[-1] - times[0])

    async def alone(self) -> float:
        """Send the same bodies with nothing around them; the seconds that takes."""
        place = Place(await self._store.versions.head())
        parcel = Parcel(place, place, SOURCE.name)
        bodies = [await self._bodies.body(parcel, None, wanted, Payload.FULL) for wanted in self.filters]
        places = asyncio.Semaphore(100)

        async def post(number: int) -> None:
            one = bodies[number % len(bodies)]
            assert one is not None
            async with places, self._session.post(self._url(number), data=one.body) as answer:
                assert answer.status == 204

        start = time.perf_counter()
        await asyncio.gather(*map(post, range(COUNT)))
        return time.perf_counter() - start

    def _nowhere(self, number: int) -> str:
        return f"http://127.0.0.1:{self._receivers.port if number % 2 else 1}/h/{number}"

    def _url(self, number: int) -> str:
        return f"http://127.0.0.1:{self._receivers.port}/r/{number}"

    async def _commit(self) -> float:
        """Commit the other week, and return when that was."""
        content = next(self._contents)
        changes = diff(self._before, content)
        version = Version(
            version=0, source=SOURCE.name, fetched_at=_now(), committed_at=_now(), digest=content_digest(content),
            counts=count(content), summary=summarize(changes), url=SOURCE.url, document="", previous=self._previous,
        )  # fmt: skip
        async with self._store.leases.hold(SOURCE.name) as lease:
            assert lease is not None
            made = await self._store.commits.commit(lease, Commit(version, changes, content, SourceState()))
            now = time.monotonic()
        self._before, self._previous = content, made.version
        return now

    async def _all_received(self, count: int) -> dict[str, float]:
        times: dict[str, float] = {}
        async with asyncio.timeout(60):
            while len(times) < count:
                await asyncio.sleep(0.2)  # not to be in the way
                times |= await asyncio.to_thread(self._receivers.received)
        return times


def _filters(contents: list[Content]) -> list[EventFilter]:
    """Return distinct filters, each of which keeps something of what changes between the two weeks."""
    titles = [change.id.partition(":")[2] for change in diff(*contents)]
    ones = [EventFilter(tags=(title,)) for title in titles]
    pairs = [EventFilter(tags=pair) for pair in itertools.combinations(titles, 2)]
    return [*ones, *pairs][:FILTERS]


async def _no_key() -> Ed25519PrivateKey:
    raise AssertionError("nothing is signed with it here")


def _now() -> datetime:
    return datetime.now(UTC)


def _entry(id_: str) -> AuditEntry:
    return AuditEntry(_now(), "bench", "subscription-create", id_, "", "")
