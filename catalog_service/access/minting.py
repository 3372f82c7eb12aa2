"""What a token looks like: ``cat_``, 32 random bytes and a checksum, so that a typo is known without asking anybody.

    cat_ 0aBc...43 letters and digits...xYz 1f2G3h
         256 random bits, base 62            CRC-32 of all before, base 62

Scanners of secrets find it by ``cat_[0-9A-Za-z]{49}``. Pure; called by `issuing` and by the doorkeeper.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import string
from zlib import crc32

RANDOM_BYTES = 32
PREFIX = "cat_"
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_LENGTH, _CHECKSUM_LENGTH = 43, 6
"""62 ** 43 > 2 ** 256, and 62 ** 6 > 2 ** 32."""
_TOKEN = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_SECRET_LENGTH + _CHECKSUM_LENGTH}}}")


def token_of(random: bytes) -> str:
    """Return the token made of 32 ``random`` bytes."""
    text = PREFIX + _base62(int.from_bytes(random), _SECRET_LENGTH)
    return text + _checksum(text)


def is_token(text: str) -> bool:
    """Tell whether ``text`` can be a token at all: its form and its checksum."""
    if not _TOKEN.fullmatch(text):
        return False
    return hmac.compare_digest(_checksum(text[:-_CHECKSUM_LENGTH]), text[-_CHECKSUM_LENGTH:])


def digest_of(token: str) -> str:
    """Return what is stored of a token, hex: of 256 random bits nobody guesses one, so no slow hash is needed."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()


def _checksum(text: str) -> str:
    return _base62(crc32(text.encode()), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
