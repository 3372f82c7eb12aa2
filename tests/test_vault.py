"""The vault: what is sealed opens with the right key, for the right subscription, and else never."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog_service.subscriptions.challenge import challenge_of, is_answer, is_code
from catalog_service.subscriptions.vault import (
    Vault,
    decoded,
    new_private,
    new_secret,
    private_key,
    public_text,
)
from schema.errors import SealedError
from tests.local_source import NOW

OLD, NEW = (base64.b64encode(bytes([byte]) * 32).decode() for byte in (1, 2))
SUB, OTHER = "sub_aaaaaaaaaaaaaaaa", "sub_bbbbbbbbbbbbbbbb"
ADDRESS = "https://hooks.slack.com/services/of-chats"
HEADERS = (("Authorization", "Bearer of-nobody"), ("X-Team", "network"))


@given(st.binary(max_size=200), st.text(max_size=30))
def test_what_is_sealed_opens_for_whom_it_is_bound_to_alone(plain: bytes, bound: str) -> None:
    """With any text of both; the same text never looks the same twice."""
    vault = Vault(OLD)
    sealed = vault.seal(plain, bound)
    assert vault.open(sealed, bound) == plain
    assert vault.seal(plain, bound) != sealed
    with pytest.raises(SealedError):
        vault.open(sealed, bound + "x")


def test_any_damaged_byte_is_noticed() -> None:
    """Format, name of the key, nonce, text and tag: none can be another, and none can be missing."""
    vault = Vault(OLD)
    sealed = vault.seal(b"secret", SUB)
    for place in range(len(sealed)):
        damaged = bytes([*sealed[:place], sealed[place] ^ 1, *sealed[place + 1 :]])
        for wrong in (damaged, sealed[:place], sealed[:place] + sealed[place + 1 :]):
            with pytest.raises(SealedError, match="CATALOG_ENCRYPTION_KEY"):
                vault.open(wrong, SUB)


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    """Keys are rotated by putting a new one before the old; without the old one its seals stay shut."""
    before = Vault(OLD).seal(b"secret", SUB)
    both = Vault(f"{NEW}, {OLD}")
    after = both.seal(b"secret", SUB)
    assert (both.open(before, SUB), Vault(NEW).open(after, SUB)) == (b"secret", b"secret")
    for wrong, sealed in ((OLD, after), (NEW, before)):
        with pytest.raises(SealedError, match="CATALOG_ENCRYPTION_KEY does not hold the key"):
            Vault(wrong).open(sealed, SUB)


def test_without_a_key_nothing_is_sealed_and_the_setting_is_named() -> None:
    """Neither is anything opened."""
    with pytest.raises(SealedError, match="set CATALOG_ENCRYPTION_KEY"):
        Vault("").seal(b"secret", SUB)
    with pytest.raises(SealedError, match="CATALOG_ENCRYPTION_KEY is not set"):
        Vault("").open(Vault(OLD).seal(b"secret", SUB), SUB)


def test_both_secrets_sign_until_the_overlap_is_over() -> None:
    """The new one first; the headers come with their values; nothing of it is in a repr."""
    vault = Vault(OLD)
    old, new = new_secret(lambda count: b"\3" * count), new_secret(lambda count: b"\4" * count)
    first = vault.seal_new(SUB, old, ADDRESS, HEADERS)
    sealed = replace(first, secret=vault.seal(new.encode(), SUB), previous=first.secret, previous_until=NOW)
    during = vault.opened(SUB, sealed, NOW - timedelta(seconds=1))
    assert (during.url, during.headers) == (ADDRESS, HEADERS)
    assert during.secrets == (bytes([4]) * 32, bytes([3]) * 32)
    assert vault.opened(SUB, sealed, NOW).secrets == (decoded(new),)
    assert vault.opened(SUB, vault.seal_new(SUB, old, ADDRESS, ()), NOW).headers == ()
    assert repr(during) == "Opened(...)"
    with pytest.raises(SealedError):
        vault.opened(OTHER, sealed, NOW)
    for kept in (old.encode(), decoded(old), b"of-nobody", b"of-chats"):
        assert kept not in first.secret + first.url + first.headers


def test_keys_are_written_as_standard_webhooks_writes_them() -> None:
    """A prefix and Base64 of 32 bytes; the public half is that of RFC 8032, section 7.1, test 1."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    text = new_private(lambda count: seed[:count])
    assert (text[:5], decoded(text)) == ("whsk_", seed)
    assert public_text(private_key(text)) == f"whpk_{base64.b64encode(public).decode()}"
    secret = new_secret(lambda count: seed[:count])
    assert (secret[:6], base64.b64decode(secret[6:], validate=True)) == ("whsec_", seed)


def test_a_code_is_of_one_secret_subscription_and_address() -> None:
    """Sixteen letters and digits that a person can type; another of the three has another code."""
    code = challenge_of(b"s", SUB, "https://a.example/")
    others = {
        challenge_of(b"t", SUB, "https://a.example/"),
        challenge_of(b"s", OTHER, "https://a.example/"),
        challenge_of(b"s", SUB, "https://b.example/"),
    }
    assert (len(code), code.isalnum(), code.islower(), len({code, *others})) == (16, True, True, 4)
    assert is_code(code, f" {code.upper()}\n")
    assert not any(is_code(code, wrong) for wrong in ("", code[:-1], code + "a", "é", *others))


@pytest.mark.parametrize(
    ("body", "answers"),
    [("{}", True), (' {}\r\n', True), ('{{"challenge": "{}"}}', True), ('{{"challenge":"{}","ok":true}}', True),
     ('"{}"', False), ('{{"code": "{}"}}', False), ("", False), ("ok", False), ("{} {}", False), ("[]", False),
     ('{{"challenge": 1}}', False), ('{{"challenge": "x"}}', False)],
)  # fmt: skip
def test_a_receiver_answers_with_the_code(body: str, answers: bool) -> None:
    """As it is, or in a JSON object; an echo of the whole message is no answer, nor is one that is not text."""
    code = challenge_of(b"s", SUB, "https://a.example/")
    assert is_answer(code, body.format(code, code).encode()) is answers
    assert not is_answer(code, b"\xff\xfe" + code.encode("utf-16"))


def test_an_answer_nested_without_end_is_none() -> None:
    """It is read as text, and fails nothing: a receiver cannot have its challenge sent for ever."""
    assert not is_answer(challenge_of(b"s", SUB, "https://a.example/"), b'{"a":' + b"[" * 60_000)
