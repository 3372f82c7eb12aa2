"""What may be done through the API beyond reading: callables that the composition root builds, and who may call them.

The API knows neither sync nor the scrapers: it is handed what to call. Without a token nobody may.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct

from catalog_service.access.doorkeeper import Doorkeeper
from catalog_service.access.identity import Identity, check_scope
from catalog_service.access.issuing import TokenDesk
from catalog_service.store.audit import person
from catalog_service.subscriptions.desk import Desk
from schema.access import Scope
from schema.errors import CatalogError, ForbiddenError, RequestError
from schema.version import HeldVersion, Label, Version


class Ran(Struct, frozen=True, omit_defaults=True):
    """What a run of a source came to; words as in `sync.run.Outcome`."""

    source: str
    result: str
    version: int | None = None
    held: str | None = None
    code: str | None = None
    message: str | None = None
    reasons: tuple[str, ...] = ()


class Actions(Struct, frozen=True):
    """Each is audited by what it calls; ``by`` says who asked, ``token`` through which token (`Identity.shown`)."""

    doorkeeper: Doorkeeper
    """Knows who asks."""
    sync: Callable[[str, str, str], Awaitable[Ran]]
    """(source, by, token): ask a source once. Raises UnknownSourceError, BadParameterError (an archive)."""
    accept: Callable[[str, str, str], Awaitable[Version | None]]
    """(id, by, token): publish a held version; None: what is served is equal to it."""
    reject: Callable[[str, str, str], Awaitable[HeldVersion]]
    """(id, by, token)"""
    set_label: Callable[[str, int, str, str], Awaitable[Label]]
    """(name, version, by, token)"""
    delete_label: Callable[[str, str, str], Awaitable[Label]]
    """(name, by, token)"""
    rollback: Callable[[str, int, str, str], Awaitable[Version | None]]
    """(source, to, by, token): publish an earlier version's content anew; None: it is what is served."""
    desk: Desk
    """Takes orders about subscriptions."""
    tokens: TokenDesk
    """Takes orders about tokens."""


class Acting(Struct, frozen=True):
    """What may be done by somebody who may."""

    actions: Actions
    identity: Identity

    @property
    def desk(self) -> Desk:
        """The desk of subscriptions for who asks."""
        return self.actions.desk.opened_for(self.identity)

    @property
    def token(self) -> str:
        """What the audit tells of the token that was shown."""
        return self.identity.shown

    def by(self, given: str | None) -> str:
        """Return who asks: as ``given``, else the token's name. Raises BadParameterError."""
        return self.identity.name if given is None else person(given)


class BusyError(RequestError):
    """The source is being synced, or changed by somebody else, at this moment: ask again."""

    code = "BUSY"


async def permitted(actions: Actions | None, authorization: str, scope: Scope) -> Acting:
    """Return what may be done by who shows ``authorization``; the store is asked whether the token is still good.

    Raises:
        ForbiddenError: this is a demo, or the token lacks ``scope``.
        UnauthenticatedError: the header is missing, or no Bearer token that is good.
    """
    if actions is None:
        raise demo_takes_no_orders()
    identity = await actions.doorkeeper.identify(authorization, fresh=True)
    check_scope(identity, scope)
    return Acting(actions, identity)


async def may_still_read(actions: Actions | None, authorization: str) -> bool:
    """Tell whether a token that was good when a stream began was neither revoked nor has expired since."""
    try:
        return actions is None or (await actions.doorkeeper.identify(authorization)).may(Scope.READ)
    except CatalogError:
        return False


def demo_takes_no_orders() -> ForbiddenError:
    """Return what a demo says to who wants something done."""
    return ForbiddenError("this is a demo: it takes no orders and tells nobody anything")
