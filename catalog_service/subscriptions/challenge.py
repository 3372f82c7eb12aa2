"""The challenge of a subscription: a code that only its receiver is sent, and that shows it wants these messages.

Derived, so that nothing is stored: another address or another secret has another code. A webhook sends it back in
its answer; who reads a chat or a mailbox types it. Called by `desk` and by notify.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

import msgspec
from msgspec import Struct

_BYTES = 10


def challenge_of(secret: bytes, id_: str, url: str) -> str:
    """Return the code of the subscription ``id_`` to ``url``: sixteen lower-case letters and digits."""
    # No message is signed under this text: an id of a message holds no line break.
    code = hmac.digest(secret, f"challenge\n{id_}\n{url}".encode(), hashlib.sha256)
    return base64.b32encode(code[:_BYTES]).decode().lower()


def is_code(challenge: str, given: str) -> bool:
    """Tell whether ``given`` is the code ``challenge``; in constant time."""
    return hmac.compare_digest(challenge.encode(), given.strip().lower().encode())


def is_answer(challenge: str, body: bytes) -> bool:
    """Tell whether the answer ``body`` has the code: as it is, or as ``{"challenge": "..."}``."""
    try:
        return is_code(challenge, msgspec.json.decode(body, type=_Answer).challenge)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # the last: nested by a thousand
        return is_code(challenge, body.decode(errors="replace"))


class _Answer(Struct, frozen=True):
    challenge: str
