"""What an operator may have done through the API: callables that the composition root builds, and who may call them.

The API knows neither sync nor the scrapers: it is handed what to call. Without a token nobody may.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Awaitable, Callable

from msgspec import Struct

from catalog_service.subscriptions.desk import Desk
from schema.errors import RequestError
from schema.version import HeldVersion, Label, Version

OPERATOR = "operator"
"""Who asks, unless said."""
_SCHEME = "bearer"
_OF_BROWSERS = "basic"


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
    """Each is audited by what it calls; ``by`` says who asked."""

    token: str
    """What a client has to show; empty: nobody may act."""
    sync: Callable[[str], Awaitable[Ran]]
    """Ask a source once. Raises UnknownSourceError, BadParameterError (an archive)."""
    accept: Callable[[str, str], Awaitable[Version | None]]
    """(id, by): publish a held version; None: what is served is equal to it."""
    reject: Callable[[str, str], Awaitable[HeldVersion]]
    """(id, by)"""
    set_label: Callable[[str, int, str], Awaitable[Label]]
    """(name, version, by)"""
    delete_label: Callable[[str, str], Awaitable[Label]]
    """(name, by)"""
    rollback: Callable[[str, int, str], Awaitable[Version | None]]
    """(source, to, by): publish an earlier version's content anew; None: it is what is served."""
    desk: Desk
    """Takes orders about subscriptions."""


class ForbiddenError(RequestError):
    """Nobody may do this here."""

    code = "FORBIDDEN"


class UnauthenticatedError(RequestError):
    """Only who shows the operator's token may do this."""

    code = "UNAUTHENTICATED"


class BusyError(RequestError):
    """The source is being synced, or changed by somebody else, at this moment: ask again."""

    code = "BUSY"


def check_operator(actions: Actions | None, authorization: str) -> Actions:
    """Return the actions for a client that sent the header ``Authorization: Bearer TOKEN``.

    Raises:
        ForbiddenError: this is a demo, or was started without a token.
        UnauthenticatedError: the header is missing, or says another token.
    """
    if actions is None:
        raise ForbiddenError("this is a demo: it takes no orders and tells nobody anything")
    if not actions.token:
        raise ForbiddenError(
            "this service has no operator's token (CATALOG_OPERATOR_TOKEN): nothing can be changed through it"
        )
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != _SCHEME or not hmac.compare_digest(given.strip().encode(), actions.token.encode()):
        raise UnauthenticatedError("this needs the header `Authorization: Bearer` with the operator's token")
    return actions


def operator_of(actions: Actions | None, authorization: str) -> Actions:
    """Return the actions for a browser: as `check_operator`, or by HTTP Basic, any name and the token as password.

    For pages that change nothing: a browser sends Basic along by itself, whoever makes it ask (RFC 7617).

    Raises:
        ForbiddenError, UnauthenticatedError: as `check_operator`, in words for people.
    """
    scheme, _, given = authorization.partition(" ")
    shown = f"{_SCHEME} {_password(given)}" if scheme.lower() == _OF_BROWSERS else authorization
    try:
        return check_operator(actions, shown)
    except ForbiddenError:
        raise ForbiddenError(
            "only an operator may see this, and this service was started without an operator's token: "
            "set CATALOG_OPERATOR_TOKEN and start it again"
        ) from None
    except UnauthenticatedError:
        raise UnauthenticatedError(
            "only an operator may see this: log in with any name and the operator's token (CATALOG_OPERATOR_TOKEN) "
            "as the password, or send it in the header `Authorization: Bearer`"
        ) from None


def _password(given: str) -> str:
    """Return the password of Basic credentials, empty where there is none to be read."""
    try:
        return base64.b64decode(given.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""
