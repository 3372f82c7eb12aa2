"""Tokens: what they look like, what is kept of them, and the desk and the commands that make, list and revoke them."""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog_service.access.issuing import NewToken, TokenDesk
from catalog_service.access.minting import digest_of, is_token, token_of
from catalog_service.cli import exits
from catalog_service.cli.app import main
from catalog_service.store import codec, keys
from catalog_service.store import tokens as stored
from catalog_service.store.connect import Store
from schema.access import ApiToken, Scope
from schema.errors import BadParameterError, UnknownTokenError
from schema.version import AuditEntry
from tests.api_client import published, served_url
from tests.local_source import NOW, Clock

DIGITS = string.ascii_letters + string.digits
Say = Callable[..., tuple[int, str, str]]


def desk_of(store: Store, clock: Clock | None = None) -> TokenDesk:
    numbers = iter(range(1, 10_000))
    return TokenDesk(store, clock or Clock(), lambda count: next(numbers).to_bytes(count, "little"))


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_token_is_known_by_its_form(one: bytes, other: bytes) -> None:
    """Letters and digits of one length, that anybody can tell from a typo; different bytes make different ones."""
    token = token_of(one)
    assert (len(token), token[:4], set(token[4:]) - set(DIGITS)) == (53, "cat_", set())
    assert is_token(token)
    assert (token_of(other) == token) == (other == one)


@given(st.binary(min_size=32, max_size=32), st.integers(0, 52), st.sampled_from(DIGITS))
def test_a_typo_is_no_token(random: bytes, place: int, letter: str) -> None:
    """Any one character that is another, missing or too much: the checksum of 32 bits tells."""
    token = token_of(random)
    mistyped = token[:place] + letter + token[place + 1 :]
    assert is_token(mistyped) == (mistyped == token)
    assert not is_token(token[:place] + token[place + 1 :])
    assert not is_token(token + letter)


async def test_what_is_kept_of_a_token(store: Store) -> None:
    """Its SHA-256 and what it may: the secret is in the answer alone, nowhere in the store."""
    issued = await desk_of(store).create(NewToken("ci", (Scope.OPERATE, Scope.READ, Scope.READ)), "ann", "cli")
    assert issued.token == ApiToken(issued.token.id, "ci", (Scope.READ, Scope.OPERATE), NOW, "ann")
    assert (len(issued.token.id), issued.token.id[:4]) == (16, "tok_")
    assert await store.tokens.get(digest_of(issued.secret)) == issued.token
    for key in (keys.TOKENS, keys.TOKEN_NAMES):
        assert issued.secret[4:] not in str(await store.redis.hgetall(key))
    assert issued.secret[4:] not in str(await store.redis.xrange(keys.AUDIT))
    assert issued.secret not in repr(issued.token)


@pytest.mark.parametrize(
    ("wanted", "parameter"),
    [
        (NewToken("ci", ()), "scopes"),
        (NewToken(" ", (Scope.READ,)), "name"),
        (NewToken("a\nb", (Scope.READ,)), "name"),
        (NewToken("x" * 81, (Scope.READ,)), "name"),
        (NewToken("Operator", (Scope.READ,)), "name"),
        (NewToken("anonymous", (Scope.READ,)), "name"),
        (NewToken("cli", (Scope.READ,)), "name"),
        (NewToken("ci", (Scope.READ,), NOW), "expires_at"),
        (NewToken("ci", (Scope.READ,), datetime(2027, 1, 1)), "expires_at"),  # noqa: DTZ001 - no zone
        (NewToken("ci", (Scope.READ,), datetime.fromisoformat("9999-12-31T23:59:59-05:00")), "expires_at"),
    ],
)
async def test_what_no_token_can_be(store: Store, wanted: NewToken, parameter: str) -> None:
    """Without a scope, without a name or with one of others, expired, or of no certain expiry; nothing is made."""
    with pytest.raises(BadParameterError) as refused:
        await desk_of(store).create(wanted, "ann", "cli")
    assert refused.value.facts["parameter"] == parameter
    assert (await store.tokens.all(), await store.audit.newest()) == ((), ())


async def test_names_are_unique_among_the_living(store: Store) -> None:
    """A name is free again once its token was revoked; the audit tells of each, by id, name and who it was through."""
    desk = desk_of(store)
    first = (await desk.create(NewToken("ci", (Scope.READ,), NOW + timedelta(days=1)), "ann", "cli")).token
    with pytest.raises(BadParameterError, match="there is a token 'ci' already"):
        await desk.create(NewToken("ci", (Scope.READ,)), "ann", "cli")
    assert await desk.revoke(first.id, "bob", "tok_of_bob") == first
    second = (await desk.create(NewToken(" ci ", (Scope.ADMIN,)), "ann", "operator")).token
    assert await desk.all() == (second,)
    with pytest.raises(UnknownTokenError):
        await desk.revoke(first.id, "bob", "cli")
    assert await store.audit.newest() == (
        AuditEntry(NOW, "ann", "token-create", second.id, "", "ci: admin", "operator"),
        AuditEntry(NOW, "bob", "token-revoke", first.id, "ci: read, until 2026-11-24T12:00:00+00:00", "", "tok_of_bob"),
        AuditEntry(NOW, "ann", "token-create", first.id, "", "ci: read, until 2026-11-24T12:00:00+00:00", "cli"),
    )


async def test_there_is_a_bound(store: Store) -> None:
    """1,000 tokens; one more is refused until one is revoked."""
    desk = desk_of(store)
    last = (await desk.create(NewToken("last", (Scope.READ,)), "ann", "cli")).token
    filled = {f"{number:064x}": codec.pack(replace(last, name=f"n{number}")) for number in range(1, stored.MOST)}
    await store.redis.hset(keys.TOKENS, mapping=filled)  # type: ignore[arg-type]
    with pytest.raises(BadParameterError, match="no more are made"):
        await desk.create(NewToken("more", (Scope.READ,)), "ann", "cli")
    await store.redis.hdel(keys.TOKENS, f"{1:064x}")
    assert (await desk.create(NewToken("more", (Scope.READ,)), "ann", "cli")).token.name == "more"


async def test_a_lost_reply_makes_nothing_twice(store: Store) -> None:
    """Sent again, a token is made once and revoked once, with one line of the audit each."""
    token = ApiToken("tok_a", "ci", (Scope.READ,), NOW, "ann")
    made = AuditEntry(NOW, "ann", "token-create", "tok_a", "", "ci")
    gone = AuditEntry(NOW, "ann", "token-revoke", "tok_a", "ci", "")
    for _ in range(2):
        await store.tokens.create("d", token, made)
    for _ in range(2):
        await store.tokens.revoke("d", token, gone)
    assert (await store.tokens.all(), await store.audit.newest()) == ((), (gone, made))


async def test_a_use_is_remembered_until_it_is_revoked(store: Store) -> None:
    """A use that is written late brings no revoked token back."""
    issued = await desk_of(store).create(NewToken("ci", (Scope.READ,)), "ann", "cli")
    digest = digest_of(issued.secret)
    await store.tokens.used(digest, NOW)
    assert (await store.tokens.all())[0].last_used_at == NOW
    await desk_of(store).revoke(issued.token.id, "ann", "cli")
    await store.tokens.used(digest, NOW)
    assert await store.redis.exists(keys.TOKENS, keys.TOKEN_NAMES, keys.TOKENS_USED) == 0


@pytest.fixture
def said(redis_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Say]:
    """Run the program on the catalogue of three versions: exit code, stdout, stderr."""
    with served_url(redis_url, tmp_path, published) as url:

        def run(*arguments: str) -> tuple[int, str, str]:
            capfd.readouterr()
            code = main([*arguments, "--redis-url", url])
            output = capfd.readouterr()
            return code, output.out, output.err

        yield run


def test_tokens_on_the_command_line(said: Say) -> None:
    """Made, with the secret alone on stdout; listed without it; revoked by its id; each in the audit as of a command."""
    code, out, err = said("token", "create", "ci", "--scope", "operate", "--expires", "90d", "--by", "ann")
    assert (code, is_token(out.strip()), out.count("\n")) == (exits.FINE, True, 1)
    assert "'ci': operate, until 20" in err
    listed = json.loads(said("token", "list", "--json")[1])["items"]
    assert [(one["name"], one["scopes"], one["created_by"]) for one in listed] == [("ci", ["operate"], "ann")]
    assert datetime.fromisoformat(listed[0]["expires_at"]) > datetime.now(UTC) + timedelta(days=89)
    assert out.strip() not in said("token", "list")[1]
    assert said("token", "revoke", listed[0]["id"], "--by", "bob")[0] == exits.FINE
    assert said("token", "revoke", listed[0]["id"])[0] == exits.NOT_FOUND
    audit = json.loads(said("audit", "--json")[1])["items"]
    assert [(one["who"], one["action"], one["token"]) for one in audit] == [
        ("bob", "token-revoke", "cli"),
        ("ann", "token-create", "cli"),
    ]
    assert [one["action"] for one in json.loads(said("audit", "--who", "bob", "--json")[1])["items"]] == [
        "token-revoke"
    ]


@pytest.mark.parametrize("expires", ["yesterday", "0d", "2020-01-01", "90", "-1d", "d"])
def test_an_expiry_that_is_none(said: Say, expires: str) -> None:
    """A clear error, and nothing is made."""
    code, _, err = said("token", "create", "ci", "--scope", "read", f"--expires={expires}")
    assert (code, "expir" in err) == (exits.USAGE, True)
    assert said("token", "list")[1] == ""
