"""Who may do what: scopes, and the doorkeeper's memory of tokens."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from catalog_service.access.doorkeeper import Doorkeeper
from catalog_service.access.identity import Identity, check_scope, included
from catalog_service.access.issuing import NewToken, TokenDesk
from catalog_service.access.minting import token_of
from catalog_service.store import keys
from catalog_service.store.connect import Store
from schema.access import Scope
from schema.errors import ForbiddenError, StoreError, UnauthenticatedError
from tests.local_source import NOW, Clock
from tests.operators import TOKEN, basic, token_with


def door(store: Store, clock: Clock | None = None, reloaded_after_s: float = 3.0) -> Doorkeeper:
    return Doorkeeper(store, TOKEN, anonymous_read=True, clock=clock or Clock(), reloaded_after_s=reloaded_after_s)


def bearer(secret: str) -> str:
    return f"Bearer {secret}"


@pytest.fixture
async def embedded(redis_socket: Path) -> AsyncIterator[Store]:
    """An empty store whose Redis tells how often it was asked."""
    redis = Redis(unix_socket_path=str(redis_socket), protocol=2)
    await redis.flushall()
    yield Store(redis)
    await redis.flushall()
    await redis.aclose()


async def calls(store: Store, command: str = "") -> int:
    """How many commands Redis has had, or how many of one name."""
    if command:
        found = (await store.redis.info("commandstats")).get(f"cmdstat_{command}", {"calls": 0})
        return int(found["calls"])
    return int((await store.redis.info("stats"))["total_commands_processed"])


async def until(is_so: Callable[[], object]) -> None:
    """Wait for a condition, for up to 5 s."""
    async with asyncio.timeout(5):
        while not await is_so():  # type: ignore[misc]
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("scopes", "may"),
    [
        ((), set()),
        ((Scope.READ,), {Scope.READ}),
        ((Scope.SUBSCRIBE,), {Scope.READ, Scope.SUBSCRIBE}),
        ((Scope.OPERATE,), {Scope.READ, Scope.OPERATE}),
        ((Scope.ADMIN,), set(Scope)),
    ],
)
def test_what_a_scope_includes(scopes: tuple[Scope, ...], may: set[Scope]) -> None:
    """Every scope includes read, admin all; the refusal says what is needed, and what there is."""
    somebody = Identity("ci", included(scopes), "tok_a")
    assert {scope for scope in Scope if somebody.may(scope)} == may
    for scope in set(Scope) - may:
        with pytest.raises(ForbiddenError, match=f"this needs the scope {scope}; the token 'ci' has") as refused:
            check_scope(somebody, scope)
        assert refused.value.facts == {"needed": scope, "scopes": tuple(one for one in Scope if one in may)}
    with pytest.raises(UnauthenticatedError, match="scope operate"):
        check_scope(Identity("anonymous", frozenset({Scope.READ})), Scope.OPERATE)


async def test_who_shows_what(store: Store) -> None:
    """Nothing: anonymous; the operator's token, or one of the store's, as Bearer, or for reads as a password."""
    keeper, secret = door(store), await token_with(store, Scope.SUBSCRIBE, name="ci")
    (token,) = await store.tokens.all()
    anonymous = await keeper.identify("")
    assert (anonymous.name, anonymous.listed) == ("anonymous", (Scope.READ,))
    for shown in (bearer(TOKEN), f"bEaReR   {TOKEN} ", basic(TOKEN)):
        found = await keeper.identify(shown)
        assert (found.name, found.listed, found.shown) == ("operator", tuple(Scope), "operator")
    for shown in (bearer(secret), basic(secret, "")):
        found = await keeper.identify(shown)
        assert (found.name, found.listed, found.shown) == ("ci", (Scope.READ, Scope.SUBSCRIBE), token.id)
    assert await keeper.identify(bearer(secret), fresh=True) == found


@pytest.mark.parametrize("is_fresh", [True, False])
@pytest.mark.parametrize(
    "shown",
    [
        "Bearer",
        "Bearer ",
        "Bearer nothing",
        f"Bearer {token_of(bytes(32))}",
        f"Bearer {token_of(bytes(32))[:-1]}x",
        f"Digest {TOKEN}",
        TOKEN,
        "Basic !",
        "Basic",
        basic(""),
        basic("x", TOKEN),
        "Bearer \udcff",
        f"Basic {base64.b64encode(bytes([255]) + b':x').decode()}",
    ],
)
async def test_what_is_no_token(store: Store, shown: str, *, is_fresh: bool) -> None:
    """Refused, with nothing of what was shown in the message."""
    with pytest.raises(UnauthenticatedError) as refused:
        await door(store).identify(shown, fresh=is_fresh)
    given = shown.partition(" ")[2]
    assert not given.strip() or given not in str(refused.value)
    assert refused.value.facts == {}


async def test_a_password_changes_nothing(store: Store) -> None:
    """Browsers send one by themselves: only a Bearer token may change something."""
    keeper = door(store)
    for secret in (TOKEN, await token_with(store, Scope.ADMIN)):
        with pytest.raises(UnauthenticatedError, match="Authorization: Bearer"):
            await keeper.identify(basic(secret), fresh=True)


async def test_an_expired_token(store: Store) -> None:
    """It is good until its last moment, and never after it, also where it is remembered."""
    clock = Clock()
    wanted = NewToken("ci", (Scope.READ,), NOW + timedelta(hours=1))
    secret = (await TokenDesk(store, clock, os.urandom).create(wanted, "ann", "cli")).secret
    keeper = door(store, clock)
    assert (await keeper.identify(bearer(secret))).expires_at == wanted.expires_at
    clock.forward(hours=1)
    for is_fresh in (False, True):
        with pytest.raises(UnauthenticatedError, match="expired"):
            await keeper.identify(bearer(secret), fresh=is_fresh)


async def test_a_known_token_costs_no_call(embedded: Store) -> None:
    """A thousand reads ask Redis nothing, but for one line that it was used."""
    keeper, secret = door(embedded), await token_with(embedded, Scope.READ)
    await keeper.identify(bearer(secret))
    await until(lambda: embedded.redis.exists(keys.TOKENS_USED))
    before = await calls(embedded)
    for _ in range(1000):
        await keeper.identify(bearer(secret))
    assert await calls(embedded) == before + 1  # this very question


async def test_a_revoked_token_is_out(store: Store) -> None:
    """At once for what changes something; for reads as soon as tokens are read anew, which 3 s later they are."""
    secret = await token_with(store, Scope.READ)
    (token,) = await store.tokens.all()
    slow, quick, reads = door(store), door(store, reloaded_after_s=0.0), door(store)
    for keeper in (slow, quick, reads):
        await keeper.identify(bearer(secret))
    await TokenDesk(store, Clock(), os.urandom).revoke(token.id, "ann", "cli")
    assert (await reads.identify(bearer(secret))).token == token.id
    for keeper, is_fresh in ((slow, True), (quick, False)):
        with pytest.raises(UnauthenticatedError, match="revoked"):
            await keeper.identify(bearer(secret), fresh=is_fresh)


async def test_a_token_made_a_moment_ago_is_known(store: Store) -> None:
    """By another process: what is unknown here is looked up before it is refused."""
    keeper = door(store)
    first = await token_with(store, Scope.READ, name="first")
    await keeper.identify(bearer(first))
    second = await token_with(store, Scope.READ, name="second")
    assert (await keeper.identify(bearer(second))).name == "second"


async def test_a_flood_of_wrong_tokens_is_no_flood_of_redis(embedded: Store) -> None:
    """500 at once, each well formed: they are looked up together, and who has a token is let in among them."""
    keeper, secret = door(embedded), await token_with(embedded, Scope.READ)
    before = await calls(embedded, "hgetall"), await calls(embedded, "hget")
    wrong = [keeper.identify(bearer(token_of(os.urandom(32))), fresh=bool(one % 2)) for one in range(500)]
    *refused, found = await asyncio.gather(*wrong, keeper.identify(bearer(secret)), return_exceptions=True)
    assert {type(one) for one in refused} == {UnauthenticatedError}
    assert isinstance(found, Identity)
    assert await calls(embedded, "hgetall") - before[0] <= 3
    assert await calls(embedded, "hget") == before[1]


async def test_reads_go_on_while_redis_is_away(embedded: Store, redis_socket: Path, tmp_path: Path) -> None:
    """Who was known stays known; who was not, and who changes something, is told that nobody can tell."""
    secret, other = [await token_with(embedded, Scope.READ, name=name) for name in ("ci", "other")]
    link = tmp_path / "s"
    link.symlink_to(redis_socket)
    redis = Redis(unix_socket_path=str(link), retry=Retry(NoBackoff(), 0))
    keeper = door(Store(redis), reloaded_after_s=0.0)
    assert (await keeper.identify(bearer(secret))).name == "ci"
    link.unlink()
    await redis.connection_pool.disconnect()
    for _ in range(3):
        assert (await keeper.identify(bearer(secret))).name == "ci"
        assert (await keeper.identify(bearer(TOKEN), fresh=True)).name == "operator"
        with pytest.raises(StoreError):
            await keeper.identify(bearer(token_of(bytes(32))))
        with pytest.raises((RedisError, StoreError)):
            await keeper.identify(bearer(secret), fresh=True)
    link.symlink_to(redis_socket)

    async def is_back() -> bool:
        return (await keeper.identify(bearer(other), fresh=True)).name == "other"

    await until(is_back)
    await redis.aclose()


async def test_its_use_is_written_once_a_minute(store: Store) -> None:
    """Beside the request; the list tells of it."""
    clock = Clock()
    keeper, secret = door(store, clock), await token_with(store, Scope.READ)

    async def is_used_now() -> bool:
        return (await store.tokens.all())[0].last_used_at == clock.now

    await keeper.identify(bearer(secret))
    await until(is_used_now)
    clock.forward(seconds=59)
    await keeper.identify(bearer(secret))
    assert not await is_used_now()
    clock.forward(seconds=1)
    await keeper.identify(bearer(secret))
    await until(is_used_now)


async def test_a_damaged_token_opens_nothing(store: Store) -> None:
    """It is nobody's, and the others go on."""
    keeper, secret = door(store), await token_with(store, Scope.READ, name="ci")
    bad = await token_with(store, Scope.READ, name="bad")
    digest = next(digest for digest, one in (await store.tokens.by_digest()).items() if one.name == "bad")
    await store.redis.hset(keys.TOKENS, digest, b"\xc1")
    assert (await keeper.identify(bearer(secret))).name == "ci"
    for is_fresh in (False, True):
        with pytest.raises(UnauthenticatedError):
            await keeper.identify(bearer(bad), fresh=is_fresh)
