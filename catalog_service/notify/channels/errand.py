"""What passes between `apprise` and its child process, as JSON: an errand in, an outcome out.

Secrets are in an errand alone, which goes through a pipe: command lines can be read by others.
"""

from __future__ import annotations

from msgspec import Struct

from catalog_service.subscriptions.targets import Policy


class Errand(Struct, frozen=True):
    """One message to send."""

    url: str
    """An address of apprise's."""
    title: str
    body: str
    """Plain text."""
    policy: Policy
    timeout_s: float


class Outcome(Struct, frozen=True):
    """What became of it."""

    error: str = ""
    """Empty: it was sent."""
    status: int | None = None
    """The service's HTTP status, where it is known."""
