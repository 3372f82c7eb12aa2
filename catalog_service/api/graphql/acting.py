"""What fields beyond reading share: whether who asks may, and what else is under way."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from strawberry.utils.str_converters import to_camel_case

from catalog_service.access.scopes import needed
from catalog_service.api.actions import Acting, BusyError, permitted
from catalog_service.api.graphql.asked import Context
from schema.access import Scope
from schema.errors import LeaseTakenError, RequestError, StaleHeadError


async def allowed(info: Context) -> Acting:
    """Return what may be done by who asks for this field. Raises ForbiddenError, UnauthenticatedError."""
    door = info.context.door
    return await permitted(door.actions, door.authorization, needed(info.python_name))


def with_scope(description: str | None, field: str) -> str | None:
    """Return the description of ``field``, a name in snake case, with the scope that it needs beyond reading."""
    scope = needed(field)
    return description if scope is Scope.READ else " ".join(filter(None, (description, f"Needs the scope `{scope}`.")))


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Tell who asks what another one, or a sync, is doing at the moment."""
    try:
        yield
    except (LeaseTakenError, StaleHeadError) as error:
        raise BusyError(str(error)) from error


@contextlib.contextmanager
def named_here() -> Iterator[None]:
    """Name the parameter of an error as GraphQL does: ``expiresAt``, ``filter.impactAtLeast``."""
    try:
        yield
    except RequestError as error:
        if isinstance(parameter := error.facts.get("parameter"), str):
            error.facts["parameter"] = to_camel_case(parameter)
        raise
