"""Who asks: made of a request's credentials by the doorkeeper, put into its scope by the gate, read by handlers.

The gate calls `Doorkeeper.identify` once a request and refuses who may not even read; whatever needs more asks
`permitted`, which asks the store. A websocket of ``/graphql`` may come without a header: its first message may show
the token, and who may not read by then is sent away.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from schema.access import ANONYMOUS, Scope
from schema.errors import ForbiddenError, UnauthenticatedError

IDENTITY = "catalog.identity"
"""Where an ASGI scope has the `Identity` of who asks."""
BEARER_CHALLENGE = "Bearer"
BASIC_CHALLENGE = 'Basic realm="Endpoint catalogue", charset="UTF-8"'
"""``WWW-Authenticate`` of a 401 to programs, and to a browser that opens a page."""


class Identity(Struct, frozen=True):
    """Who asks, and what they may."""

    name: str
    """The token's name; ``operator`` for the one of the settings; ``anonymous`` without one."""
    scopes: frozenset[Scope]
    """All that they may: what a scope includes stands here too. Empty: nothing at all."""
    token: str = ""
    """The token's id; empty: none, or the one of the settings."""
    expires_at: datetime | None = None
    """From when on the token is refused; None: never."""

    def may(self, scope: Scope) -> bool:
        """Tell whether they may do what needs ``scope``."""
        return scope in self.scopes

    @property
    def shown(self) -> str:
        """What the audit says of the token that was shown: its id, or ``operator``."""
        return self.token or self.name

    @property
    def owner(self) -> str:
        """Whose the subscriptions are that they make: the token's name, empty without a token that was made here.

        Of the name, not the id: who revokes a token and makes another one of that name gives them on.
        """
        return self.name if self.token else ""

    def manages(self, owner: str) -> bool:
        """Tell whether they may know of, and change, the subscriptions of ``owner``; empty: nobody's."""
        return self.may(Scope.OPERATE) or (owner != "" and owner == self.owner)

    @property
    def listed(self) -> tuple[Scope, ...]:
        """All that they may, in the order of `Scope`."""
        return tuple(scope for scope in Scope if scope in self.scopes)


NOBODY = Identity(ANONYMOUS, frozenset())
"""Who may do nothing at all."""


def identity_of(scope: MutableMapping[str, Any]) -> Identity:
    """Return who asks, as the gate or `permitted` found it; nobody who may anything where neither was asked."""
    found = scope.get(IDENTITY)
    return found if isinstance(found, Identity) else NOBODY


def check_scope(identity: Identity, needed: Scope) -> None:
    """Refuse who may not do what needs ``needed``.

    Raises:
        UnauthenticatedError: nobody showed a token.
        ForbiddenError: the token has other scopes; says which.
    """
    if identity.may(needed):
        return
    if identity.name == ANONYMOUS:
        message = f"this needs a token with the scope {needed}: send the header `Authorization: Bearer TOKEN`"
        raise UnauthenticatedError(message, needed=needed)
    has = identity.listed
    message = f"this needs the scope {needed}; the token {identity.name!r} has {', '.join(has) or 'none'}"
    raise ForbiddenError(message, needed=needed, scopes=has)


def included(scopes: tuple[Scope, ...]) -> frozenset[Scope]:
    """Return ``scopes`` with all that they include (see `Scope`)."""
    if Scope.ADMIN in scopes:
        return frozenset(Scope)
    return frozenset({*scopes, Scope.READ}) if scopes else frozenset()
