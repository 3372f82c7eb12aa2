"""Who asks, and what they may. Called by REST and GraphQL."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from catalog_service.access.identity import Identity
from schema.access import Scope


class WhoAmI(Struct, frozen=True, omit_defaults=True):
    """Who asks, and what they may."""

    name: str
    """The token's name; ``operator``: the one of the settings; ``anonymous``: none was shown."""
    scopes: tuple[Scope, ...]
    """With all that they include, in the order of `Scope`."""
    token: str | None = None
    """The token's id."""
    expires_at: datetime | None = None
    """From when on it is refused; none: never."""


def whoami(identity: Identity) -> WhoAmI:
    """Return ``identity`` as it is shown."""
    return WhoAmI(identity.name, identity.listed, identity.token or None, identity.expires_at)
