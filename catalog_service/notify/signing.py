"""Signing of webhooks by Standard Webhooks 1.0: the three headers of one attempt.

In: the id of a delivery, its body as sent, when it is sent, and the keys. Out: headers. Called for each attempt.
"""

from __future__ import annotations

import base64
import hmac
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_HASH = "sha256"


def signed_headers(
    id_: str,
    at: datetime,
    body: bytes,
    hmac_secrets: tuple[bytes, ...],
    ed25519_keys: tuple[Ed25519PrivateKey, ...] = (),
) -> tuple[tuple[str, str], ...]:
    """Return ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature`` of an attempt at ``at``.

    One signature for each secret (``v1``), in their order, then for each key (``v1a``): a receiver takes any that it
    can verify, so that the one with the old secret and the one with the new both do while a secret is rotated.
    """
    timestamp = str(int(at.timestamp()))
    signed = f"{id_}.{timestamp}.".encode() + body
    signatures = (
        *(f"v1,{_text(hmac.digest(secret, signed, _HASH))}" for secret in hmac_secrets),
        *(f"v1a,{_text(key.sign(signed))}" for key in ed25519_keys),
    )
    return (("webhook-id", id_), ("webhook-timestamp", timestamp), ("webhook-signature", " ".join(signatures)))


def _text(signature: bytes) -> str:
    return base64.b64encode(signature).decode()
