"""The vault: what of a subscription nobody may read in Redis, sealed with a key that Redis never sees.

In: the setting ``encryption_key``, and secrets. Out: sealed bytes for the store, and the secrets again. A sealed blob
is a format byte, four bytes that name the key, a nonce of twelve bytes and what AES-256-GCM made; all before the
nonce, and whose it is, is authenticated with it. Called by `desk`, and by notify when it signs.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct
from msgspec.structs import replace

from schema.errors import SealedError
from schema.subscription import Sealed

RandomBytes = Callable[[int], bytes]
Headers = tuple[tuple[str, str], ...]

VARIABLE = "CATALOG_ENCRYPTION_KEY"
SECRET_PREFIX, PRIVATE_PREFIX, PUBLIC_PREFIX = "whsec_", "whsk_", "whpk_"
"""Of a text of Standard Webhooks: a secret, and the halves of an ed25519 pair."""
_FORMAT = b"\x01"
_SECRET_BYTES = 32
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_MOST_KEPT = 10_000
_HEAD_BYTES = len(_FORMAT) + _KEY_ID_BYTES


class Opened(Struct, frozen=True):
    """What was sealed of one subscription."""

    url: str
    """Where to, the whole of it."""
    secrets: tuple[bytes, ...]
    """What to sign with: the secret, then the one before it while both are in force. Never empty."""
    headers: Headers

    def __repr__(self) -> str:
        return "Opened(...)"  # a log shows reprs


class Vault:
    """Seals with the first of ``keys`` (Base64, separated by commas), opens with all; none in an empty text."""

    def __init__(self, keys: str) -> None:
        plain = tuple(base64.b64decode(key) for key in keys.split(",") if key.strip())
        self._first = _key_id(plain[0]) if plain else b""
        self._keys = {_key_id(key): AESGCM(key) for key in plain}
        self._kept = lru_cache(_MOST_KEPT)(self._all_opened)
        """What was opened: to open it again would take a worker longer than to sign with it."""

    def seal(self, plain: bytes, bound: str) -> bytes:
        """Return ``plain`` sealed; it opens for ``bound``, the subscription's id, alone. Raises SealedError: no key."""
        if not self._first:
            raise SealedError(f"subscriptions need an encryption key: set {VARIABLE} (openssl rand -base64 32)")
        head = _FORMAT + self._first
        # Of the system, never handed in: a nonce that is used twice would give both texts away.
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return head + nonce + self._keys[self._first].encrypt(nonce, plain, head + bound.encode())

    def open(self, sealed: bytes, bound: str) -> bytes:
        """Return what `seal` was given.

        Raises:
            SealedError: there is no key, another one sealed it, or it was damaged or is not ``bound``'s.
        """
        head, rest, key = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES:], self._key_of(sealed, bound)
        try:
            return key.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head + bound.encode())
        except (InvalidTag, ValueError):
            raise SealedError(f"what {VARIABLE} sealed of {bound} was damaged in the store") from None

    def check(self, id_: str, sealed: Sealed) -> None:
        """Raise SealedError where the key that ``sealed`` of the subscription ``id_`` opens with is not here."""
        for blob in filter(None, (sealed.secret, sealed.url, sealed.headers)):
            self._key_of(blob, id_)

    def _key_of(self, sealed: bytes, bound: str) -> AESGCM:
        key = self._keys.get(sealed[len(_FORMAT) : _HEAD_BYTES])
        if key is None:
            had = f"{VARIABLE} does not hold the key with which" if self._keys else f"{VARIABLE} is not set; with it"
            raise SealedError(f"{had} the secrets of {bound} were sealed")
        return key

    def seal_new(self, id_: str, secret: str, url: str, headers: Headers) -> Sealed:
        """Return the secret ``whsec_...``, the address and the headers of ``id_`` sealed. Raises SealedError."""
        return Sealed(self.seal(secret.encode(), id_), self.seal(url.encode(), id_), self.seal_headers(id_, headers))

    def seal_headers(self, id_: str, headers: Headers) -> bytes:
        """Return names and values of headers sealed, empty for none. Raises SealedError."""
        return self.seal(msgspec.msgpack.encode(headers), id_) if headers else b""

    def opened(self, id_: str, sealed: Sealed, now: datetime) -> Opened:
        """Return what was sealed of the subscription ``id_``, as it holds at ``now``. Raises SealedError."""
        return self._kept(id_, sealed, _overlaps(sealed, now))

    def _all_opened(self, id_: str, sealed: Sealed, overlaps: bool) -> Opened:  # noqa: FBT001 - kept by its arguments
        blobs = (sealed.secret, sealed.previous) if overlaps and sealed.previous else (sealed.secret,)
        headers = self.open(sealed.headers, id_) if sealed.headers else None
        return Opened(
            self.open(sealed.url, id_).decode(),
            tuple(decoded(self.open(blob, id_).decode()) for blob in blobs),
            msgspec.msgpack.decode(headers, type=Headers) if headers else (),
        )

    def resealed(self, id_: str, sealed: Sealed, now: datetime) -> Sealed:
        """Return what is sealed of ``id_``, all with the first key; what that sealed already stays. Raises SealedError.

        A secret that signs no more at ``now`` is forgotten where another key sealed it: that one may be gone already.
        """
        secret, url, headers = (self.anew(blob, id_) for blob in (sealed.secret, sealed.url, sealed.headers))
        kept, previous = replace(sealed, secret=secret, url=url, headers=headers), sealed.previous
        if previous is None or self._is_first(previous):
            return kept
        if not _overlaps(sealed, now):
            return replace(kept, previous=None, previous_until=None)
        return replace(kept, previous=self.anew(previous, id_))

    def anew(self, sealed: bytes, bound: str) -> bytes:
        """Return ``sealed`` with the first key; as it is where that sealed it, or nothing is. Raises as `open`."""
        return sealed if not sealed or self._is_first(sealed) else self.seal(self.open(sealed, bound), bound)

    def _is_first(self, sealed: bytes) -> bool:
        return sealed[len(_FORMAT) : _HEAD_BYTES] == self._first


def new_secret(random_bytes: RandomBytes) -> str:
    """Return a new secret for signing with HMAC: ``whsec_`` and 32 bytes in Base64 (Standard Webhooks 1.0)."""
    return SECRET_PREFIX + base64.b64encode(random_bytes(_SECRET_BYTES)).decode()


def new_private(random_bytes: RandomBytes) -> str:
    """Return a new ed25519 key: ``whsk_`` and its seed of 32 bytes in Base64 (Standard Webhooks 1.0)."""
    return PRIVATE_PREFIX + base64.b64encode(random_bytes(_SECRET_BYTES)).decode()


def private_key(text: str) -> Ed25519PrivateKey:
    """Return the key that `new_private` made."""
    return Ed25519PrivateKey.from_private_bytes(decoded(text))


def public_text(key: Ed25519PrivateKey) -> str:
    """Return the public half of ``key``: ``whpk_`` and its 32 bytes in Base64."""
    return PUBLIC_PREFIX + base64.b64encode(key.public_key().public_bytes_raw()).decode()


def decoded(text: str) -> bytes:
    """Return the bytes that a text with one of the three prefixes stands for."""
    return base64.b64decode(text.partition("_")[2])


def _overlaps(sealed: Sealed, now: datetime) -> bool:
    """Tell whether the secret before a rotation signs too."""
    return sealed.previous is not None and sealed.previous_until is not None and now < sealed.previous_until


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:_KEY_ID_BYTES]
