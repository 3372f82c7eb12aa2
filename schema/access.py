"""Who may do what: scopes, and the API tokens that carry them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

ANONYMOUS, OPERATOR, COMMAND_LINE = "anonymous", "operator", "cli"
"""Names that no token may have: who shows none, the token of the settings, and who types commands."""


class Scope(StrEnum):
    """What a token lets its bearer do. Every scope includes ``read``; ``admin`` includes all."""

    READ = "read"
    """Read the catalogue."""
    SUBSCRIBE = "subscribe"
    """Manage saved filters and one's own subscriptions, with ``operate`` everybody's; read the log of deliveries."""
    OPERATE = "operate"
    """Sync, accept, reject, label and roll back."""
    ADMIN = "admin"
    """Manage tokens and the signing key, and read the audit."""


class ApiToken(Struct, frozen=True, omit_defaults=True):
    """A token as it is known here: never its secret. All times are UTC."""

    id: str
    """``tok_`` and twelve letters and digits: names it in the audit, and to revoke it."""
    name: str
    """What a person called it; unique among those that are not revoked."""
    scopes: tuple[Scope, ...]
    """In the order of `Scope`, unique, never empty."""
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    """From when on it is refused; None: never."""
    last_used_at: datetime | None = None
    """To about a minute; None: not yet."""
