"""Rate limits: so many requests a minute of one client, over all processes, decided without asking Redis."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import httpx
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from starlette.applications import Starlette

from catalog_service.api.app import create_app
from catalog_service.api.gate.rates import Rates
from catalog_service.api.gate.rules import GateRules
from catalog_service.reader import Reader
from catalog_service.store import keys
from catalog_service.store.connect import Store
from catalog_service.store.rates import Rates as SharedRates
from tests.api_client import SOURCES, published
from tests.graphql_server import served
from tests.local_source import Clock
from tests.operators import SHOWN, TOKEN, operator_actions

MINUTE = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FORM = re.compile(r'"default";r=(\d+);t=(\d+)')


class Watch:
    """A clock in seconds that the test moves."""

    def __init__(self) -> None:
        self.now = MINUTE.timestamp()

    def __call__(self) -> float:
        return self.now


def nowhere() -> SharedRates:
    """Return counts in a Redis that does not answer."""
    return SharedRates(Redis(unix_socket_path="/nowhere/redis.sock", retry=Retry(NoBackoff(), 0)))


def replica(store: Store, clock: Clock, limit: int = 10, **rules: object) -> Starlette:
    """Return one process of several that serve ``store``."""
    given = GateRules(rate_limit=limit, **rules)  # type: ignore[arg-type]
    return create_app(Reader(store), SOURCES, actions=operator_actions(store), clock=clock, rules=given)


def client(app: Starlette, address: str = "192.0.2.1") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(address, 1)), base_url="http://catalog.test")


async def statuses(http: httpx.AsyncClient, count: int, path: str = "/v1/nothing", **headers: str) -> list[int]:
    return [(await http.get(path, headers=headers)).status_code for _ in range(count)]


async def test_two_processes_count_together(store: Store, clock: Clock) -> None:
    """What one process let in counts in the other as soon as they have exchanged counts."""
    one, two = replica(store, clock), replica(store, clock)
    async with client(one) as first, client(two) as second:
        assert await statuses(first, 6) == [404] * 6
        assert await statuses(second, 2) == [404] * 2
        await one.state.rates.exchange()
        await two.state.rates.exchange()
        assert await statuses(second, 3) == [404, 404, 429]
        await two.state.rates.exchange()
        assert await statuses(first, 3) == [404, 404, 404], "this process has not heard of the last ones yet"
        await one.state.rates.exchange()
        assert await statuses(first, 1) == [429]
    assert await store.redis.hgetall(keys.rate(int(clock().timestamp() // 60))) == {b"192.0.2.1": b"13"}
    assert 0 < await store.redis.ttl(keys.rate(int(clock().timestamp() // 60))) <= 180


async def test_a_refusal_says_when_to_come_back(store: Store, clock: Clock) -> None:
    """A 429 is a problem with Retry-After; after that many seconds the next request is let in."""
    async with client(replica(store, clock)) as http:
        await statuses(http, 10)
        refused = await http.get("/v1/nothing")
        assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMITED")
        assert refused.headers["RateLimit-Policy"] == '"default";q=10;w=60'
        assert refused.headers["RateLimit"].startswith('"default";r=0;t=')
        clock.now += timedelta(seconds=int(refused.headers["Retry-After"]) - 1)
        assert (await http.get("/v1/nothing")).status_code == 429
        clock.now += timedelta(seconds=1)
        assert (await http.get("/v1/nothing")).status_code == 404


async def test_every_answer_says_what_is_left(store: Store, clock: Clock) -> None:
    """RateLimit and RateLimit-Policy have the form of draft-ietf-httpapi-ratelimit-headers-10."""
    clock.now = MINUTE + timedelta(seconds=23)
    async with client(replica(store, clock)) as http:
        found = [(await http.get(path)).headers["RateLimit"] for path in ("/v1/nothing", "/v1/sources", "/graphql")]
    assert [tuple(map(int, FORM.fullmatch(one).groups())) for one in found] == [(9, 37), (8, 37), (7, 37)]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("used_at_s", "asked_at_s", "left"),
    [(0, 59, 0), (30, 60, 0), (30, 66, 1), (30, 90, 5), (30, 119, 9), (30, 120, 10)],
)
def test_the_window_slides(used_at_s: int, asked_at_s: int, left: int) -> None:
    """Of the minute before counts the share that is not a minute ago yet."""
    watch = Watch()
    rates = Rates(10, nowhere(), watch)
    watch.now += used_at_s
    assert all(rates.take("a").is_allowed for _ in range(10))
    watch.now = MINUTE.timestamp() + asked_at_s
    assert sum(rates.take("a").is_allowed for _ in range(20)) == left


@pytest.mark.parametrize("used", [(3, 10), (10, 0), (10, 5), (0, 10), (7, 9)])
@pytest.mark.parametrize("into_s", [0.0, 0.5, 31.0, 59.9])
def test_retry_after_is_exact(used: tuple[int, int], into_s: float) -> None:
    """After Retry-After one more is allowed, a second before none."""
    watch = Watch()
    rates = Rates(10, nowhere(), watch)
    for count in used:
        for _ in range(count):
            rates.take("a")
        watch.now += 60
    watch.now += into_s - 60
    while (refused := rates.take("a")).is_allowed:
        pass
    watch.now += refused.retry_s - 1
    assert refused.retry_s == 1 or not rates.take("a").is_allowed
    watch.now += 1
    assert rates.take("a").is_allowed


async def test_clients_are_told_apart(store: Store, clock: Clock) -> None:
    """By address, of IPv6 by /64, and by token wherever it comes from; a wrong token counts by the address."""
    app = replica(store, clock, limit=2)
    async with client(app, "2001:db8:0:1::1") as one, client(app, "2001:db8:0:1::2") as two:
        assert await statuses(one, 1) + await statuses(two, 2) == [404, 404, 429]
    async with client(app, "2001:db8:0:2::1") as other:
        assert await statuses(other, 1) == [404]
    async with client(app, "192.0.2.7") as one, client(app, "192.0.2.8") as two:
        assert await statuses(one, 2, **SHOWN) + await statuses(two, 1, **SHOWN) == [404, 404, 429]
        assert await statuses(two, 3, Authorization=f"Bearer {TOKEN}x") == [401, 401, 429]
        assert await statuses(two, 1) == [429]
        assert await statuses(one, 2) == [404, 404]


async def test_probes_and_files_of_pages_are_not_counted(store: Store, clock: Clock) -> None:
    """They are answered however often they are asked for, and say nothing of limits."""
    async with client(replica(store, clock, limit=1)) as http:
        assert await statuses(http, 5, "/healthz") == [200] * 5
        assert await statuses(http, 5, "/assets/pages/pages.css") == [200] * 5
        assert "RateLimit" not in (await http.get("/readyz")).headers
        assert await statuses(http, 2) == [404, 429]


async def test_whom_a_proxy_speaks_for_is_limited(store: Store, clock: Clock) -> None:
    """Behind a trusted proxy each client has its own limit; nobody evades it by a header of their own."""
    app = replica(store, clock, limit=1, trusted_proxies=("10.0.0.0/8",))
    async with client(app, "10.0.0.1") as proxy:
        for address in ("192.0.2.1", "192.0.2.2"):
            assert await statuses(proxy, 2, **{"X-Forwarded-For": address}) == [404, 429]
        assert await statuses(proxy, 1, **{"X-Forwarded-For": "198.51.100.9, 192.0.2.1"}) == [429]


async def test_redis_away_limits_go_on() -> None:
    """Each process then limits by what it knows, and tells later what it counted."""
    rates = Rates(3, nowhere(), Watch())
    for _ in range(2):
        rates.take("a")
    with pytest.raises(RedisError):
        await rates.exchange()
    assert [rates.take("a").is_allowed for _ in range(2)] == [True, False]


async def test_what_was_counted_while_redis_was_away_is_told_later(
    embedded_store: Store, redis_socket: Path, tmp_path: Path
) -> None:
    """Nothing is lost but what a minute's end forgets."""
    watch, socket = Watch(), tmp_path / "s"
    redis = Redis(unix_socket_path=str(socket), retry=Retry(NoBackoff(), 0))
    cut_off, whole = Rates(10, SharedRates(redis), watch), Rates(10, embedded_store.rates, watch)
    for rates in (cut_off, whole):
        for _ in range(4):
            rates.take("a")
    with pytest.raises(RedisError):
        await cut_off.exchange()
    socket.symlink_to(redis_socket)
    await cut_off.exchange()
    await whole.exchange()
    await redis.aclose()
    assert whole.take("a").left == 1


async def test_a_flood_of_addresses_is_bounded(store: Store) -> None:
    """Of many clients those seen last are known; who asks most is told first."""
    watch = Watch()
    rates = Rates(10, store.rates, watch, most_clients=3000)
    for number in range(5000):
        rates.take(str(number))
    for _ in range(5):
        rates.take("often")
    assert len(rates._counts) == 3000
    await rates.exchange()
    key = keys.rate(int(watch() // 60))
    assert (await store.redis.hlen(key), await store.redis.hget(key, "often")) == (2000, b"5")


async def test_messages_of_a_websocket_count(store: Store) -> None:
    """The handshake counts, and each message: who sends too many is closed with 1008."""
    await published(store)
    async with (
        served(store, rules=GateRules(rate_limit=4)) as server,
        aiohttp.ClientSession() as session,
        session.ws_connect(server.url, protocols=["graphql-transport-ws"]) as websocket,
    ):
        await websocket.send_json({"type": "connection_init"})
        for _ in range(4):
            await websocket.send_json({"type": "ping"})
        found = [await websocket.receive() for _ in range(4)]
    assert [one.type for one in found] == [aiohttp.WSMsgType.TEXT] * 3 + [aiohttp.WSMsgType.CLOSE]
    assert (found[-1].data, found[-1].extra) == (1008, "too many messages: see RateLimit-Policy")


async def test_who_was_forgotten_meanwhile_counts_on(store: Store) -> None:
    """A client forgotten and seen again while counts are exchanged has what it used before, and what since."""
    rates = Rates(4, store.rates, Watch(), most_clients=1)
    assert [rates.take("one").is_allowed for _ in range(3)] == [True] * 3
    exchanging = asyncio.create_task(rates.exchange())
    await asyncio.sleep(0)
    assert rates.take("other").is_allowed
    assert rates.take("one").is_allowed, "it is new here"
    await exchanging
    assert not rates.take("one").is_allowed
    await rates.exchange()
    assert not rates.take("one").is_allowed
